#pragma once

#include <cstddef>
#include <span>
#include <utility>

namespace cairn {

/// A borrowed file descriptor: someone else closes it and outlives this value.
class FdRef {
public:
  constexpr explicit FdRef(int fd) noexcept : fd_(fd) {}
  constexpr int get() const noexcept { return fd_; }

private:
  int fd_;
};

/// An owned file descriptor, closed at the end of its life.
class Fd {
public:
  Fd() noexcept = default;
  explicit Fd(int fd) noexcept : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { reset(); }

  explicit operator bool() const noexcept { return fd_ >= 0; }
  int get() const noexcept { return fd_; }
  FdRef ref() const noexcept { return FdRef(fd_); }
  // An Fd may be lent wherever one is wanted.
  operator FdRef() const noexcept { return ref(); } // NOLINT(google-explicit-constructor)
  int release() noexcept { return std::exchange(fd_, -1); }
  void reset() noexcept;

private:
  int fd_ = -1;
};

/// The current directory, as the *at() calls name it.
FdRef current_directory() noexcept;

struct Pipe {
  Fd read;
  Fd write;
};

/// Both ends close on exec. @throws SysError
Pipe make_pipe();

/// Reads until the buffer is full or the file ends; how many bytes came. @throws SysError
std::size_t read_full(FdRef fd, std::span<std::byte> buffer);
/// One read, retried when interrupted; 0 is the end. @throws SysError
std::size_t read_some(FdRef fd, std::span<std::byte> buffer);
/// @throws SysError
void write_all(FdRef fd, std::span<const std::byte> bytes);

} // namespace cairn
