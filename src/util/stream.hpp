#pragma once

#include "util/fd.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace cairn {

/// Bytes flow from a Source to a Sink; hashing, counting, limiting and compressing are small
/// decorators that hold a reference to the next one, which must outlive them.

/// Where bytes come from. Not thread-safe.
class Source {
public:
  virtual ~Source() = default;
  /// Fills some of `buffer`, at least one byte; 0 means the end, then and on every later call.
  /// @throws Error
  virtual std::size_t read(std::span<std::byte> buffer) = 0;
};

/// Where bytes go. Not thread-safe.
class Sink {
public:
  virtual ~Sink() = default;
  /// Takes all of `bytes`. @throws Error
  virtual void write(std::span<const std::byte> bytes) = 0;
  /// Says that no more bytes come; a decorator flushes what it holds back into the next sink but
  /// does not finish that one. Called at most once. @throws Error
  virtual void finish() {}
};

inline constexpr std::size_t stream_block = std::size_t{128} * 1024;

/// Moves all bytes; how many there were.
std::uint64_t copy(Source& from, Sink& to);
/// All bytes as text. @throws Error when there are more than `limit`.
std::string read_all(Source& from, std::uint64_t limit);
void write_text(Sink& to, std::string_view text);

/// Reads text that outlives it.
class TextSource final : public Source {
public:
  explicit TextSource(std::string_view text) : rest_(text) {}
  std::size_t read(std::span<std::byte> buffer) override;

private:
  std::string_view rest_;
};

/// Reads text of its own.
class OwnedTextSource final : public Source {
public:
  explicit OwnedTextSource(std::string text) : text_(std::move(text)), source_(text_) {}
  OwnedTextSource(const OwnedTextSource&) = delete;
  OwnedTextSource& operator=(const OwnedTextSource&) = delete;
  std::size_t read(std::span<std::byte> buffer) override { return source_.read(buffer); }

private:
  std::string text_;
  TextSource source_;
};

class TextSink final : public Sink {
public:
  void write(std::span<const std::byte> bytes) override;
  const std::string& text() const noexcept { return text_; }

private:
  std::string text_;
};

/// Reads a file from its current position. Owns the descriptor.
class FileSource final : public Source {
public:
  explicit FileSource(Fd fd) : fd_(std::move(fd)) {}
  std::size_t read(std::span<std::byte> buffer) override;

private:
  Fd fd_;
};

/// Reads a part of a borrowed file, wherever that is positioned. Several may read one file.
class RangeSource final : public Source {
public:
  RangeSource(FdRef file, std::uint64_t offset, std::uint64_t size)
      : file_(file), offset_(offset), left_(size) {}
  /// @throws Error also when the file ends before the part does
  std::size_t read(std::span<std::byte> buffer) override;

private:
  FdRef file_;
  std::uint64_t offset_;
  std::uint64_t left_;
};

/// Writes to a borrowed descriptor.
class FileSink final : public Sink {
public:
  explicit FileSink(FdRef fd) : fd_(fd) {}
  void write(std::span<const std::byte> bytes) override;

private:
  FdRef fd_;
};

/// Gives every byte to two sinks.
class TeeSink final : public Sink {
public:
  TeeSink(Sink& first, Sink& second) : first_(first), second_(second) {}
  void write(std::span<const std::byte> bytes) override;

private:
  Sink& first_;
  Sink& second_;
};

/// Lets a sink see the bytes that are read through it.
class TeeSource final : public Source {
public:
  TeeSource(Source& from, Sink& watcher) : from_(from), watcher_(watcher) {}
  std::size_t read(std::span<std::byte> buffer) override;

private:
  Source& from_;
  Sink& watcher_;
};

class CountingSink final : public Sink {
public:
  explicit CountingSink(Sink& next) : next_(next) {}
  void write(std::span<const std::byte> bytes) override;
  std::uint64_t count() const noexcept { return count_; }

private:
  Sink& next_;
  std::uint64_t count_ = 0;
};

/// Throws an Error naming `what` when more than `limit` bytes come through.
class LimitSource final : public Source {
public:
  LimitSource(Source& from, std::uint64_t limit, std::string what)
      : from_(from), left_(limit), limit_(limit), what_(std::move(what)) {}
  std::size_t read(std::span<std::byte> buffer) override;

private:
  Source& from_;
  std::uint64_t left_;
  std::uint64_t limit_;
  std::string what_;
};

/// Runs `consume` in a thread of its own; what is written here is read there, through a bounded
/// buffer. An Error thrown by either side ends the other and is rethrown by finish().
class ThreadSink final : public Sink {
public:
  explicit ThreadSink(std::function<void(Source&)> consume);
  ThreadSink(const ThreadSink&) = delete;
  ThreadSink& operator=(const ThreadSink&) = delete;
  ~ThreadSink() override; ///< Without finish(): the reader gets an Error, and is waited for.

  void write(std::span<const std::byte> bytes) override;
  /// Ends the stream and waits for the reader. @throws what the reader threw
  void finish() override;

private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

/// Reads ahead: `produce` runs in a thread of its own and writes into a bounded buffer.
class ThreadSource final : public Source {
public:
  explicit ThreadSource(std::function<void(Sink&)> produce);
  ThreadSource(const ThreadSource&) = delete;
  ThreadSource& operator=(const ThreadSource&) = delete;
  ~ThreadSource() override; ///< The producer's next write throws, and it is waited for.

  /// @throws what the producer threw, after the bytes it wrote before
  std::size_t read(std::span<std::byte> buffer) override;

private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

} // namespace cairn
