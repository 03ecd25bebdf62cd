#include "apps/argo/plugin_protocol.hpp"
#include "util/error.hpp"
#include "util/json.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace cairn;

/// What an agent of Argo sends: what is accepted keeps the promises of the header, and what is said
/// of the rest is JSON.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const auto request = parse_plugin_request(text);
    if (request.task && request.key.size() != 64)
      std::abort();
    if (request.task)
      if (const auto* warm = std::get_if<WarmTask>(&*request.task))
        if (warm->images.empty() || warm->target.empty())
          std::abort();
  } catch (const Error& error) {
    Json::parse(plugin_reply({NodePhase::failed, error.what()}));
  }
  return 0;
}
