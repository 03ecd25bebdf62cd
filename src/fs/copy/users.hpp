#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cairn {

/// Files of a root larger than this are refused as /etc/passwd and /etc/group, in bytes.
inline constexpr std::uint64_t max_user_file = std::uint64_t{10} << 20;

/// The text of a root's /etc/passwd and /etc/group; nothing where there is no such file.
struct UserFiles {
  std::optional<std::string> passwd;
  std::optional<std::string> group;
};

/// Who files belong to.
struct Owner {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;

  auto operator<=>(const Owner&) const = default;
};

/// Whether no files are needed to resolve "user[:group]": numbers in range, "root", or nothing at
/// all.
bool is_numeric_owner(std::string_view spec);

/// A part of an owner that means nobody.
struct UnknownOwner {
  std::string why;     ///< "unknown user 'x': /etc/passwd of the image is missing"
  bool is_name = true; ///< Otherwise a number that is too large.
};

/// What --chown=SPEC means, and which parts of it nobody is.
struct FoundOwner {
  Owner owner;
  std::vector<UnknownOwner> unknown;
};

/// The owner that --chown=SPEC means: numbers (up to 2147483647) stand for themselves, one number
/// alone for both; a name means its row's uid and gid; ":group" leaves the user at 0, and "user:"
/// means group 0. As in BuildKit an unknown user is 0, and an unknown group the one that goes with
/// the user; larger numbers count as names.
FoundOwner resolve_owner(std::string_view spec, const UserFiles& files);

/// Who a RUN is.
struct Identity {
  Owner owner;
  std::vector<std::uint32_t> groups; ///< Supplementary groups in the order of the file.
  std::string home = "/";            ///< What HOME is set to: as in the row, "/" without one.

  bool operator==(const Identity&) const = default;
};

/// The identity that USER SPEC means; "" is root. A group that is written replaces the primary one
/// and leaves no supplementary groups; a number that is in no row has gid 0.
/// @throws Error for names that are in neither file
Identity resolve_user(std::string_view spec, const UserFiles& files);

} // namespace cairn
