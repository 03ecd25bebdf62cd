#pragma once

#include "apps/creds/command.hpp"
#include "apps/shared/flag_set.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cairn {

/// How Vault is opened, as flags alone say it.
struct VaultFlags {
  std::vector<std::string> secrets; ///< [REGISTRY=]PATH
  std::string mount = "secret";
  VaultEngine engine = VaultEngine::kv2;
  std::optional<VaultLogin> login;
  std::string role;
  std::string login_path;
  std::string token_file;
  std::string jwt_variable;
  std::string jwt_file;
};

/// A command of cairn-creds as its flags alone describe it.
struct CredsDraft {
  explicit CredsDraft(const ProcessEnvironment& variables) : environment(variables) {}

  const ProcessEnvironment& environment; ///< For flags that name a variable.
  InjectCommand inject;
  CheckCommand check;
  std::string directory; ///< --dir
  VaultFlags vault;
  LogOptions log;
  bool help = false;
};

/// One of the program's commands and its flags.
struct CredsVerb {
  std::string_view name;
  std::string_view usage; ///< What follows the name.
  std::string_view help;  ///< One sentence.
  Flags<CredsDraft> flags;
};

/// inject, check, erase and print-env.
std::vector<CredsVerb> creds_verbs();

} // namespace cairn
