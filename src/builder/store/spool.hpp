#pragma once

#include "fs/archive/entry_content.hpp"
#include "fs/archive/tar.hpp"
#include "util/fd.hpp"
#include "util/stream.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace cairn {

/// Contents of files set aside, to be read again in another order than they came in: all in one
/// file, which exists as long as this value. Filled by one thread, then closed; a spool that is
/// closed takes no descriptor, and reading it is thread-safe.
class Spool {
public:
  /// In `directory`, once something is added.
  explicit Spool(std::string directory) : directory_(std::move(directory)) {}
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;
  ~Spool();

  /// Adds content and returns the number it is read by. @throws SysError
  std::size_t add(Source& content);
  std::size_t add(TarReader& entry);
  std::size_t add(EntryContent& content);
  void close();

  /// Content by its numbers. The spool must outlive it. @pre closed
  ContentOpener reader() const;
  /// @pre closed, and the content has these bytes
  std::unique_ptr<Source> open_part(std::size_t number, std::uint64_t offset,
                                    std::uint64_t size) const;

private:
  struct Range {
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
  };

  FdRef file();
  std::size_t close_range();

  std::string directory_;
  std::string path_; ///< Empty before there is a file.
  Fd file_;          ///< While it is filled.
  std::uint64_t end_ = 0;
  std::vector<Range> ranges_;
};

} // namespace cairn
