#pragma once

#include "apps/creds/parsed_flags.hpp"
#include "apps/shared/flag_set.hpp"

namespace cairn {

/// Fills in how Vault is reached from the environment (VAULT_ADDR, VAULT_NAMESPACE, VAULT_TOKEN,
/// VAULT_CACERT, VAULT_SKIP_VERIFY), and reads the token to log in with. Does nothing when no
/// secret of Vault's is wanted. @throws Error
void resolve_vault(ParsedCredsFlags& given);

} // namespace cairn
