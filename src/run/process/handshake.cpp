#include "run/process/handshake.hpp"

#include "util/error.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <iterator>

namespace cairn {

namespace {

constexpr const char* step_texts[] = {
    "carry out an order",
    "finish",
    "create namespaces",
    "map all ids",
    "start the command",
    "follow the executor",
    "make mounts private",
    "mount tmpfs on the work directory",
    "name the layers",
    "mount overlay",
    "mount the root's directory",
    "open the root",
    "write a file for the command",
    "mount /proc",
    "mask a part of /proc or /sys",
    "mount /sys",
    "mount /dev",
    "make a device in /dev",
    "bind mount",
    "open the source of a bind mount",
    "mount tmpfs",
    "bring up the loopback interface",
    "set the hostname",
    "pivot_root",
    "connect stdin, stdout and stderr",
    "change to the working directory",
    "drop capabilities",
    "set supplementary groups",
    "set the group id",
    "set the user id",
    "change the root",
    "restrict the command to the files of its root",
    "filter system calls for a supervisor",
    "exec",
    "exec",
    "remove a file of a lower layer",
    "replace a directory of a lower layer",
    "give a file to another owner",
};
static_assert(std::size(step_texts) == static_cast<std::size_t>(SetupStep::trial_owner) + 1);

/// Room for one descriptor beside a message.
union ControlBuffer {
  cmsghdr header;
  char bytes[CMSG_SPACE(sizeof(int))];
};

} // namespace

const char* setup_step_text(SetupStep step) {
  return step_texts[static_cast<std::size_t>(step)];
}

void Handshake::send(SetupOrder order, const std::string& target, std::int32_t index) {
  OrderMessage message;
  if (target.size() >= sizeof message.target)
    throw SysError(ENAMETOOLONG, "mount on '/{}'", target);
  message.order = order;
  message.index = index;
  std::memcpy(message.target, target.c_str(), target.size());
  ssize_t count = 0;
  do
    count = ::send(socket_.get(), &message, sizeof message, MSG_NOSIGNAL);
  while (count < 0 && errno == EINTR);
  // A process that is gone said why before; receive() will find it.
  if (count < 0 && errno != EPIPE && errno != ECONNRESET)
    throw SysError(errno, "speak to the command's process");
  ++unanswered_;
}

std::optional<SetupReport> Handshake::receive(Fd* attached) {
  SetupReport report;
  iovec part{&report, sizeof report};
  ControlBuffer control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes;
  message.msg_controllen = sizeof control.bytes;
  ssize_t count = 0;
  // A process that ended with orders unread shows as a reset, once, ahead of the report it sent.
  do
    count = ::recvmsg(socket_.get(), &message, MSG_CMSG_CLOEXEC);
  while (count < 0 && (errno == EINTR || errno == ECONNRESET));
  if (count < 0)
    throw SysError(errno, "hear from the command's process");
  if (count != static_cast<ssize_t>(sizeof report))
    return std::nullopt;
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header != nullptr && header->cmsg_type == SCM_RIGHTS) {
    int descriptor = -1;
    std::memcpy(&descriptor, CMSG_DATA(header), sizeof descriptor);
    Fd owned(descriptor);
    if (attached != nullptr)
      *attached = std::move(owned);
  }
  return report;
}

SetupReport Handshake::expect(Fd* attached) {
  const auto report = receive(attached);
  if (!report)
    throw Error("command's process ended before its time");
  if (report->error != 0)
    throw SetupError(report->step, report->error);
  --unanswered_;
  return *report;
}

void Handshake::expect_all() {
  while (unanswered_ > 0)
    expect();
}

HandshakePair make_handshake() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    throw SysError(errno, "create socket pair");
  return {Fd(ends[0]), Fd(ends[1])};
}

void send_report(int socket, const SetupReport& report) noexcept {
  while (::send(socket, &report, sizeof report, MSG_NOSIGNAL) < 0 && errno == EINTR) {
  }
}

void send_descriptor(int socket, int descriptor) noexcept {
  SetupReport report;
  iovec part{&report, sizeof report};
  ControlBuffer control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes;
  message.msg_controllen = sizeof control.bytes;
  control.header.cmsg_level = SOL_SOCKET;
  control.header.cmsg_type = SCM_RIGHTS;
  control.header.cmsg_len = CMSG_LEN(sizeof descriptor);
  std::memcpy(CMSG_DATA(&control.header), &descriptor, sizeof descriptor);
  while (::sendmsg(socket, &message, MSG_NOSIGNAL) < 0 && errno == EINTR) {
  }
}

bool receive_order(int socket, OrderMessage& message) noexcept {
  ssize_t count = 0;
  do
    count = ::recv(socket, &message, sizeof message, 0);
  while (count < 0 && errno == EINTR);
  return count == static_cast<ssize_t>(sizeof message);
}

void give_up(int socket, SetupStep step, int error, int value) noexcept {
  send_report(socket, {step, error, value});
  ::_exit(127);
}

} // namespace cairn
