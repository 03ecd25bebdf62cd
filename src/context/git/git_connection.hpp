#pragma once

#include "context/git/git_id.hpp"
#include "context/git/git_wire.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace cairn {

/// A name that a server offers, in the order it does: "HEAD", "refs/heads/main", "refs/tags/v1",
/// and "refs/tags/v1^{}" for what an annotated tag is about.
struct GitHead {
  std::string name;
  GitId id;
};

enum class GitDepth { tip, everything };

/// A server's end of a fetch into the repository in a directory. `wire` is borrowed. A server that
/// sends without end is cut off. Not thread-safe.
class GitConnection {
public:
  /// Asks for the heads. `name` is what messages call the remote; `is_cancelled` ends a transfer.
  /// @throws Error, and what `wire` throws
  GitConnection(const std::string& repository, GitWire& wire, std::string name,
                std::function<bool()> is_cancelled);
  GitConnection(const GitConnection&) = delete;
  GitConnection& operator=(const GitConnection&) = delete;
  ~GitConnection();

  GitHash hash() const noexcept;
  const std::vector<GitHead>& heads() const noexcept;
  /// Brings heads into the repository, which must be of the same hash; "refs/heads/*" are all
  /// branches. Of a server that cannot leave out their history it comes along.
  void fetch(const std::vector<std::string>& names, GitDepth depth);
  /// Brings one commit without its parents. False when the server has none of that name or gives
  /// its heads alone; the connection is of no use then.
  bool fetch_commit(const GitId& id);

private:
  struct State;
  std::unique_ptr<State> state_;
};

} // namespace cairn
