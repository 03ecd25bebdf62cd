#include "support/loopback_server.hpp"

#include "util/error.hpp"
#include "util/text.hpp"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>

namespace cairn {

namespace {

bool is_complete(const std::string& request) {
  const auto head = request.find("\r\n\r\n");
  if (head == std::string::npos)
    return false;
  if (request.find("chunked") < head)
    return request.ends_with("0\r\n\r\n");
  const auto length = request.find("Content-Length: ");
  if (length >= head)
    return true;
  const auto text = request.substr(length + 16, request.find('\r', length) - length - 16);
  return request.size() >= head + 4 + parse_unsigned(text).value_or(0);
}

} // namespace

LoopbackServer::LoopbackServer(std::string answer, After after)
    : answer_(std::move(answer)), after_(after),
      listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* any = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof address;
  if (::bind(listener_.get(), any, size) != 0 || ::listen(listener_.get(), 64) != 0 ||
      ::getsockname(listener_.get(), any, &size) != 0)
    throw SysError(errno, "listen on the loopback interface");
  port_ = ntohs(address.sin_port);
  thread_ = std::jthread([this] { serve(); });
}

LoopbackServer::~LoopbackServer() {
  ending_ = true;
}

std::string LoopbackServer::url(const std::string& path) const {
  return "http://127.0.0.1:" + std::to_string(port_) + path;
}

std::string LoopbackServer::request() const {
  const std::lock_guard lock(mutex_);
  return request_;
}

void LoopbackServer::serve() {
  constexpr int tick_ms = 20;
  while (!ending_) {
    pollfd waiting{listener_.get(), POLLIN, 0};
    if (::poll(&waiting, 1, tick_ms) <= 0)
      continue;
    const Fd connection(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!connection)
      continue;
    ++connections_;
    while (answer_one(connection) && after_ == After::serve && !ending_) {
    }
  }
}

bool LoopbackServer::answer_one(const Fd& connection) {
  constexpr int tick_ms = 20;
  std::string request;
  std::array<char, 65536> buffer{};
  while (!ending_ && !is_complete(request)) {
    pollfd waiting{connection.get(), POLLIN, 0};
    if (::poll(&waiting, 1, tick_ms) <= 0)
      continue;
    const auto count = ::recv(connection.get(), buffer.data(), buffer.size(), 0);
    if (count <= 0)
      break;
    request.append(buffer.data(), static_cast<std::size_t>(count));
    // Not HTTP: a TLS handshake, which waits for an answer.
    if (request[0] == '\x16')
      break;
  }
  if (request.empty())
    return false;
  {
    const std::lock_guard lock(mutex_);
    request_ = request;
  }
  std::size_t sent = 0;
  while (sent < answer_.size()) {
    const auto count =
        ::send(connection.get(), answer_.data() + sent, answer_.size() - sent, MSG_NOSIGNAL);
    if (count <= 0)
      return false;
    sent += static_cast<std::size_t>(count);
  }
  while (after_ == After::wait && !ending_)
    std::this_thread::sleep_for(std::chrono::milliseconds(tick_ms));
  if (after_ == After::cut_next)
    cut_body(connection);
  return true;
}

void LoopbackServer::cut_body(const Fd& connection) const {
  constexpr int tick_ms = 20;
  std::string request;
  std::array<char, 4096> buffer{};
  // The rest stays unread, so that the connection is reset.
  for (auto head = request.npos; head == request.npos || request.size() <= head + 4;
       head = request.find("\r\n\r\n")) {
    pollfd next{connection.get(), POLLIN, 0};
    while (!ending_ && ::poll(&next, 1, tick_ms) <= 0)
      continue;
    const auto count = ending_ ? 0 : ::recv(connection.get(), buffer.data(), buffer.size(), 0);
    if (count <= 0)
      return;
    request.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

} // namespace cairn
