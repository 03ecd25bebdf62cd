#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// In the namespace of the instructions, because the floor that mounts has names like these.
namespace cairn::instruction {

enum class MountType { bind, cache, tmpfs, secret, ssh };
enum class CacheSharing { shared, private_copy, locked };

/// Spelled as in a Dockerfile.
std::string_view mount_type_name(MountType type);

/// `RUN --mount=...` as written. Keys and values are not looked at, except `from`: what is wrong
/// with them does not matter in a stage that nobody builds.
struct MountSpec {
  std::string text;                ///< What follows "--mount=".
  std::vector<std::string> fields; ///< "key=value", or a key alone; values may hold variables.
  /// Stage name, stage index, image or named context; never holds variables, never empty.
  std::optional<std::string> from;
};

/// `RUN --mount=...` with its values expanded, checked and typed. What is absent takes a default
/// that depends on the step:
///
///   target    secret: /run/secrets/<id> unless `env` is set; ssh: /run/buildkit/ssh_agent.<n>;
///             the others: the working directory, to which a relative one is joined
///   source    the root of `from`
///   from      bind: the build context; cache: an empty directory
///   id        cache: the cleaned target; secret: the last component of target; ssh: "default"
///   mode      cache 0755, secret 0400, ssh 0600
///   uid, gid  0
///   size      unlimited
struct Mount {
  MountType type = MountType::bind;
  std::optional<std::string> from;
  std::optional<std::string> source;
  std::optional<std::string> target;
  std::optional<std::string> id;  ///< For a secret also what was given as `source`.
  std::optional<std::string> env; ///< Means something for a secret alone.
  bool read_only = false;         ///< Defaults are applied: true for bind, secret and ssh.
  bool required = false;
  CacheSharing sharing = CacheSharing::shared;
  std::optional<std::uint64_t> size; ///< Bytes.
  std::optional<std::uint32_t> mode;
  std::optional<std::uint32_t> uid;
  std::optional<std::uint32_t> gid;
};

/// Splits the CSV record. @throws Error without a place; also on a `from` with a variable
MountSpec parse_mount(std::string_view text);

/// Types the keys from left to right, values after passing through `expand`, except that of `from`.
/// @throws Error without a place
Mount resolve_mount(const MountSpec& spec,
                    const std::function<std::string(const std::string&)>& expand);

} // namespace cairn::instruction
