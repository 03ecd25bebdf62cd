#include "dockerfile/syntax/mount.hpp"
#include "dockerfile/syntax/words.hpp"
#include "util/error.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

using namespace cairn;

namespace {

std::optional<std::string> lookup(std::string_view name) {
  return name == "a" ? std::optional<std::string>("cache") : std::nullopt;
}

} // namespace

/// RUN --mount: what is accepted keeps the promises of the header.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const auto spec = instruction::parse_mount(text);
    if (spec.fields.empty() || (spec.from && spec.from->empty()))
      std::abort();
    const auto mount = instruction::resolve_mount(
        spec, [](const std::string& value) { return expand_word(value, lookup); });
    const bool is_secret = mount.type == instruction::MountType::secret;
    if (is_secret && ((!mount.id && !mount.target) || mount.from || mount.source))
      std::abort();
    if (mount.size && mount.type != instruction::MountType::tmpfs)
      std::abort();
  } catch (const Error&) {
    // Refusing is fine; crashing is not.
    return 0;
  }
  return 0;
}
