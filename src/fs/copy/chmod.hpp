#pragma once

#include "fs/archive/entry.hpp"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace cairn {

/// What --chmod does to a mode: an octal number up to 07777, or a list of symbolic changes like
/// those of chmod(1) with a umask of 0.
class ModeChange {
public:
  /// @throws Error "invalid chmod parameter: ..."
  static ModeChange parse(std::string_view text);

  /// Bits are those of Metadata::mode, before and after. Symbolic links keep theirs.
  std::uint32_t apply(std::uint32_t mode, FileType type) const;

  /// The number when it is one: directories that COPY makes on the way get it too.
  std::optional<std::uint32_t> octal() const noexcept { return octal_; }

private:
  struct Clause {
    enum class Operator { set, add, remove } how = Operator::set;
    std::uint32_t who = 0;    ///< The bits it may touch.
    std::uint32_t bits = 0;   ///< Of those: r, w, x, s, t.
    bool search = false;      ///< X: also x, when it is a directory or anyone may execute it.
    std::uint32_t copied = 0; ///< Classes whose permissions are taken: any of 0700, 0070, 0007.
  };
  class Parser;

  std::optional<std::uint32_t> octal_;
  std::vector<Clause> clauses_;
};

} // namespace cairn
