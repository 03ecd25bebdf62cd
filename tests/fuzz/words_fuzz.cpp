#include "dockerfile/syntax/words.hpp"
#include "util/error.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

using namespace cairn;

namespace {

std::optional<std::string> lookup(std::string_view name) {
  if (name == "a")
    return "value with blanks/and\nlines";
  if (name == "b")
    return "*?\\";
  if (name == "e")
    return "";
  return std::nullopt;
}

} // namespace

// The first byte chooses the rules.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0)
    return 0;
  const unsigned choice = data[0];
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  WordRules rules;
  rules.escape = (choice & 1u) != 0 ? '`' : '\\';
  rules.quotes = static_cast<Quotes>((choice >> 1) % 3);
  rules.escapes = (choice & 8u) != 0 ? Escapes::keep : Escapes::remove;
  rules.unset = (choice & 16u) != 0 ? UnsetVariables::keep : UnsetVariables::vanish;
  try {
    (void)expand(text, lookup, rules);
  } catch (const Error&) {
    // Refusing is fine; crashing is not.
    return 0;
  }
  return 0;
}
