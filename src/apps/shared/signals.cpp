#include "apps/shared/signals.hpp"

#include "util/error.hpp"
#include "util/threads.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

namespace cairn {

namespace {

Fd open_signals() {
  sigset_t wanted;
  sigemptyset(&wanted);
  sigaddset(&wanted, SIGTERM);
  sigaddset(&wanted, SIGINT);
  if (const int error = ::pthread_sigmask(SIG_BLOCK, &wanted, nullptr); error != 0)
    throw SysError(error, "block signals");
  Fd fd(::signalfd(-1, &wanted, SFD_CLOEXEC));
  if (!fd)
    throw SysError(errno, "watch for signals");
  return fd;
}

} // namespace

SignalWatch::SignalWatch(Callback on_signal)
    : on_signal_(std::move(on_signal)), signals_(open_signals()), stop_(make_pipe()),
      thread_(start_thread([this] { watch(); })) {}

SignalWatch::~SignalWatch() {
  stop_.write.reset();
  thread_.join();
}

std::optional<int> SignalWatch::received() const noexcept {
  const int signal = received_.load();
  return signal == 0 ? std::nullopt : std::optional(signal);
}

int SignalWatch::exit_status(int status) const noexcept {
  const auto signal = received();
  return signal ? 128 + *signal : status;
}

void SignalWatch::watch() {
  for (;;) {
    std::array<pollfd, 2> waits = {{{signals_.get(), POLLIN, 0}, {stop_.read.get(), POLLIN, 0}}};
    if (::poll(waits.data(), waits.size(), -1) < 0) {
      if (errno == EINTR)
        continue;
      return;
    }
    if (waits[1].revents != 0)
      return;
    signalfd_siginfo info{};
    if (::read(signals_.get(), &info, sizeof info) != sizeof info)
      continue;
    const int signal = static_cast<int>(info.ssi_signo);
    if (received_.exchange(signal) != 0)
      ::_exit(128 + signal);
    on_signal_(signal);
  }
}

void ignore_write_signals() noexcept {
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGXFSZ, SIG_IGN);
}

} // namespace cairn
