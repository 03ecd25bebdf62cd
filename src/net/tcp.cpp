#include "net/tcp.hpp"

#include "net/http.hpp"
#include "util/cancelled.hpp"
#include "util/error.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <memory>

namespace cairn {

namespace {

using SteadyClock = std::chrono::steady_clock;

/// How long a wait may miss that the build was told to end.
constexpr int look_around_ms = 100;

struct AddressCloser {
  void operator()(addrinfo* list) const noexcept { ::freeaddrinfo(list); }
};
using AddressList = std::unique_ptr<addrinfo, AddressCloser>;

AddressList addresses_of(const std::string& machine, const std::string& port) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  if (const int code = ::getaddrinfo(machine.c_str(), port.c_str(), &wanted, &list); code != 0)
    throw TemporaryError("could not resolve the host: {}", ::gai_strerror(code));
  return AddressList(list);
}

short events_of(TcpConnection::Ready ready) {
  switch (ready) {
  case TcpConnection::Ready::read:
    return POLLIN;
  case TcpConnection::Ready::write:
    return POLLOUT;
  case TcpConnection::Ready::either:
    break;
  }
  return POLLIN | POLLOUT;
}

/// The errno of a connect(2) that has ended.
int connect_result(FdRef fd) {
  int error = 0;
  socklen_t size = sizeof error;
  return ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

} // namespace

TcpConnection::TcpConnection(const std::string& machine, const std::string& port,
                             TcpOptions options)
    : place_(machine + ":" + port), options_(options) {
  const auto list = within([&] { return addresses_of(machine, port); }, "{}", place_);
  int last = EHOSTUNREACH;
  for (const auto* at = list.get(); at != nullptr; at = at->ai_next) {
    const auto scope = address_scope(*at->ai_addr);
    if (options_.led_from && !may_lead(*options_.led_from, scope))
      throw Error("{}: refused, the server that leads there must not lead to {}", place_,
                  scope_words(scope));
    fd_ = Fd(::socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, at->ai_protocol));
    if (!fd_) {
      last = errno;
      continue;
    }
    if (::connect(fd_.get(), at->ai_addr, at->ai_addrlen) == 0)
      return;
    last = errno;
    if (last == EINPROGRESS) {
      wait(Ready::write, options_.connect_timeout);
      last = connect_result(fd_);
    }
    if (last == 0) {
      const int yes = 1;
      ::setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
      return;
    }
  }
  throw TemporaryError("{}: connect: {}", place_, std::generic_category().message(last));
}

bool TcpConnection::is_cancelled() const noexcept {
  return (options_.cancel != nullptr && *options_.cancel) ||
         (options_.stop != nullptr && *options_.stop);
}

void TcpConnection::wait(Ready ready) {
  wait(ready, options_.stall_timeout);
}

void TcpConnection::wait(Ready ready, std::chrono::seconds limit) {
  const auto end = SteadyClock::now() + limit;
  pollfd what{fd_.get(), events_of(ready), 0};
  for (;;) {
    if (is_cancelled())
      throw Cancelled("{}: interrupted", place_);
    const int count = ::poll(&what, 1, look_around_ms);
    if (count > 0)
      return;
    if (count < 0 && errno != EINTR)
      throw SysError(errno, "{}: wait", place_);
    if (SteadyClock::now() > end)
      throw TemporaryError("{}: nothing moved for {} seconds", place_, limit.count());
  }
}

void TcpConnection::shut_down() noexcept {
  ::shutdown(fd_.get(), SHUT_RDWR);
}

std::size_t TcpConnection::read(std::span<std::byte> buffer) {
  for (;;) {
    const auto count = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
    if (count >= 0)
      return static_cast<std::size_t>(count);
    if (errno != EAGAIN && errno != EINTR)
      throw TemporaryError("{}: read: {}", place_, std::generic_category().message(errno));
    wait(Ready::read);
  }
}

void TcpConnection::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const auto count = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(count));
      continue;
    }
    if (errno != EAGAIN && errno != EINTR)
      throw TemporaryError("{}: write: {}", place_, std::generic_category().message(errno));
    wait(Ready::write);
  }
}

} // namespace cairn
