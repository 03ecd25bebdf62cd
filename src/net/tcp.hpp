#pragma once

#include "net/address_scope.hpp"
#include "util/fd.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>

namespace cairn {

struct TcpOptions {
  std::chrono::seconds connect_timeout{20};
  /// A connection on which no byte moves for this long is given up.
  std::chrono::seconds stall_timeout{60};
  /// End every wait when one of them becomes true; borrowed, either may be none.
  const std::atomic<bool>* cancel = nullptr;
  const std::atomic<bool>* stop = nullptr;
  /// Who named the machine, when the user did not (Request::led_from in net/http.hpp).
  std::optional<AddressScope> led_from = std::nullopt;
};

/// A connection for protocols that are not HTTP. Not thread-safe.
class TcpConnection {
public:
  /// `machine` is a name or an address, without brackets. @throws TemporaryError when nothing
  /// answers there; Cancelled
  TcpConnection(const std::string& machine, const std::string& port, TcpOptions options);

  /// At least one byte; 0 is the end. @throws TemporaryError, Cancelled
  std::size_t read(std::span<std::byte> buffer);
  /// @throws TemporaryError, Cancelled
  void write(std::span<const std::byte> bytes);

  enum class Ready { read, write, either };
  /// For libraries that use the descriptor, which does not block. @throws TemporaryError, Cancelled
  void wait(Ready ready);
  FdRef fd() const noexcept { return fd_; }
  /// Ends it in both directions: nothing is to be waited for any more.
  void shut_down() noexcept;

private:
  void wait(Ready ready, std::chrono::seconds limit);
  bool is_cancelled() const noexcept;

  std::string place_; ///< "host:port"
  TcpOptions options_;
  Fd fd_;
};

} // namespace cairn
