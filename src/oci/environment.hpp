#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cairn {

/// The environment of an image: order is kept, a later value replaces an earlier one in place.
class Environment {
public:
  Environment() = default;
  explicit Environment(std::vector<std::string> entries);

  std::optional<std::string> get(std::string_view name) const;
  void set(std::string_view name, std::string_view value);
  /// "NAME=value" each.
  const std::vector<std::string>& entries() const noexcept { return entries_; }
  /// What the entries take where a program gets them: each ends with a NUL.
  std::uint64_t bytes() const noexcept { return bytes_; }

  bool operator==(const Environment& other) const { return entries_ == other.entries_; }

private:
  /// Of the entries of one name, which may be several in what others have made.
  struct Places {
    std::size_t first = 0;
    std::size_t last = 0;
  };

  void note(std::size_t place);

  std::vector<std::string> entries_;
  std::map<std::string, Places, std::less<>> names_;
  std::uint64_t bytes_ = 0;
};

} // namespace cairn
