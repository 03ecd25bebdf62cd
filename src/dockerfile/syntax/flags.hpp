#pragma once

#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cairn {

enum class FlagKind {
  text,    ///< `--name=value`
  boolean, ///< `--name`, `--name=true`, `--name=false`
  list     ///< `--name=value`, any number of times
};

struct InstructionFlag {
  std::string_view name;
  FlagKind kind;
};

/// The flags of one instruction, checked against those it knows.
class InstructionFlags {
public:
  /// @throws Error without a place on an unknown flag, a second one, a missing or odd value
  InstructionFlags(const std::vector<std::string>& written,
                   std::initializer_list<InstructionFlag> known);

  /// Nothing when absent; `--name=` is an empty text.
  std::optional<std::string> given(std::string_view name) const;
  /// Nothing when absent or empty.
  std::optional<std::string> text(std::string_view name) const;
  std::optional<bool> boolean(std::string_view name) const;
  std::vector<std::string> list(std::string_view name) const;

private:
  void add(std::string_view flag, std::initializer_list<InstructionFlag> known);

  std::map<std::string, std::vector<std::string>, std::less<>> values_;
};

} // namespace cairn
