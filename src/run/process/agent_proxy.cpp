#include "run/process/agent_proxy.hpp"

#include "util/error.hpp"
#include "util/file.hpp"
#include "util/threads.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <optional>
#include <span>
#include <vector>

namespace cairn {

namespace {

constexpr std::byte request_identities{11};
constexpr std::byte sign_request{13};
constexpr std::byte failure{5};

constexpr std::size_t max_message = std::size_t{256} << 10; ///< As OpenSSH has it.
constexpr std::size_t max_connections = 64;

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    throw Error("'{}' is too long for the name of a socket", path);
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

Fd new_socket() {
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd)
    throw SysError(errno, "make a socket");
  return fd;
}

/// A message with its length before it; nothing when the other side is gone.
std::optional<std::vector<std::byte>> read_message(FdRef from) {
  std::array<std::byte, 4> head{};
  if (read_full(from, head) != head.size())
    return std::nullopt;
  std::size_t size = 0;
  for (const auto byte : head)
    size = size << 8 | std::to_integer<std::size_t>(byte);
  if (size == 0 || size > max_message)
    return std::nullopt;
  std::vector<std::byte> message(head.begin(), head.end());
  message.resize(head.size() + size);
  if (read_full(from, std::span(message).subspan(head.size())) != size)
    return std::nullopt;
  return message;
}

void send_all(FdRef to, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const auto count = ::send(to.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      throw SysError(errno, "write to a socket");
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

/// Waits until the agent has something to say; false when the client does not wait any more.
bool await_answer(FdRef agent, FdRef client) {
  std::array<pollfd, 2> waiting{pollfd{agent.get(), POLLIN, 0}, pollfd{client.get(), POLLRDHUP, 0}};
  while (::poll(waiting.data(), waiting.size(), -1) < 0)
    if (errno != EINTR)
      throw SysError(errno, "wait for the ssh-agent");
  return waiting[1].revents == 0;
}

/// Serves one client until it leaves.
void serve(const AgentSocket& socket, FdRef client) {
  Fd agent;
  while (const auto request = read_message(client)) {
    const auto kind = (*request)[4];
    if (kind != request_identities && kind != sign_request) {
      send_all(client, std::array{std::byte{0}, std::byte{0}, std::byte{0}, std::byte{1}, failure});
      continue;
    }
    if (!agent)
      agent = socket.connect();
    send_all(agent, *request);
    const auto answer = await_answer(agent, client) ? read_message(agent) : std::nullopt;
    if (!answer)
      return;
    send_all(client, *answer);
  }
}

/// A client, and the thread that serves it.
struct Connection {
  Connection(const AgentSocket& agent, Fd connected)
      : client(std::move(connected)), thread(start_thread([this, &agent] {
          try {
            serve(agent, client);
          } catch (const std::exception&) {
            // The client sees a connection that ends.
          }
          ::shutdown(client.get(), SHUT_RDWR);
          done = true;
        })) {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() { ::shutdown(client.get(), SHUT_RDWR); }

  Fd client;
  std::atomic<bool> done = false;
  std::jthread thread;
};

} // namespace

AgentSocket::AgentSocket(const std::string& path)
    : path_(path), place_(open_at(current_directory(), path, O_PATH)) {
  struct stat info {};
  if (::fstat(place_.get(), &info) != 0 || !S_ISSOCK(info.st_mode))
    throw with_hint(Error("'{}' is not the socket of an ssh-agent", path),
                    "keys are not read from files: load them into an ssh-agent");
  connect();
}

std::string AgentSocket::path() const {
  return "/proc/self/fd/" + std::to_string(place_.get());
}

Fd AgentSocket::connect() const {
  auto fd = new_socket();
  const auto address = address_of(path());
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    throw SysError(errno, "connect to the ssh-agent at '{}'", path_);
  return fd;
}

struct AgentProxy::State {
  State(const AgentSocket& to, std::string at, SocketLook look)
      : agent(to), path(std::move(at)), listener(new_socket()), end(::eventfd(0, EFD_CLOEXEC)) {
    const auto address = address_of(path);
    if (::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::chown(path.c_str(), look.uid, look.gid) != 0 || ::chmod(path.c_str(), look.mode) != 0 ||
        ::listen(listener.get(), 16) != 0)
      throw SysError(errno, "listen at '{}'", path);
    thread = start_thread([this] { accept(); });
  }

  void accept() {
    std::vector<std::unique_ptr<Connection>> connections;
    for (;;) {
      std::array<pollfd, 2> waiting{pollfd{listener.get(), POLLIN, 0},
                                    pollfd{end.get(), POLLIN, 0}};
      if (::poll(waiting.data(), waiting.size(), -1) < 0 && errno != EINTR)
        return;
      if (waiting[1].revents != 0)
        return;
      if (waiting[0].revents == 0)
        continue;
      Fd client(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
      std::erase_if(connections, [](const auto& each) { return each->done.load(); });
      if (client && connections.size() < max_connections)
        take(connections, std::move(client));
    }
  }

  /// A client for whom there is no thread or memory sees a connection that ends.
  void take(std::vector<std::unique_ptr<Connection>>& connections, Fd client) const {
    try {
      connections.push_back(std::make_unique<Connection>(agent, std::move(client)));
    } catch (const std::exception&) {
      return;
    }
  }

  const AgentSocket& agent;
  std::string path;
  Fd listener;
  Fd end; ///< An eventfd: written to when no more clients are served.
  std::jthread thread;
};

AgentProxy::AgentProxy(const AgentSocket& agent, std::string path, SocketLook look)
    : state_(std::make_unique<State>(agent, std::move(path), look)) {}

AgentProxy::~AgentProxy() {
  constexpr std::uint64_t one = 1;
  // An eventfd takes eight bytes at once or nothing, and has room for them.
  static_cast<void>(::write(state_->end.get(), &one, sizeof one));
  state_->thread.join();
  ::unlink(state_->path.c_str());
}

} // namespace cairn
