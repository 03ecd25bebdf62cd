#pragma once

#include "context/git/git_address.hpp"
#include "context/git/git_services.hpp"
#include "context/git/git_wire.hpp"
#include "net/tcp.hpp"
#include "util/progress.hpp"

#include <memory>

namespace cairn {

/// "git-upload-pack" over ssh, with keys of an agent alone. `progress` is borrowed.
std::unique_ptr<GitWire> make_ssh_wire(const GitAddress& address, const SshAccess& access,
                                       const TcpOptions& options, Progress& progress);

} // namespace cairn
