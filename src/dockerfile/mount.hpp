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

enum class MountKey {
  type,
  from,
  source,
  target,
  read_only,
  read_write,
  id,
  sharing,
  required,
  size,
  mode,
  uid,
  gid,
  env
};

/// One key of `RUN --mount=...`, its value unexpanded; no value for a bare `ro`, `rw`, `required`.
struct MountOption {
  MountKey key = MountKey::type;
  std::optional<std::string> value;

  bool operator==(const MountOption&) const = default;
};

/// `RUN --mount=...` as written: keys are known ones, values may hold variables.
struct MountSpec {
  std::string text;                 ///< What follows "--mount=".
  std::vector<MountOption> options; ///< In the order written.
  /// Stage name, stage index, image or named context; never holds variables.
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
  std::optional<std::string> id; ///< For a secret also what was given as `source`.
  std::optional<std::string> env;
  bool read_only = false; ///< Defaults are applied: true for bind, secret and ssh.
  bool required = false;
  CacheSharing sharing = CacheSharing::shared;
  std::optional<std::uint64_t> size; ///< Bytes.
  std::optional<std::uint32_t> mode;
  std::optional<std::uint32_t> uid;
  std::optional<std::uint32_t> gid;
};

/// Splits the CSV record and checks the keys; when no value holds a "$", checks the values too.
/// @throws Error without a place
MountSpec parse_mount(std::string_view text);

/// Types the values after passing each through `expand`, except that of `from`.
/// @throws Error without a place
Mount resolve_mount(const MountSpec& spec,
                    const std::function<std::string(const std::string&)>& expand);

} // namespace cairn::instruction
