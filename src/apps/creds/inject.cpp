#include "apps/creds/actions.hpp"
#include "apps/shared/http_settings.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

#include <algorithm>

namespace cairn {

namespace {

constexpr const char* config_name = "config.json";

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' ||
         c == '.' || c == '_' || c == '-' || c == ':' || c == '@' || c == '+' || c == ',';
}

/// As a POSIX shell reads it.
std::string quoted(const std::string& text) {
  if (std::all_of(text.begin(), text.end(), is_plain))
    return text;
  std::string out = "'";
  for (const char c : text)
    out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

/// A path's folder and last name.
std::pair<std::string, std::string> split_path(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos)
    return {".", path};
  return {slash == 0 ? "/" : path.substr(0, slash), path.substr(slash + 1)};
}

void tell(const ConfigMerge& merge, const std::string& path, Progress& progress) {
  const auto entries = merge.entries();
  for (const auto& entry : entries)
    progress.info("{}: {} of {}", printable(entry.key), entry.who, entry.source);
  for (const auto& entry : entries)
    if (entry.key == "every registry" && entries.size() > 1)
      progress.warn("\"credsStore\" is asked before other entries: programs other than Cairn may "
                    "not see them");
  if (entries.empty())
    progress.warn("no credentials were found; {} has none", path);
  else
    progress.info("{} written", path);
}

} // namespace

std::string environment_lines(const std::string& folder) {
  return "DOCKER_CONFIG=" + quoted(folder) +
         "\nREGISTRY_AUTH_FILE=" + quoted(folder + "/" + config_name) + "\n";
}

void inject(const InjectCommand& command, const ProcessEnvironment& environment,
            StandardStreams streams, const std::atomic<bool>& cancel) {
  const auto log = make_log(command.log, streams.err);
  const auto http = make_http(http_options(environment, cancel, log.get()));
  const CloudAccess clouds(*http, environment, cancel);
  const auto providers = clouds.providers(all_credential_helpers());
  ConfigMerge merge(*log);
  collect_credentials(merge, command.sources, {*http, providers, environment, *log});
  const auto text = merge.document().pretty() + "\n";
  write_credential_file(command.folder, config_name, text, *log);
  tell(merge, command.folder.path + "/" + config_name, *log);
  if (!command.auth_file.empty()) {
    auto copy = command.folder;
    const auto [folder, name] = split_path(command.auth_file);
    copy.path = folder;
    write_credential_file(copy, name, text, *log);
    log->info("{} written", command.auth_file);
  }
  if (command.print == PrintEnvironment::yes)
    print(streams.out, environment_lines(command.folder.path));
}

void erase(const EraseCommand& command, StandardStreams streams) {
  const auto remove = [&](const std::string& folder, const std::string& name) {
    const bool was_there = erase_credential_file(folder, name);
    print(streams.err,
          fmt::format("{}/{} {}\n", folder, name, was_there ? "removed" : "was not there"));
  };
  remove(command.directory, config_name);
  if (command.auth_file.empty())
    return;
  const auto [folder, name] = split_path(command.auth_file);
  remove(folder, name);
}

} // namespace cairn
