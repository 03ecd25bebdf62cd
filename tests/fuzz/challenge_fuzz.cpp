#include "creds/docker/docker_config.hpp"
#include "net/redact.hpp"
#include "net/url.hpp"
#include "registry/challenge.hpp"
#include "registry/token.hpp"
#include "util/error.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

using namespace cairn;

namespace {

void read_config(std::string_view text) {
  const auto config = DockerConfig::parse(text, "config.json");
  for (const char* name : {"busybox", "r.io/a/b"}) {
    const auto ref = ImageRef::parse(name);
    static_cast<void>(config.helper(ref));
    static_cast<void>(config.find(ref));
  }
}

void read_challenges(std::string_view text) {
  for (const auto& challenge : parse_challenges(text))
    static_cast<void>(token_request(challenge, {"repository:a:pull"}, std::nullopt));
}

void follow(std::string_view text) {
  static_cast<void>(redact_url(text));
  static_cast<void>(Url::parse("https://r.io/v2/a/b?c=d").resolve(text));
}

} // namespace

// The first byte chooses what the rest is: a challenge, a configuration, a token, a Location.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0)
    return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  try {
    switch (data[0] % 4) {
    case 0:
      read_challenges(text);
      break;
    case 1:
      read_config(text);
      break;
    case 2:
      static_cast<void>(parse_token(text, from_unix(1'000'000)));
      break;
    default:
      follow(text);
    }
  } catch (const Error&) {
    // Refusing is fine; crashing is not.
    return 0;
  }
  return 0;
}
