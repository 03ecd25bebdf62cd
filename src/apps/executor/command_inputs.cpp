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

bool is_address(std::string_view text) {
  const auto part_of_address = [](char c) {
    return std::isxdigit(static_cast<unsigned char>(c)) != 0 || c == '.' || c == ':';
  };
  return !text.empty() && std::all_of(text.begin(), text.end(), part_of_address);
}

} // namespace

void add_secret(ParsedExecutorFlags& given, const FlagValue& value) {
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
  for (const auto& other : given.secrets)
    if (other.id == secret.id)
      throw Error("id={}: given twice", secret.id);
  given.secrets.push_back(std::move(secret));
}

void add_agent(ParsedExecutorFlags& given, const FlagValue& value) {
  const auto parts = cut(value.text(), '=');
  const std::string id(parts ? parts->first : std::string_view(value.text()));
  const std::string path(parts ? parts->second : std::string_view());
  if (id.empty())
    throw Error("'{}' is not ID[=SOCKET]", value.text());
  if (!given.command.build.commands.agents.emplace(id, path).second)
    throw Error("{}: given twice", id);
}

void add_host(ParsedExecutorFlags& given, const FlagValue& value) {
  // Docker takes both NAME:ADDRESS and NAME=ADDRESS, addresses of IPv6 in brackets or not.
  const auto& text = value.text();
  const auto end = text.find_first_of(":=");
  const auto name = text.substr(0, end);
  auto address = end == std::string::npos ? "" : text.substr(end + 1);
  if (address.size() > 2 && address.front() == '[' && address.back() == ']')
    address = address.substr(1, address.size() - 2);
  if (name.empty() || name.find_first_of(" \t\n#") != std::string::npos || !is_address(address))
    throw Error("'{}' is not NAME:ADDRESS", text);
  given.command.build.commands.hosts.emplace_back(name, address);
}

void resolve_commands(ParsedExecutorFlags& given, const ProcessEnvironment& environment) {
  auto& build = given.command.build;
  for (const auto& secret : given.secrets)
    build.commands.secrets[secret.id] =
        within([&] { return read_secret(secret, environment); }, "--secret: id={}", secret.id);
  for (auto& [id, path] : build.commands.agents) {
    if (path.empty())
      path = environment.text("SSH_AUTH_SOCK");
    if (path.empty())
      throw Error("--ssh={}: SSH_AUTH_SOCK is not set, and no socket is given", id);
  }
  if (!given.hostname.empty())
    build.commands.hostname = given.hostname;
  for (const auto& [name, value] : build.language.build_args)
    if (name == "BUILDKIT_SANDBOX_HOSTNAME" && !value.empty())
      build.commands.hostname = value;
}

} // namespace cairn
