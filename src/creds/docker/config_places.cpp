#include "creds/docker/config_places.hpp"

#include "util/error.hpp"
#include "util/file.hpp"
#include "util/text.hpp"

#include <fcntl.h>
#include <sys/stat.h>

namespace cairn {

namespace {

constexpr std::uint64_t max_login = std::uint64_t{1} << 18;

/// A file below `directory`; nothing when it is not there, or is a directory.
std::optional<std::string> read_optional(FdRef directory, const std::string& name,
                                         std::uint64_t limit) {
  const auto file = try_open_at(directory, name, O_RDONLY);
  struct stat status {};
  if (!file || (::fstat(file->get(), &status) == 0 && S_ISDIR(status.st_mode)))
    return std::nullopt;
  return read_file(*file, limit);
}

/// The form of a file follows from its name: an old .dockercfg is the bare map of registries.
DockerConfig parse_named(const std::string& text, const std::string& path) {
  if (trim(text).empty())
    return DockerConfig::parse("{}", path);
  if (!path.ends_with(".dockercfg"))
    return DockerConfig::parse(text, path);
  auto map = within([&] { return Json::parse(text); }, "{}", path);
  if (!map.is_object() || map.find("auths") != nullptr)
    return DockerConfig::parse(text, path);
  auto document = Json::object();
  document.set("auths", std::move(map));
  return DockerConfig::parse(document.compact(), path);
}

/// A single value in a file; editors and `echo` end it with a line feed.
std::string single_value(std::string text) {
  if (text.ends_with('\n'))
    text.pop_back();
  if (text.ends_with('\r'))
    text.pop_back();
  return text;
}

std::optional<Credential> load_login(FdRef directory, const std::string& path) {
  const auto username = read_optional(directory, "username", max_login);
  const auto password = read_optional(directory, "password", max_login);
  if (!username || !password)
    return std::nullopt;
  Credential login;
  login.username = single_value(*username);
  login.password = single_value(*password);
  login.source = path;
  for (const auto* name : {"registry", "server"})
    if (const auto text = read_optional(directory, name, max_login); text && login.key.empty())
      login.key = trim(*text);
  return login;
}

} // namespace

std::optional<DockerConfig> load_docker_config(const std::string& path) {
  const auto text =
      within([&] { return read_optional(current_directory(), path, max_config); }, "{}", path);
  return text ? std::optional(parse_named(*text, path)) : std::nullopt;
}

std::optional<MountedCredentials> load_mounted_credentials(const std::string& directory) {
  const auto folder = try_open_at(current_directory(), directory, O_RDONLY | O_DIRECTORY);
  if (!folder)
    return std::nullopt;
  MountedCredentials found;
  for (const auto* name : {".dockercfg", ".dockerconfigjson", "config.json"}) {
    const auto path = directory + "/" + name;
    const auto text = within([&] { return read_optional(*folder, name, max_config); }, "{}", path);
    if (text)
      found.configs.push_back(parse_named(*text, path));
  }
  found.login = within([&] { return load_login(*folder, directory); }, "{}", directory);
  return found;
}

} // namespace cairn
