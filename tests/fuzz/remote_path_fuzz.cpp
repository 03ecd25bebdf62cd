#include "run/chroot/kernel_paths.hpp"
#include "run/supervised/remote_memory.hpp"
#include "run/supervised/thread_status.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

using namespace cairn;

/// What a command's memory holds as a path, read in pieces of any size, and where the supervisor
/// thinks that it leads. The first two bytes choose an address and the size of a piece.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2)
    return 0;
  const std::uint64_t begin = 1 + std::uint64_t{data[0]} * 16;
  const std::size_t piece = 1 + data[1];
  const std::string_view memory(reinterpret_cast<const char*>(data) + 2, size - 2);
  const auto found =
      read_remote_path(begin, [&](std::uint64_t address, std::span<char> buffer) -> ssize_t {
        const auto at = static_cast<std::size_t>(address - begin);
        if (at >= memory.size())
          return -EFAULT;
        const auto count = std::min({buffer.size(), piece, memory.size() - at});
        std::memcpy(buffer.data(), memory.data() + at, count);
        return static_cast<ssize_t>(count);
      });
  if (found.error == 0 &&
      (found.text.size() >= max_remote_path || found.text != memory.substr(0, memory.find('\0'))))
    std::abort();
  (void)parse_thread_status(memory);
  const KernelPaths paths({{"/etc/mtab", "/proc/self/mounts"}}, {"null"});
  const bool may = paths.may_lead_there(found.text);
  for (const char* directory : {"/", "/dev", "/etc", "/usr/lib"}) {
    const auto clean = join_path(directory, found.text);
    for (const auto last : {FinalLink::follow, FinalLink::keep}) {
      const auto kernel = paths.find(clean, last);
      // Nothing is overlooked at first sight, and nothing but the kernel's own is found.
      if (kernel && !may && !found.text.empty())
        std::abort();
      if (kernel && !is_below(*kernel, "/proc") && !is_below(*kernel, "/sys") &&
          !is_below(*kernel, "/dev"))
        std::abort();
    }
  }
  (void)inside_of("/volume/root", found.text);
  return 0;
}
