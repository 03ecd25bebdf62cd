#pragma once

#include "run/supervised/call.hpp"
#include "run/supervised/call_filter.hpp"
#include "util/file.hpp"

#include <span>
#include <vector>

namespace cairn {

/// Stands for an argument that a call does not have.
constexpr int no_argument = -1;

/// Arguments of a call that name something, by their index.
struct Operand {
  enum class Kind {
    entry, ///< A name in a directory, whether it is there or not.
    file   ///< What is there. Without a path: what a descriptor leads to.
  };
  Kind kind = Kind::file;
  int path = no_argument;
  /// With what a path is relative to; without one that is the working directory.
  int directory = no_argument;
  FinalLink last = FinalLink::follow;
  /// With flags that say otherwise of a last link, or that no path counts.
  int flags = no_argument;
};

enum class Change {
  makes,
  removes,
  moves, ///< From the first operand to the second.
  links, ///< The same.
  alters,
  opens, ///< With the flags behind the path.
  asks   ///< With the mode behind the path.
};

/// A call that changes files or the names of files, or asks whether it may.
struct ChangingCall {
  int number;
  Change change;
  Operand first;
  Operand second = {};
};

/// All of them.
std::span<const ChangingCall> changing_calls();
/// Null for all others.
const ChangingCall* find_changing(int number) noexcept;

/// What an operand of a call is relative to, or the descriptor that is one.
int directory_of(const Call& call, const Operand& operand);
/// What becomes of a last link.
FinalLink last_of(const Call& call, const Operand& operand);
/// Whether what a descriptor leads to is meant, whatever the path is.
bool is_descriptor(const Call& call, const Operand& operand);
/// The flags of a call that opens, or those that stand for another call's.
int open_flags(const Call& call, const Operand& operand);
/// Whether one that asks, asks to write.
bool asks_to_write(const Call& call, const Operand& operand);

} // namespace cairn
