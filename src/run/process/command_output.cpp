#include "run/process/command_output.hpp"

#include "util/error.hpp"
#include "util/file.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <span>

namespace cairn {

namespace {

constexpr std::size_t buffer_size = 65536; // What a pipe holds.

bool is_same_file(FdRef one, FdRef other) {
  struct stat first {};
  struct stat second {};
  return ::fstat(one.get(), &first) == 0 && ::fstat(other.get(), &second) == 0 &&
         first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

void wait_for(std::span<pollfd> events) {
  while (::poll(events.data(), events.size(), -1) < 0) {
    if (errno != EINTR)
      throw SysError(errno, "wait for a command's output");
  }
}

void write_whole(FdRef target, std::span<const char> data) {
  while (!data.empty()) {
    const auto count = ::write(target.get(), data.data(), data.size());
    if (count >= 0) {
      data = data.subspan(static_cast<std::size_t>(count));
    } else if (errno == EAGAIN) { // Whoever shares this file with the executor wants it so.
      pollfd event{target.get(), POLLOUT, 0};
      wait_for({&event, 1});
    } else if (errno != EINTR) {
      throw SysError(errno, "pass on a command's output");
    }
  }
}

void give_to(FdRef pipe, uid_t owner) {
  if (owner != ::geteuid() && ::fchown(pipe.get(), owner, static_cast<gid_t>(-1)) != 0)
    throw SysError(errno, "give user {} a pipe for its output", owner);
}

} // namespace

CommandOutput::CommandOutput(const Invocation& invocation)
    : owner_(invocation.uid), buffer_(buffer_size) {
  streams_.push_back(make_stream(invocation.output));
  if (!is_same_file(invocation.output, invocation.errors)) {
    errors_ = 1;
    streams_.push_back(make_stream(invocation.errors));
  }
}

CommandOutput::Stream CommandOutput::make_stream(FdRef target) const {
  Stream stream{make_pipe(), target};
  if (::fcntl(stream.pipe.read.get(), F_SETFL, O_NONBLOCK) != 0)
    throw SysError(errno, "change a pipe");
  give_to(stream.pipe.write, owner_);
  return stream;
}

CommandOutput::Stream CommandOutput::make_named(const std::string& path, FdRef target) const {
  if (::mkfifo(path.c_str(), 0600) != 0)
    throw SysError(errno, "create '{}'", path);
  // Open for writing as well: else it would come to an end with each of its writers.
  Stream stream{{open_at(current_directory(), path, O_RDWR | O_NONBLOCK), {}}, target};
  give_to(stream.pipe.read, owner_);
  return stream;
}

void CommandOutput::add_names(const std::string& output, const std::string& errors) {
  streams_.push_back(make_named(output, streams_.front().target));
  streams_.push_back(make_named(errors, streams_[errors_].target));
}

bool CommandOutput::pass_on(const Stream& stream) {
  ssize_t count = 0;
  do
    count = ::read(stream.pipe.read.get(), buffer_.data(), buffer_.size());
  while (count < 0 && errno == EINTR);
  if (count < 0 && errno != EAGAIN)
    throw SysError(errno, "read a command's output");
  if (count <= 0)
    return false;
  write_whole(stream.target, std::span(buffer_).first(static_cast<std::size_t>(count)));
  return true;
}

void CommandOutput::pass_on_until(FdRef other) {
  // This holds the writers too, so that no pipe ever comes to its end.
  std::vector<pollfd> events;
  for (const auto& stream : streams_)
    events.push_back({stream.pipe.read.get(), POLLIN, 0});
  events.push_back({other.get(), POLLIN, 0});
  while (events.back().revents == 0) {
    wait_for(events);
    for (std::size_t i = 0; i < streams_.size(); ++i) {
      if (events[i].revents != 0)
        pass_on(streams_[i]);
    }
  }
}

void CommandOutput::finish() {
  for (const auto& stream : streams_) {
    while (pass_on(stream)) {
    }
  }
}

} // namespace cairn
