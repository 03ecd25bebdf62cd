#include "dockerfile/syntax/mount.hpp"

#include "dockerfile/syntax/values.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <utility>

namespace cairn::instruction {

namespace {

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

template<class Value>
struct Named {
  std::string_view name;
  Value value;
};

// Where a key has several names the first is the one that errors use.
constexpr std::array<Named<MountKey>, 19> key_names = {{
    {"type", MountKey::type},
    {"from", MountKey::from},
    {"source", MountKey::source},
    {"src", MountKey::source},
    {"target", MountKey::target},
    {"dst", MountKey::target},
    {"destination", MountKey::target},
    {"readonly", MountKey::read_only},
    {"ro", MountKey::read_only},
    {"readwrite", MountKey::read_write},
    {"rw", MountKey::read_write},
    {"id", MountKey::id},
    {"sharing", MountKey::sharing},
    {"required", MountKey::required},
    {"size", MountKey::size},
    {"mode", MountKey::mode},
    {"uid", MountKey::uid},
    {"gid", MountKey::gid},
    {"env", MountKey::env},
}};

constexpr std::array<Named<MountType>, 5> types = {{{"bind", MountType::bind},
                                                    {"cache", MountType::cache},
                                                    {"tmpfs", MountType::tmpfs},
                                                    {"secret", MountType::secret},
                                                    {"ssh", MountType::ssh}}};

constexpr std::array<Named<CacheSharing>, 3> sharings = {{{"shared", CacheSharing::shared},
                                                          {"private", CacheSharing::private_copy},
                                                          {"locked", CacheSharing::locked}}};

template<class Table>
auto find_named(const Table& table, std::string_view key, std::string_view text) {
  std::vector<std::string> names;
  for (const auto& [name, value] : table) {
    if (equals_ignoring_case(name, text))
      return value;
    names.emplace_back(name);
  }
  throw Error("{}={}: must be one of {}{}", key, printable(text), join(names, ", "),
              did_you_mean(text, names));
}

MountKey find_key(std::string_view name, std::string_view field) {
  std::vector<std::string> names;
  for (const auto& known : key_names) {
    if (equals_ignoring_case(known.name, name))
      return known.value;
    names.emplace_back(known.name);
  }
  throw Error("unknown key '{}' in '{}'{}", printable(name), printable(field),
              did_you_mean(name, names));
}

std::string_view key_name(MountKey key) {
  return std::find_if(key_names.begin(), key_names.end(),
                      [&](const auto& known) { return known.value == key; })
      ->name;
}

bool is_key(std::string_view field, MountKey key) {
  const auto parts = cut(field, '=');
  const auto name = parts ? parts->first : field;
  return std::any_of(key_names.begin(), key_names.end(), [&](const auto& known) {
    return known.value == key && equals_ignoring_case(known.name, name);
  });
}

std::uint32_t number_value(MountKey key, const std::string& value) {
  const auto parsed = parse_unsigned(value);
  if (!parsed || *parsed > std::numeric_limits<std::uint32_t>::max())
    throw Error("{}={}: must be a number", key_name(key), printable(value));
  return static_cast<std::uint32_t>(*parsed);
}

/// Reads the fields of one mount in order: what `type` is known so far decides about some keys.
class MountReader {
public:
  MountReader(const MountSpec& spec, const std::function<std::string(const std::string&)>& expand)
      : spec_(spec), expand_(expand) {}

  Mount run() {
    for (; fields_read_ < spec_.fields.size(); ++fields_read_)
      read(spec_.fields[fields_read_]);
    mount_.from = spec_.from;
    mount_.read_only =
        read_only_.value_or(mount_.type != MountType::cache && mount_.type != MountType::tmpfs);
    if (sharing_ && mount_.type != MountType::cache)
      refuse(MountKey::sharing);
    mount_.sharing = sharing_.value_or(CacheSharing::shared);
    check_owner();
    if (mount_.type == MountType::secret)
      finish_secret();
    if (mount_.type == MountType::ssh && mount_.source)
      refuse(MountKey::source);
    return std::move(mount_);
  }

private:
  [[noreturn]] void refuse(MountKey key) const {
    throw Error("the key '{}' does not go with type={}", key_name(key),
                mount_type_name(mount_.type));
  }

  /// For keys that must stand behind the type they belong to.
  void expect(MountKey key, std::initializer_list<MountType> fitting) const {
    if (std::find(fitting.begin(), fitting.end(), mount_.type) != fitting.end())
      return;
    const bool type_follows = std::any_of(
        spec_.fields.begin() + static_cast<std::ptrdiff_t>(fields_read_), spec_.fields.end(),
        [](const auto& field) { return is_key(field, MountKey::type); });
    if (!type_follows)
      refuse(key);
    throw with_hint(
        Error("the key '{}' does not go with type={}", key_name(key), mount_type_name(mount_.type)),
        fmt::format("write type=... before {}", key_name(key)));
  }

  void read(const std::string& field) {
    const auto parts = cut(field, '=');
    const auto key = find_key(parts ? parts->first : field, field);
    if (parts)
      set(key, key == MountKey::from ? "" : expand_(std::string(parts->second)));
    else if (key == MountKey::read_only || key == MountKey::read_write || key == MountKey::required)
      set(key, "true");
    else
      throw Error("the key '{}' needs a value", printable(field));
  }

  void set(MountKey key, const std::string& value) {
    switch (key) {
    case MountKey::type:
      mount_.type = find_named(types, "type", value);
      break;
    case MountKey::from:
      break; // stands in the MountSpec
    case MountKey::source:
      mount_.source = not_empty(value);
      break;
    case MountKey::target:
      mount_.target = not_empty(value);
      break;
    case MountKey::id:
      mount_.id = not_empty(value);
      break;
    case MountKey::env:
      mount_.env = value;
      break;
    case MountKey::sharing:
      sharing_ = find_named(sharings, "sharing", value);
      break;
    case MountKey::read_only:
    case MountKey::read_write:
    case MountKey::required:
      set_switch(key, value);
      break;
    case MountKey::size:
    case MountKey::mode:
    case MountKey::uid:
    case MountKey::gid:
      set_number(key, value);
      break;
    }
  }

  static std::optional<std::string> not_empty(const std::string& value) {
    return value.empty() ? std::nullopt : std::optional(value);
  }

  void set_switch(MountKey key, const std::string& value) {
    const auto on = parse_bool(value);
    if (!on)
      throw Error("{}={}: must be true or false", key_name(key), printable(value));
    if (key != MountKey::required) {
      read_only_ = *on == (key == MountKey::read_only);
      return;
    }
    expect(key, {MountType::secret, MountType::ssh});
    mount_.required = *on;
  }

  void set_number(MountKey key, const std::string& value) {
    if (key == MountKey::size) {
      expect(key, {MountType::tmpfs});
      mount_.size = parse_binary_size(value);
      if (!mount_.size)
        throw Error("size={}: must be a size such as 100m", printable(value));
    } else if (key == MountKey::mode) {
      mount_.mode = parse_octal(value);
      if (!mount_.mode)
        throw Error("mode={}: must be an octal number", printable(value));
    } else {
      (key == MountKey::uid ? mount_.uid : mount_.gid) = number_value(key, value);
    }
  }

  void check_owner() const {
    if (mount_.type != MountType::bind && mount_.type != MountType::tmpfs)
      return;
    if (mount_.mode)
      refuse(MountKey::mode);
    if (mount_.uid)
      refuse(MountKey::uid);
    if (mount_.gid)
      refuse(MountKey::gid);
  }

  void finish_secret() {
    if (mount_.from)
      refuse(MountKey::from);
    if (mount_.source && mount_.id)
      throw Error("a secret has either a source or an id, not both");
    if (mount_.source)
      mount_.id = std::exchange(mount_.source, std::nullopt);
    if (!mount_.id && !mount_.target)
      throw Error("a secret needs an id or a target");
  }

  const MountSpec& spec_;
  const std::function<std::string(const std::string&)>& expand_;
  Mount mount_;
  std::size_t fields_read_ = 0;
  std::optional<bool> read_only_;
  std::optional<CacheSharing> sharing_;
};

} // namespace

std::string_view mount_type_name(MountType type) {
  return std::find_if(types.begin(), types.end(),
                      [&](const auto& each) { return each.value == type; })
      ->name;
}

MountSpec parse_mount(std::string_view text) {
  MountSpec spec{std::string(text), parse_csv_record(text), std::nullopt};
  for (const auto& field : spec.fields) {
    const auto parts = cut(field, '=');
    if (!parts || !is_key(field, MountKey::from))
      continue;
    const auto dollar = parts->second.find('$');
    if (dollar != std::string_view::npos && dollar + 1 < parts->second.size())
      throw with_hint(Error("from={}: must not hold a variable", printable(parts->second)),
                      "name a stage with FROM ... AS and use that name here");
    // "from=" is the build context, as no "from" is.
    spec.from.reset();
    if (!parts->second.empty())
      spec.from = parts->second;
  }
  return spec;
}

Mount resolve_mount(const MountSpec& spec,
                    const std::function<std::string(const std::string&)>& expand) {
  return MountReader(spec, expand).run();
}

} // namespace cairn::instruction
