#include "context/git/git_daemon.hpp"

#include "util/error.hpp"

#include <fmt/core.h>

namespace cairn {

namespace {

constexpr std::string_view daemon_port = "9418";

class DaemonStream final : public GitStream {
public:
  explicit DaemonStream(TcpConnection connection) : connection_(std::move(connection)) {}

  std::size_t read(std::span<std::byte> buffer) override { return connection_.read(buffer); }
  void write(std::span<const std::byte> bytes) override { connection_.write(bytes); }

private:
  TcpConnection connection_;
};

class DaemonWire final : public GitWire {
public:
  DaemonWire(const GitAddress& address, const TcpOptions& options)
      : address_(address), options_(options) {}

  std::unique_ptr<GitStream> open(Ask) override {
    TcpConnection connection(address_.machine(),
                             address_.port.empty() ? std::string(daemon_port) : address_.port,
                             options_);
    // As for ssh, "/~user" is a user's home.
    const auto path = address_.path.starts_with("/~") ? address_.path.substr(1) : address_.path;
    auto request = "git-upload-pack " + path;
    request += '\0';
    request += "host=" + address_.authority();
    request += '\0';
    constexpr std::size_t longest = 65000;
    if (request.size() > longest)
      throw Error("{}: the address is too long", address_.host);
    const auto line = fmt::format("{:04x}{}", request.size() + 4, request);
    connection.write(std::as_bytes(std::span(line)));
    return std::make_unique<DaemonStream>(std::move(connection));
  }

  bool is_stateless() const noexcept override { return false; }

private:
  GitAddress address_;
  TcpOptions options_;
};

} // namespace

std::unique_ptr<GitWire> make_daemon_wire(const GitAddress& address, const TcpOptions& options) {
  return std::make_unique<DaemonWire>(address, options);
}

} // namespace cairn
