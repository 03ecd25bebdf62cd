#include "builder/plan/ports.hpp"
#include "dockerfile/syntax/values.hpp"
#include "fs/copy/chmod.hpp"
#include "util/clock.hpp"
#include "util/error.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace cairn;

namespace {

void check_mode(std::string_view text) {
  const auto change = ModeChange::parse(text);
  for (const std::uint32_t mode : {0U, 0644U, 0755U, 07777U})
    if (change.apply(mode, FileType::directory) > 07777 ||
        change.apply(mode, FileType::regular) > 07777)
      std::abort();
}

void check_ports(std::string_view text) {
  const auto ports = parse_ports(text);
  if (ports.empty() || ports.size() > 65536)
    std::abort();
}

} // namespace

/// The small languages within instructions: --chmod, EXPOSE, STOPSIGNAL, durations, sizes, CSV.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)parse_duration(text);
  (void)parse_binary_size(text);
  (void)parse_go_integer(text);
  (void)parse_bool(text);
  for (auto* parse : {+[](std::string_view t) { (void)parse_csv_record(t); }, check_mode,
                      check_ports, check_signal}) {
    try {
      parse(text);
    } catch (const Error&) {
      // Refusing is fine; crashing is not.
      continue;
    }
  }
  return 0;
}
