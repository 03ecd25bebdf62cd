#pragma once

#include "util/fd.hpp"

#include <sys/types.h>

#include <memory>
#include <string>

namespace cairn {

/// The socket of an ssh-agent, held open: what happens to its name later changes nothing.
class AgentSocket {
public:
  /// @throws Error when `path` is not a socket that answers
  explicit AgentSocket(const std::string& path);

  /// A name for it that stays its own, for libraries that connect themselves.
  std::string path() const;
  /// A new connection. @throws SysError
  Fd connect() const;

private:
  std::string path_;
  Fd place_;
};

struct SocketLook {
  mode_t mode = 0600;
  uid_t uid = 0;
  gid_t gid = 0;
};

/// A socket that commands talk to instead of the agent's own. It lets them list keys and sign with
/// them (draft-miller-ssh-agent: REQUEST_IDENTITIES and SIGN_REQUEST), and answers anything else
/// with FAILURE: no command can add, remove or lock keys.
class AgentProxy {
public:
  /// Listens at `path`, which must not exist, from a thread of its own. `agent` is borrowed.
  /// @throws SysError
  AgentProxy(const AgentSocket& agent, std::string path, SocketLook look);
  AgentProxy(const AgentProxy&) = delete;
  AgentProxy& operator=(const AgentProxy&) = delete;
  ~AgentProxy(); ///< Ends all connections and removes the socket.

private:
  struct State;
  std::unique_ptr<State> state_;
};

} // namespace cairn
