#pragma once

#include "util/fd.hpp"

#include <sys/stat.h>

#include <string>
#include <vector>

namespace cairn {

/// A program as it was when it was found. A build in the container's own root may change or replace
/// it later, and what interprets it: such a program is not to be run with this one's secrets.
class HeldProgram {
public:
  /// `name` is looked for on `path`. @throws SysError
  HeldProgram(const std::string& name, const std::string& path);

  const std::string& path() const noexcept { return files_.front().path; }
  /// What was found, whatever its path leads to now.
  FdRef file() const noexcept { return files_.front().fd; }
  /// Whether it and its interpreters are still what they were.
  bool is_unchanged() const;
  /// Whether it is the program that asks.
  bool is_this_program() const;

private:
  struct File {
    std::string path;
    Fd fd;
    struct stat seen;
  };

  void add(const std::string& file);

  std::vector<File> files_; ///< Itself, then what interprets it.
};

} // namespace cairn
