#include "context/git/git_address.hpp"
#include "context/git/git_config.hpp"
#include "context/git/git_context.hpp"
#include "context/git/git_modules.hpp"
#include "util/error.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace cairn;

namespace {

/// Nothing that is taken for an address can be an option, or hide a line, at the other end.
void check(const GitAddress& address) {
  for (const auto& part : {address.user, address.host, address.path})
    if (part.starts_with('-') || part.find('\n') != std::string::npos ||
        part.find('\0') != std::string::npos)
      std::abort();
  if (address.machine().empty() || address.path.empty())
    std::abort();
}

void check_reference(std::string_view text) {
  const auto shown = redact_git_reference(text);
  if (shown.find('\n') != std::string::npos)
    std::abort();
  if (const auto reference = parse_git_reference(text))
    check(GitAddress::parse(reference->url()));
  GitContextOptions options;
  if (const auto context = parse_git_context("git://" + std::string(text), options))
    check(GitAddress::parse(context->reference.url()));
}

/// No submodule leaves the host that it is relative to.
void check_submodule(std::string_view text) {
  constexpr std::string_view remote = "https://host.example/group/repository.git";
  const auto resolved = resolve_git_url(remote, text);
  const auto address = GitAddress::parse(resolved);
  check(address);
  if (text.starts_with('.') && resolved != text && address.host != "host.example")
    std::abort();
}

} // namespace

// What a Dockerfile and a repository say of where repositories are. The first byte chooses which.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0)
    return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  try {
    switch (data[0] % 4) {
    case 0:
      check_reference(text);
      break;
    case 1:
      check_submodule(text);
      break;
    case 2:
      static_cast<void>(is_safe_module_name(text));
      check(GitAddress::parse(text));
      break;
    default:
      static_cast<void>(parse_git_config(std::string(text)));
    }
  } catch (const Error&) {
    // Refusing is fine; crashing is not.
    return 0;
  }
  return 0;
}
