#pragma once

#include "util/file.hpp"

#include <optional>
#include <string>
#include <vector>

namespace cairn::test {

/// An overlay of directories, mounted with "userxattr" as an executor does.
class OverlayMount {
public:
  /// `lower` from the topmost to the bottom. Nothing, said on stderr, where that cannot be.
  static std::optional<OverlayMount> create(const std::vector<std::string>& lower);
  OverlayMount(OverlayMount&& other) noexcept;
  OverlayMount& operator=(OverlayMount&&) = delete;
  ~OverlayMount();

  /// What is seen, and where changes go.
  const std::string& merged() const noexcept { return merged_; }
  const std::string& upper() const noexcept { return upper_; }

private:
  OverlayMount(TempDir work, std::string merged, std::string upper);

  TempDir work_;
  std::string merged_;
  std::string upper_;
};

} // namespace cairn::test
