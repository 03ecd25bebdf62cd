#include "dockerfile/dockerfile.hpp"
#include "dockerfile/syntax/parser.hpp"
#include "util/error.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <variant>

using namespace cairn;

namespace {

/// A trigger that cannot be understood is refused where an image with it is built upon.
void check_trigger(const instruction::Onbuild& onbuild) {
  if (onbuild.trigger.empty())
    std::abort();
  try {
    (void)parse_trigger(onbuild.trigger, "ONBUILD");
  } catch (const Error&) {
    return;
  }
}

/// What the parser promises for every text it accepts.
void check(const Dockerfile& file) {
  const int lines = static_cast<int>(file.source.lines.size());
  for (const auto& stage : file.stages)
    for (const auto& instruction : stage.instructions) {
      const auto& range = common(instruction).range;
      if (range.first < 1 || range.last < range.first || range.last > lines)
        std::abort();
      if (const auto* onbuild = std::get_if<instruction::Onbuild>(&instruction))
        check_trigger(*onbuild);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  try {
    (void)dump(parse_syntax(text, "Dockerfile"));
    check(parse_dockerfile(text, "Dockerfile"));
  } catch (const Error&) {
    // Refusing is fine; crashing is not.
    return 0;
  }
  return 0;
}
