#pragma once

#include "run/chroot/changing_calls.hpp"
#include "run/chroot/kernel_view.hpp"
#include "run/supervised/call.hpp"

#include <sys/stat.h>

#include <cstddef>
#include <optional>

namespace cairn {

/// What an operand of a call means at the moment.
struct Meant {
  std::optional<ReadOnlyPlaces::Found> place; ///< In which it lies, or would lie.
  bool exists = false;
  struct stat info {};      ///< Of what is there and was named by a path.
  ThreadStatus thread = {}; ///< Whose rights count.

  bool is_place() const { return place && place->is_place; }
  bool is_directory() const { return S_ISDIR(info.st_mode); }
  std::optional<std::size_t> where() const {
    return place ? std::optional(place->place) : std::nullopt;
  }
};

/// Nothing where it is none of the root's.
std::optional<Meant> meant_by(const KernelView& view, const Call& call, const Operand& operand);
/// The directory in which an operand that is a name lies.
std::optional<Meant> directory_of_name(const KernelView& view, const Call& call,
                                       const Operand& operand);

/// Whether the kernel, too, lets the thread not write to what is there: by its mode alone, and only
/// where that is beyond doubt.
bool is_closed_to_thread(const Meant& meant) noexcept;
/// Whether it lets the thread not take `entry` out of the directory, in the same way.
bool holds_fast(const Meant& directory, const Meant& entry) noexcept;

} // namespace cairn
