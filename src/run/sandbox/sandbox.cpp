#include "run/sandbox/sandbox.hpp"

#include "util/error.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

namespace cairn {

namespace {

constexpr std::size_t most_layers = 500; // OVL_MAX_STACK

/// 0 -> "0", 36 -> "10".
std::string short_name(std::size_t number) {
  constexpr std::string_view digits = "0123456789abcdefghijklmnopqrstuvwxyz";
  std::string text;
  do {
    text.insert(text.begin(), digits[number % digits.size()]);
    number /= digits.size();
  } while (number != 0);
  return text;
}

void enter_root(int socket) noexcept {
  // Stacks the old root below the new one, at the same place, and takes it away.
  if (::syscall(SYS_pivot_root, ".", ".") != 0 || ::umount2(".", MNT_DETACH) != 0 ||
      ::chdir("/") != 0)
    give_up(socket, SetupStep::pivot, errno);
}

void make_root_filesystem(const SandboxPlan& plan) noexcept {
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    give_up(plan.socket, SetupStep::private_mounts, errno);
  if (plan.network == CommandNetwork::none)
    raise_loopback(plan);
  if (!plan.hostname.empty() && ::sethostname(plan.hostname.c_str(), plan.hostname.size()) != 0)
    give_up(plan.socket, SetupStep::set_hostname, errno);
  mount_cell_root(plan);
  const int root = ::open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (root < 0)
    give_up(plan.socket, SetupStep::open_root, errno);
  send_descriptor(plan.socket, root);
  ::close(root);
}

[[noreturn]] void begin(const SandboxPlan& plan) noexcept {
  enter_root(plan.socket);
  if (plan.purpose != SandboxPurpose::command)
    try_cell(plan);
  supervise(*plan.command, plan.supervision);
}

void carry_out(const SandboxPlan& plan, const OrderMessage& order) noexcept {
  switch (order.order) {
  case SetupOrder::make_root_filesystem:
    return make_root_filesystem(plan); // Answers by itself.
  case SetupOrder::command:
    begin(plan);
  case SetupOrder::proc:
    mount_proc(plan, order.target);
    break;
  case SetupOrder::sys:
    mount_sys(plan, order.target);
    break;
  case SetupOrder::dev:
    mount_dev(plan, order.target);
    break;
  case SetupOrder::mount:
    mount_extra(plan, plan.mounts[static_cast<std::size_t>(order.index)], order.target);
    break;
  }
  send_report(plan.socket, {});
}

} // namespace

void plan_overlay(SandboxPlan& plan, const OverlayRoot& root,
                  const std::vector<std::string>& bottom) {
  if (root.lower.size() + bottom.size() > most_layers)
    throw Error("mount overlay: {} layers are more than the {} that the kernel can stack",
                root.lower.size(), most_layers - bottom.size());
  std::string lower;
  for (const auto* directories : {&root.lower, &bottom}) {
    for (const auto& directory : *directories) {
      plan.links.emplace_back(short_name(plan.links.size()), directory);
      lower += (lower.empty() ? "" : ":") + plan.links.back().first;
    }
  }
  plan.links.emplace_back("upper", root.upper);
  plan.links.emplace_back("work", root.work);
  // "volatile" (Linux 5.10) spares a sync of the whole file system when the overlay goes away, and
  // those that package managers ask for; after a crash the upper directory is thrown away anyway.
  const auto options = "lowerdir=" + lower + ",upperdir=upper,workdir=work,userxattr,index=off";
  plan.overlay_options = {options + ",volatile", options};
}

unsigned long sandbox_namespaces(const SandboxPlan& plan) noexcept {
  unsigned long flags = CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS;
  if (plan.pid_namespace == PidNamespace::own)
    flags |= CLONE_NEWPID;
  if (plan.user_namespace == UserNamespace::own)
    flags |= CLONE_NEWUSER;
  if (plan.network == CommandNetwork::none)
    flags |= CLONE_NEWNET;
  return flags;
}

void live_in_cell(const SandboxPlan& plan) noexcept {
  close_descriptors(plan.kept_descriptors.data(), plan.kept_descriptors.size(), Closing::now);
  follow_executor(plan.supervision);
  // A copy of the executor's memory must not be read by the command.
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  // The command sees this process as pid 1: what the executor was called with is not its business.
  std::memset(plan.arguments.data(), 0, plan.arguments.size());
  ::umask(0);
  // The end of the executor before the prctl above shows as the end of the orders.
  OrderMessage order;
  while (receive_order(plan.socket, order))
    carry_out(plan, order);
  ::_exit(1);
}

} // namespace cairn
