#pragma once

#include <cstddef>
#include <memory>
#include <span>

namespace cairn {

/// What the two sides of a fetch say to each other.
class GitStream {
public:
  virtual ~GitStream() = default;
  /// At least one byte; 0 is the end. @throws Error
  virtual std::size_t read(std::span<std::byte> buffer) = 0;
  /// @throws Error
  virtual void write(std::span<const std::byte> bytes) = 0;
};

/// The way to "git-upload-pack" of one repository (gitprotocol-pack(5), gitprotocol-http(5)).
class GitWire {
public:
  virtual ~GitWire() = default;

  enum class Ask { refs, pack };
  /// Begins by asking for the refs, which the server sends first. @throws Error
  virtual std::unique_ptr<GitStream> open(Ask ask) = 0;

  /// True when each request for a pack is an exchange of its own; otherwise one stream, opened for
  /// the refs, serves for all.
  virtual bool is_stateless() const noexcept = 0;
};

} // namespace cairn
