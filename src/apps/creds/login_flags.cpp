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

Credential& last_login(CredsDraft& draft) {
  if (draft.inject.sources.logins.empty())
    throw Error("it follows the --registry that it is for");
  return draft.inject.sources.logins.back();
}

std::string variable(const CredsDraft& draft, const FlagValue& name) {
  const auto value = draft.environment.find(name.text());
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

void begin_login(CredsDraft& draft, const FlagValue& registry) {
  if (trim(registry.text()).empty())
    throw Error("it needs the name of a registry");
  Credential login;
  login.key = trim(registry.text());
  login.source = "--registry";
  draft.inject.sources.logins.push_back(std::move(login));
}

void set_login_user(CredsDraft& draft, const FlagValue& name) {
  last_login(draft).username = name.text();
}

void set_login_user_variable(CredsDraft& draft, const FlagValue& name) {
  last_login(draft).username = variable(draft, name);
}

void set_login_user_file(CredsDraft& draft, const FlagValue& path) {
  last_login(draft).username = file(path);
}

void set_login_password_variable(CredsDraft& draft, const FlagValue& name) {
  last_login(draft).password = variable(draft, name);
}

void set_login_password_file(CredsDraft& draft, const FlagValue& path) {
  last_login(draft).password = file(path);
}

void set_login_password_stdin(CredsDraft& draft, const FlagValue& is_wanted) {
  if (is_wanted.boolean())
    last_login(draft).password = without_last_newline(read_file(FdRef(STDIN_FILENO), max_secret));
}

void check_logins(const CredsDraft& draft) {
  for (const auto& login : draft.inject.sources.logins)
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
