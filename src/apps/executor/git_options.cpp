#include "apps/executor/git_options.hpp"

#include "util/error.hpp"
#include "util/file.hpp"
#include "util/text.hpp"

#include <fcntl.h>

namespace cairn {

namespace {

constexpr std::uint64_t max_known_hosts = std::uint64_t{4} << 20;

/// As ssh does, or what SSH_KNOWN_HOSTS names, which has the last word then.
void read_known_hosts(CommandOptions& options, const ProcessEnvironment& environment) {
  if (const auto names = environment.text("SSH_KNOWN_HOSTS"); !names.empty()) {
    options.unknown_hosts = SshAccess::UnknownHosts::refuse;
    for (const auto& name : split(names, ':'))
      options.known_hosts +=
          within([&] { return read_file(current_directory(), name, max_known_hosts); },
                 "SSH_KNOWN_HOSTS") +
          "\n";
    return;
  }
  for (const auto& name :
       {environment.text("HOME") + "/.ssh/known_hosts", std::string("/etc/ssh/ssh_known_hosts")})
    if (const auto file = try_open_at(current_directory(), name, O_RDONLY | O_NONBLOCK))
      options.known_hosts += read_file(*file, max_known_hosts) + "\n";
}

} // namespace

void add_git_options(ParsedExecutorFlags& given, const FlagValue& value) {
  auto& git = given.command.build.context.git;
  for (const auto& field : split(value.text(), ',')) {
    const auto parts = FlagValue(field).name_value();
    const auto& key = parts.first;
    const FlagValue option(parts.second);
    const auto boolean = [&] { return within([&] { return option.boolean(); }, "{}", key); };
    if (key == "branch")
      git.branch = parts.second;
    else if (key == "recurse-submodules")
      git.submodules = boolean();
    else if (key == "insecure-skip-tls")
      git.verify = boolean() ? TlsVerify::none : TlsVerify::full;
    else if (key == "single-branch")
      boolean(); // nothing else is ever fetched
    else if (key == "depth")
      within([&] { return option.count(); }, "{}", key); // as little as the server gives
    else
      given.command.warnings.push_back(
          "--git: unknown option '" + key + "'" +
          did_you_mean(key, {"branch", "recurse-submodules", "insecure-skip-tls", "single-branch",
                             "depth"}));
  }
}

void resolve_git(ParsedExecutorFlags& given, const ProcessEnvironment& environment) {
  auto& git = given.command.build.context.git;
  if (const auto method = environment.text("GIT_PULL_METHOD"); !method.empty()) {
    if (method != "https" && method != "http" && method != "git")
      throw Error("GIT_PULL_METHOD: '{}' is none of https, http, git", method);
    git.pull_method = method;
  }
  if (const auto token = environment.text("GIT_TOKEN"); !token.empty()) {
    git.username = token;
    git.login_source = "GIT_TOKEN";
  } else if (const auto user = environment.text("GIT_USERNAME"); !user.empty()) {
    git.username = user;
    git.password = environment.text("GIT_PASSWORD");
    git.login_source = "GIT_USERNAME and GIT_PASSWORD";
  }
  if (given.command.build.commands.agents.contains("default"))
    read_known_hosts(given.command.build.commands, environment);
}

} // namespace cairn
