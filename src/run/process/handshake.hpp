#pragma once

#include "util/error.hpp"
#include "util/fd.hpp"

#include <climits>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace cairn {

/// The executor and the process that prepares a command talk over a pair of SOCK_SEQPACKET sockets.
/// That process came from a program with many threads without exec, so all it does is
/// async-signal-safe: it takes orders, makes system calls and reports which one failed.

/// What the process was doing. The order is that of the table in handshake.cpp.
enum class SetupStep : std::int32_t {
  acknowledged, ///< An order was carried out.
  finished,     ///< The command has ended; `value` is its wait status.
  create_namespaces,
  map_ids,
  start_process,
  lose_parent,
  private_mounts,
  staging,
  name_layers,
  mount_overlay,
  mount_directory,
  open_root,
  write_file,
  mount_proc,
  mask_proc,
  mount_sys,
  mount_dev,
  make_device,
  bind_mount,
  open_source,
  mount_tmpfs,
  raise_loopback,
  set_hostname,
  pivot,
  connect_streams,
  working_directory,
  capabilities,
  groups,
  gid,
  uid,
  change_root,
  restrict_files,
  filter_calls,
  exec,
  exec_interpreter, ///< The program is there, but what its first line or ELF header names is not.
  trial_whiteout,
  trial_directory,
  trial_owner,
};

/// "mount overlay": what an error message says was being done.
const char* setup_step_text(SetupStep step);

/// A step that is not possible here.
class SetupError final : public SysError {
public:
  SetupError(SetupStep step, int error)
      : SysError(error, "{}", setup_step_text(step)), step_(step) {}
  SetupStep step() const noexcept { return step_; }
  [[noreturn]] void raise() const override { throw SetupError(*this); }

private:
  SetupStep step_;
};

struct SetupReport {
  SetupStep step = SetupStep::acknowledged;
  std::int32_t error = 0; ///< An errno, or 0.
  std::int32_t value = 0;
};

enum class SetupOrder : std::int32_t {
  make_root_filesystem, ///< Namespaces are complete: mount the root, answer with a descriptor of
                        ///< it.
  proc,
  sys,
  dev,
  mount, ///< Mount number `index` of the plan.
  command,
};

/// One order; `target` is a path without links, relative to the new root.
struct OrderMessage {
  SetupOrder order = SetupOrder::make_root_filesystem;
  std::int32_t index = 0;
  char target[PATH_MAX] = {};
};

/// The executor's end.
class Handshake {
public:
  explicit Handshake(Fd socket) : socket_(std::move(socket)) {}

  /// Can be read when there is something to receive.
  FdRef socket() const { return socket_; }

  /// @throws SysError when the other end is gone
  void send(SetupOrder order, const std::string& target = {}, std::int32_t index = 0);
  /// The next report, nothing when the other side is gone. A descriptor that came with it goes
  /// into `attached`.
  std::optional<SetupReport> receive(Fd* attached = nullptr);
  /// As receive(), but a report of a failure is thrown. @throws SetupError
  SetupReport expect(Fd* attached = nullptr);
  /// Expects an answer to every order that has none yet. @throws SetupError
  void expect_all();

private:
  Fd socket_;
  int unanswered_ = 0;
};

struct HandshakePair {
  Fd parent;
  Fd child;
};
HandshakePair make_handshake();

/// The other end; async-signal-safe.
void send_report(int socket, const SetupReport& report) noexcept;
void send_descriptor(int socket, int descriptor) noexcept;
/// False when the executor is gone.
bool receive_order(int socket, OrderMessage& message) noexcept;
[[noreturn]] void give_up(int socket, SetupStep step, int error, int value = 0) noexcept;

} // namespace cairn
