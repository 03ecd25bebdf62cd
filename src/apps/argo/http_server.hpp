#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace cairn {

/// A request as a server sees it.
struct HttpQuery {
  std::string method;
  std::string path;          ///< Without a query.
  std::string authorization; ///< The header; "" without one.
  std::string body;
};

struct HttpReply {
  int status = 200;
  std::string body; ///< JSON, or a line of text when it is no success.
};

/// A small server on the loopback interface. One thread serves all requests, so that handlers must
/// be quick; what takes its time is asked for again until it is there.
class HttpServer {
public:
  /// The reply; nothing: ask again soon. `waited` is how long the client has been waiting.
  using Handler = std::function<std::optional<HttpReply>(const HttpQuery& query,
                                                         std::chrono::milliseconds waited)>;

  /// Listens on 127.0.0.1. Port 0 takes any that is free. @throws Error
  HttpServer(std::uint16_t port, Handler handler);
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  ~HttpServer();

  std::uint16_t port() const;
  /// Serves until `stop`, which is looked at several times a second, returns true.
  void run(const std::function<bool()>& stop);

private:
  struct State;
  std::unique_ptr<State> state_;
};

} // namespace cairn
