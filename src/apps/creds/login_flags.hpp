#pragma once

#include "apps/creds/flag_table.hpp"

namespace cairn {

/// --registry begins a login; those that follow it say who, and with what. Passwords come from
/// variables, files and stdin, never from the command line. Each: @throws Error

void begin_login(CredsDraft& draft, const FlagValue& registry);
void set_login_user(CredsDraft& draft, const FlagValue& name);
void set_login_user_variable(CredsDraft& draft, const FlagValue& variable);
void set_login_user_file(CredsDraft& draft, const FlagValue& path);
void set_login_password_variable(CredsDraft& draft, const FlagValue& variable);
void set_login_password_file(CredsDraft& draft, const FlagValue& path);
void set_login_password_stdin(CredsDraft& draft, const FlagValue& is_wanted);

/// That every login has both. @throws Error
void check_logins(const CredsDraft& draft);

/// "UID[:GID]", decimal; without a group that of the same number. @throws Error
FileOwner parse_owner(const std::string& text);

} // namespace cairn
