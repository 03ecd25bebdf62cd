#pragma once

#include "util/fd.hpp"

#include <atomic>
#include <mutex>
#include <string>
#include <thread>

namespace cairn {

/// Sends the same bytes in answer to every request on a port of the loopback interface. An answer
/// is sent when the head of a request and as much of its body as Content-Length says have come, or
/// the last chunk.
class LoopbackServer {
public:
  /// What happens to a connection after an answer.
  enum class After {
    close,
    wait,
    serve,   ///< The next request is answered.
    cut_next ///< The connection breaks in the middle of the next request's body.
  };

  explicit LoopbackServer(std::string answer, After after = After::close);
  LoopbackServer(const LoopbackServer&) = delete;
  LoopbackServer& operator=(const LoopbackServer&) = delete;
  ~LoopbackServer();

  std::string url(const std::string& path) const;
  /// The last request, head and body as they came.
  std::string request() const;
  int connections() const noexcept { return connections_; }

private:
  void serve();
  /// False when there was no request any more.
  bool answer_one(const Fd& connection);
  void cut_body(const Fd& connection) const;

  std::string answer_;
  After after_;
  Fd listener_;
  int port_ = 0;
  std::atomic<bool> ending_ = false;
  std::atomic<int> connections_ = 0;
  mutable std::mutex mutex_;
  std::string request_;
  std::jthread thread_;
};

} // namespace cairn
