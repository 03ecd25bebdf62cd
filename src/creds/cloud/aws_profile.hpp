#pragma once

#include <map>
#include <string>
#include <string_view>

namespace cairn {

/// The settings of one profile, names in lower case.
using AwsProfile = std::map<std::string, std::string, std::less<>>;

/// Which of the two files of AWS's tools it is: sections are "[name]" in one, "[profile name]" and
/// "[default]" in the other.
enum class AwsFileKind { credentials, config };

/// Profiles by name. Nested settings (indented lines) are skipped, as are sections that are no
/// profiles. @throws Error "source:line: …", without anything of the line
std::map<std::string, AwsProfile> parse_aws_profiles(std::string_view text, AwsFileKind kind,
                                                     std::string_view source);

} // namespace cairn
