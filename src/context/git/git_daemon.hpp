#pragma once

#include "context/git/git_address.hpp"
#include "context/git/git_wire.hpp"
#include "net/tcp.hpp"

#include <memory>

namespace cairn {

/// git://, the protocol of git-daemon(1): nothing is encrypted, nobody proves who they are.
std::unique_ptr<GitWire> make_daemon_wire(const GitAddress& address, const TcpOptions& options);

} // namespace cairn
