#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cairn {

/// Variables as a value: whoever needs some is given them, and tests make them up.
class Variables {
public:
  Variables() = default;
  /// Entries are "NAME=value"; of two with one name the first counts, as for getenv(3).
  explicit Variables(std::vector<std::string> entries) : entries_(std::move(entries)) {}

  std::optional<std::string> find(std::string_view name) const;
  /// The value; "" when it is not set.
  std::string text(std::string_view name) const { return find(name).value_or(""); }
  /// The first of two spellings that is set and not empty; "" when neither is.
  std::string either(std::string_view name, std::string_view otherwise) const;
  const std::vector<std::string>& entries() const noexcept { return entries_; }

private:
  std::vector<std::string> entries_;
};

} // namespace cairn
