#pragma once

#include "apps/shared/flag_set.hpp"
#include "builder/options/build_options.hpp"

#include <string_view>
#include <vector>

namespace cairn {

/// Flags about where images go, of all commands that push.

constexpr std::string_view output_group = "Output";

/// --destination: references with tags.
Flags<std::vector<ImageRef>> destination_flags();
/// --annotation.
Flags<Annotations> annotation_flags();
/// --digest-file and its kin.
Flags<ReportOptions> report_flags();

} // namespace cairn
