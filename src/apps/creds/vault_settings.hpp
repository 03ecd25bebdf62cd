#pragma once

#include "apps/creds/flag_table.hpp"

namespace cairn {

/// Fills in how Vault is reached from the environment (VAULT_ADDR, VAULT_NAMESPACE, VAULT_TOKEN,
/// VAULT_CACERT, VAULT_SKIP_VERIFY), and reads the token to log in with. Does nothing when no
/// secret of Vault's is wanted. @throws Error
void settle_vault(CredsDraft& draft);

} // namespace cairn
