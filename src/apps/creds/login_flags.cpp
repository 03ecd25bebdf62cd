#include "apps/creds/login_flags.hpp"

#include "apps/shared/streams.hpp"
#include "util/error.hpp"
#include "util/file.hpp"
#include "util/text.hpp"

#include <unistd.h>

#include <limits>

namespace cairn {

namespace {

constexpr std::uint64_t max_secret = std::uint64_t{1} << 18;

Credential& last_login(ParsedCredsFlags& given) {
  if (given.inject.sources.logins.empty())
    throw Error("it follows the --registry that it is for");
  return given.inject.sources.logins.back();
}

std::string variable(const ParsedCredsFlags& given, const FlagValue& name) {
  const auto value = given.environment.find(name.text());
  if (!value || value->empty())
    throw Error("the variable '{}' is not set", name.text());
  return *value;
}

std::string file(const FlagValue& path) {
  auto text = without_last_newline(read_file(current_directory(), path.text(), max_secret));
  if (text.empty())
    throw Error("'{}' is empty", path.text());
  return text;
}

std::uint32_t parse_id(std::string_view text) {
  const auto number = parse_unsigned(text);
  // The last one means "leave it as it is".
  if (!number || *number >= std::numeric_limits<std::uint32_t>::max())
    throw Error("'{}' is not the number of a user or group", text);
  return static_cast<std::uint32_t>(*number);
}

} // namespace

void begin_login(ParsedCredsFlags& given, const FlagValue& registry) {
  if (trim(registry.text()).empty())
    throw Error("it needs the name of a registry");
  Credential login;
  login.key = trim(registry.text());
  login.source = "--registry";
  given.inject.sources.logins.push_back(std::move(login));
}

void set_login_user(ParsedCredsFlags& given, const FlagValue& name) {
  last_login(given).username = name.text();
}

void set_login_user_variable(ParsedCredsFlags& given, const FlagValue& name) {
  last_login(given).username = variable(given, name);
}

void set_login_user_file(ParsedCredsFlags& given, const FlagValue& path) {
  last_login(given).username = file(path);
}

void set_login_password_variable(ParsedCredsFlags& given, const FlagValue& name) {
  last_login(given).password = variable(given, name);
}

void set_login_password_file(ParsedCredsFlags& given, const FlagValue& path) {
  last_login(given).password = file(path);
}

void set_login_password_stdin(ParsedCredsFlags& given, const FlagValue& is_wanted) {
  if (is_wanted.boolean())
    last_login(given).password = without_last_newline(read_file(FdRef(STDIN_FILENO), max_secret));
}

void check_logins(const ParsedCredsFlags& given) {
  for (const auto& login : given.inject.sources.logins)
    if (login.username.empty() || login.password.empty())
      throw with_hint(Error("--registry={}: it lacks a {}", login.key,
                            login.username.empty() ? "user" : "password"),
                      "--username, --username-env or --username-file; --password-env, "
                      "--password-file or --password-stdin");
}

FileOwner parse_owner(const std::string& text) {
  const auto parts = cut(text, ':');
  const auto uid = parse_id(parts ? parts->first : text);
  return {uid, parts ? parse_id(parts->second) : uid};
}

} // namespace cairn
