#pragma once

#include "dockerfile/dockerfile.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cairn {

/// A `--from` of COPY or of a mount, as written.
struct StageReference {
  std::string name;
  SourceRange range; ///< Of the instruction.
  enum class Kind { copy, mount } kind = Kind::copy;
};

std::vector<StageReference> references(const Stage& stage);

/// The number that a reference is, however it is written: "0", "+0", "00".
std::optional<std::size_t> stage_number(std::string_view name);

/// @throws Error for a variable, which is not expanded there, and for a COPY from the number of no
/// stage
void check_reference(const StageReference& reference, std::size_t stages, char escape);

/// @throws Error that there are only so many stages
[[noreturn]] void refuse_number(std::string_view name, std::size_t stages);

/// A stage needs another one.
struct StageEdge {
  std::size_t target = 0;
  SourceRange range; ///< Of the instruction that does.
};

struct StageCircle {
  std::size_t stage = 0; ///< Where the search began.
  SourceRange range;     ///< Of an instruction that closes it.
};

/// Stages that need each other, by the edges of each; nothing when there are none.
std::optional<StageCircle> find_circle(const std::vector<std::vector<StageEdge>>& edges);

} // namespace cairn
