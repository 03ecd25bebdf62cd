#pragma once

#include "util/fd.hpp"

#include <optional>
#include <string>

namespace cairn {

/// The container's own /etc/hosts with other content, as long as this lives. Where the file is
/// missing or cannot be written nothing happens.
class HostsFile {
public:
  /// @throws SysError when writing fails half way
  explicit HostsFile(const std::optional<std::string>& text);
  HostsFile(const HostsFile&) = delete;
  HostsFile& operator=(const HostsFile&) = delete;
  ~HostsFile();

private:
  void write(const std::string& text) const;

  std::optional<Fd> file_;
  std::string before_;
};

} // namespace cairn
