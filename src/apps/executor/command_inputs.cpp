#include "apps/executor/command_inputs.hpp"

#include "util/error.hpp"
#include "util/file.hpp"
#include "util/text.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cctype>

namespace cairn {

namespace {

/// As BuildKit has it.
constexpr std::uint64_t max_secret = std::uint64_t{500} << 10;

/// The value of a secret, wherever it comes from.
std::string read_secret(const SecretFlag& secret, const ProcessEnvironment& environment) {
  const bool by_variable = !secret.variable.empty();
  const auto& variable = by_variable ? secret.variable : secret.id;
  if (by_variable || (secret.file.empty() && secret.kind != SecretFlag::Kind::file)) {
    if (auto value = environment.find(variable))
      return *std::move(value);
    if (by_variable || secret.kind == SecretFlag::Kind::variable)
      throw Error("the variable '{}' is not set", variable);
  }
  const auto& path = secret.file.empty() ? secret.id : secret.file;
  const auto file = try_open_at(current_directory(), path, O_RDONLY);
  if (!file)
    throw with_hint(Error("there is no file '{}'", path),
                    secret.file.empty() ? "src=FILE or env=VARIABLE says where the secret is" : "");
  return read_file(*file, max_secret);
}

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

bool is_address(std::string_view text) {
  const auto part_of_address = [](char c) {
    return std::isxdigit(static_cast<unsigned char>(c)) != 0 || c == '.' || c == ':';
  };
  return !text.empty() && std::all_of(text.begin(), text.end(), part_of_address);
}

} // namespace

void add_secret(ExecutorDraft& draft, const FlagValue& value) {
  SecretFlag secret;
  for (const auto& field : split(value.text(), ',')) {
    const auto parts = cut(field, '=');
    if (!parts)
      throw Error("'{}' is not KEY=VALUE", field);
    const auto& [key, text] = *parts;
    if (key == "id")
      secret.id = text;
    else if (key == "src" || key == "source")
      secret.file = text;
    else if (key == "env")
      secret.variable = text;
    else if (key == "type" && (text == "file" || text == "env"))
      secret.kind = text == "file" ? SecretFlag::Kind::file : SecretFlag::Kind::variable;
    else if (key == "type")
      throw Error("type={}: must be file or env", text);
    else
      throw Error("unknown key '{}'{}", key,
                  did_you_mean(key, {"id", "src", "source", "env", "type"}));
  }
  if (secret.id.empty())
    throw Error("it needs an id");
  if (!secret.file.empty() && !secret.variable.empty())
    throw Error("id={}: a secret is in a file or in a variable, not both", secret.id);
  if (secret.kind == SecretFlag::Kind::variable && secret.variable.empty())
    std::swap(secret.file, secret.variable); // buildx: src names the variable then
  for (const auto& other : draft.secrets)
    if (other.id == secret.id)
      throw Error("id={}: given twice", secret.id);
  draft.secrets.push_back(std::move(secret));
}

void add_agent(ExecutorDraft& draft, const FlagValue& value) {
  const auto parts = cut(value.text(), '=');
  const std::string id(parts ? parts->first : std::string_view(value.text()));
  const std::string path(parts ? parts->second : std::string_view());
  if (id.empty())
    throw Error("'{}' is not ID[=SOCKET]", value.text());
  if (!draft.command.build.commands.agents.emplace(id, path).second)
    throw Error("{}: given twice", id);
}

void add_host(ExecutorDraft& draft, const FlagValue& value) {
  // Docker takes both NAME:ADDRESS and NAME=ADDRESS, addresses of IPv6 in brackets or not.
  const auto& text = value.text();
  const auto end = text.find_first_of(":=");
  const auto name = text.substr(0, end);
  auto address = end == std::string::npos ? "" : text.substr(end + 1);
  if (address.size() > 2 && address.front() == '[' && address.back() == ']')
    address = address.substr(1, address.size() - 2);
  if (name.empty() || name.find_first_of(" \t\n#") != std::string::npos || !is_address(address))
    throw Error("'{}' is not NAME:ADDRESS", text);
  draft.command.build.commands.hosts.emplace_back(name, address);
}

void add_git_options(ExecutorDraft& draft, const FlagValue& value) {
  auto& git = draft.command.build.context.git;
  for (const auto& field : split(value.text(), ',')) {
    const auto [key, text] = FlagValue(field).name_value();
    const FlagValue option(text);
    const auto boolean = [&] { return within([&] { return option.boolean(); }, "{}", key); };
    if (key == "branch")
      git.branch = text;
    else if (key == "recurse-submodules")
      git.submodules = boolean();
    else if (key == "insecure-skip-tls")
      git.verify = boolean() ? TlsVerify::none : TlsVerify::full;
    else if (key == "single-branch")
      boolean(); // nothing else is ever fetched
    else if (key == "depth")
      within([&] { return option.count(); }, "{}", key); // as little as the server gives
    else
      draft.command.warnings.push_back(
          "--git: unknown option '" + key + "'" +
          did_you_mean(key, {"branch", "recurse-submodules", "insecure-skip-tls", "single-branch",
                             "depth"}));
  }
}

void settle_git(ExecutorDraft& draft, const ProcessEnvironment& environment) {
  auto& git = draft.command.build.context.git;
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
  if (draft.command.build.commands.agents.contains("default"))
    read_known_hosts(draft.command.build.commands, environment);
}

void settle_commands(ExecutorDraft& draft, const ProcessEnvironment& environment) {
  auto& build = draft.command.build;
  for (const auto& secret : draft.secrets)
    build.commands.secrets[secret.id] =
        within([&] { return read_secret(secret, environment); }, "--secret: id={}", secret.id);
  for (auto& [id, path] : build.commands.agents) {
    if (path.empty())
      path = environment.text("SSH_AUTH_SOCK");
    if (path.empty())
      throw Error("--ssh={}: SSH_AUTH_SOCK is not set, and no socket is given", id);
  }
  if (!draft.hostname.empty())
    build.commands.hostname = draft.hostname;
  for (const auto& [name, value] : build.language.build_args)
    if (name == "BUILDKIT_SANDBOX_HOSTNAME" && !value.empty())
      build.commands.hostname = value;
}

} // namespace cairn
