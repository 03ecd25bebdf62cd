#pragma once

#include "apps/creds/command.hpp"

#include <optional>
#include <string>
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
struct ParsedCredsFlags {
  explicit ParsedCredsFlags(const ProcessEnvironment& variables) : environment(variables) {}

  const ProcessEnvironment& environment; ///< For flags that name a variable.
  InjectCommand inject;
  CheckCommand check;
  std::string directory; ///< --dir
  VaultFlags vault;
  LogOptions log;
  bool help = false;
};

} // namespace cairn
