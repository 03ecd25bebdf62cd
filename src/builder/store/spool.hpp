#pragma once

#include "fs/archive/tar.hpp"
#include "util/fd.hpp"
#include "util/stream.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace cairn {

/// Contents of files set aside, to be read again in another order than they came in: all in one
/// nameless file. Filled by one thread; reading is thread-safe.
class Spool {
public:
  /// In `directory`. @throws SysError
  explicit Spool(const std::string& directory);

  /// Adds content and returns the number it is read by.
  std::size_t add(Source& content);
  std::size_t add(TarReader& entry);

  /// The spool must outlive the Source.
  std::unique_ptr<Source> open(std::size_t number) const;
  /// @pre the content has these bytes
  std::unique_ptr<Source> open_part(std::size_t number, std::uint64_t offset,
                                    std::uint64_t size) const;

private:
  struct Range {
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
  };

  std::size_t close_range();

  Fd file_;
  std::uint64_t end_ = 0;
  std::vector<Range> ranges_;
};

} // namespace cairn
