#pragma once

#include "apps/creds/parsed_flags.hpp"
#include "apps/shared/flag_set.hpp"

namespace cairn {

/// --registry begins a login; those that follow it say who, and with what. Passwords come from
/// variables, files and stdin, never from the command line. Each: @throws Error

void begin_login(ParsedCredsFlags& given, const FlagValue& registry);
void set_login_user(ParsedCredsFlags& given, const FlagValue& name);
void set_login_user_variable(ParsedCredsFlags& given, const FlagValue& variable);
void set_login_user_file(ParsedCredsFlags& given, const FlagValue& path);
void set_login_password_variable(ParsedCredsFlags& given, const FlagValue& variable);
void set_login_password_file(ParsedCredsFlags& given, const FlagValue& path);
void set_login_password_stdin(ParsedCredsFlags& given, const FlagValue& is_wanted);

/// That every login has both. @throws Error
void check_logins(const ParsedCredsFlags& given);

/// "UID[:GID]", decimal; without a group that of the same number. @throws Error
FileOwner parse_owner(const std::string& text);

} // namespace cairn
