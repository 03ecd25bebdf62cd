#pragma once

#include "apps/executor/image_command.hpp"

#include <string>
#include <variant>
#include <vector>

namespace cairn {

/// Keeps a credential for later commands.
struct LoginCommand {
  std::string registry; ///< As it was named.
  std::string username;
  std::string password;
  LogOptions log;
  std::vector<std::string> warnings;
};

/// Reads what follows `login`, and the password from stdin when it is there. @throws Error
std::variant<LoginCommand, HelpCommand> parse_login(const std::vector<std::string>& arguments);

std::vector<FlagSpec> login_flag_specs();

/// Stores it in Docker's folder. @throws Error
void run_login(const LoginCommand& command, const ProcessEnvironment& environment,
               Progress& progress);

} // namespace cairn
