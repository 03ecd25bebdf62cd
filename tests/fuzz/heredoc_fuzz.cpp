#include "dockerfile/requested_frontend.hpp"
#include "dockerfile/syntax/heredoc.hpp"
#include "dockerfile/syntax/words.hpp"
#include "util/error.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

using namespace cairn;

/// Heredocs as they are found in a line and as their bodies are expanded, and frontends as files
/// name them.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto frontend = requested_frontend(text); frontend && frontend->line < 0)
    std::abort();
  for (auto& heredoc : find_heredocs(text)) {
    heredoc.content = text;
    if (heredoc.chomp && heredoc_body(heredoc).starts_with('\t'))
      std::abort();
  }
  (void)parse_heredoc_word(text);
  try {
    (void)expand_heredoc(text, [](std::string_view name) {
      return name == "a" ? std::optional<std::string>("value\n$b") : std::nullopt;
    });
  } catch (const Error&) {
    // Refusing is fine; crashing is not.
    return 0;
  }
  return 0;
}
