#include "builder/roots/same_bytes.hpp"

#include "util/stream.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace cairn {

bool same_bytes(FdRef a, FdRef b) {
  std::vector<std::byte> left(stream_block);
  std::vector<std::byte> right(stream_block);
  for (;;) {
    const auto count = read_full(a, left);
    if (read_full(b, right) != count ||
        !std::equal(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(count), right.begin()))
      return false;
    if (count == 0)
      return true;
  }
}

} // namespace cairn
