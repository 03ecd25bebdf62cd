#include "dockerfile/mount.hpp"

#include "dockerfile/values.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace cairn::instruction {

namespace {

struct KeyName {
  std::string_view name;
  MountKey key;
};

// Where a key has several names the first is the one that errors use.
constexpr std::array<KeyName, 19> key_names = {{
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

template<class Value>
struct Named {
  std::string_view name;
  Value value;
};

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
      return known.key;
    names.emplace_back(known.name);
  }
  throw Error("unknown key '{}' in '{}'{}", printable(name), printable(field),
              did_you_mean(name, names));
}

std::string_view key_name(MountKey key) {
  return std::find_if(key_names.begin(), key_names.end(),
                      [&](const KeyName& known) { return known.key == key; })
      ->name;
}

MountOption parse_option(std::string_view field) {
  const auto parts = cut(field, '=');
  MountOption option;
  option.key = find_key(parts ? parts->first : field, field);
  if (parts)
    option.value = parts->second;
  const bool may_be_bare = option.key == MountKey::read_only ||
                           option.key == MountKey::read_write || option.key == MountKey::required;
  if (!parts && !may_be_bare)
    throw Error("the key '{}' needs a value", printable(field));
  return option;
}

bool switch_value(const MountOption& option, const std::string& value) {
  const auto parsed = option.value ? parse_bool(value) : true;
  if (!parsed)
    throw Error("{}={}: must be true or false", key_name(option.key), printable(value));
  return *parsed;
}

std::uint32_t number_value(MountKey key, const std::string& value) {
  const auto parsed = parse_unsigned(value);
  if (!parsed || *parsed > std::numeric_limits<std::uint32_t>::max())
    throw Error("{}={}: must be a number", key_name(key), printable(value));
  return static_cast<std::uint32_t>(*parsed);
}

/// Which types a key makes sense for.
bool applies(MountKey key, MountType type) {
  const bool secret_or_ssh = type == MountType::secret || type == MountType::ssh;
  switch (key) {
  case MountKey::required:
    return secret_or_ssh;
  case MountKey::mode:
  case MountKey::uid:
  case MountKey::gid:
    return secret_or_ssh || type == MountType::cache;
  case MountKey::sharing:
    return type == MountType::cache;
  case MountKey::size:
    return type == MountType::tmpfs;
  case MountKey::env:
    return type == MountType::secret;
  case MountKey::from:
    return type != MountType::secret;
  default:
    return true;
  }
}

/// Sets one field of `mount`, whose type is known.
void apply(Mount& mount, const MountOption& option, const std::string& value) {
  switch (option.key) {
  case MountKey::type:
    break;
  case MountKey::from:
    if (!value.empty())
      mount.from = value;
    break;
  case MountKey::source:
    mount.source = value;
    break;
  case MountKey::target:
    mount.target = value;
    break;
  case MountKey::id:
    mount.id = value;
    break;
  case MountKey::env:
    mount.env = value;
    break;
  case MountKey::read_only:
    mount.read_only = switch_value(option, value);
    break;
  case MountKey::read_write:
    mount.read_only = !switch_value(option, value);
    break;
  case MountKey::required:
    mount.required = switch_value(option, value);
    break;
  case MountKey::sharing:
    mount.sharing = find_named(sharings, "sharing", value);
    break;
  case MountKey::size:
    mount.size = parse_binary_size(value);
    if (!mount.size)
      throw Error("size={}: must be a size such as 100m", printable(value));
    break;
  case MountKey::mode:
    mount.mode = parse_octal(value);
    if (!mount.mode)
      throw Error("mode={}: must be an octal number", printable(value));
    break;
  case MountKey::uid:
    mount.uid = number_value(option.key, value);
    break;
  case MountKey::gid:
    mount.gid = number_value(option.key, value);
    break;
  }
}

void finish_secret(Mount& mount) {
  if (mount.source && mount.id)
    throw Error("a secret has either a source or an id, not both");
  if (mount.source)
    mount.id = std::exchange(mount.source, std::nullopt);
  if (!mount.id && !mount.target)
    throw Error("a secret needs an id or a target");
}

bool is_plain(const MountOption& option) {
  return option.value.value_or("").find_first_of("$'\"\\`") == std::string::npos;
}

} // namespace

std::string_view mount_type_name(MountType type) {
  return std::find_if(types.begin(), types.end(),
                      [&](const auto& each) { return each.value == type; })
      ->name;
}

MountSpec parse_mount(std::string_view text) {
  MountSpec spec;
  spec.text = text;
  for (const auto& field : parse_csv_record(text)) {
    auto option = parse_option(field);
    if (option.key == MountKey::from) {
      const auto dollar = option.value->find('$');
      if (dollar != std::string::npos && dollar + 1 < option.value->size())
        throw with_hint(Error("from={}: must not hold a variable", printable(*option.value)),
                        "name a stage with FROM ... AS and use that name here");
      // "from=" is the build context, as no "from" is.
      if (!option.value->empty())
        spec.from = option.value;
    }
    spec.options.push_back(std::move(option));
  }
  if (std::all_of(spec.options.begin(), spec.options.end(), is_plain))
    (void)resolve_mount(spec, [](const std::string& value) { return value; });
  return spec;
}

Mount resolve_mount(const MountSpec& spec,
                    const std::function<std::string(const std::string&)>& expand) {
  std::vector<std::string> values;
  for (const auto& option : spec.options)
    values.push_back(option.key == MountKey::from ? option.value.value_or("")
                                                  : expand(option.value.value_or("")));
  Mount mount;
  for (std::size_t i = 0; i < values.size(); ++i)
    if (spec.options[i].key == MountKey::type)
      mount.type = find_named(types, "type", values[i]);
  mount.read_only = mount.type != MountType::cache && mount.type != MountType::tmpfs;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto key = spec.options[i].key;
    if (!applies(key, mount.type))
      throw Error("the key '{}' does not go with type={}", key_name(key),
                  mount_type_name(mount.type));
    apply(mount, spec.options[i], values[i]);
  }
  if (mount.type == MountType::secret)
    finish_secret(mount);
  return mount;
}

} // namespace cairn::instruction
