#pragma once

#include "util/error.hpp"
#include "util/fd.hpp"

#include <string>
#include <string_view>

namespace cairn {

/// Where a program prints; borrowed. Results go to `out`, everything else to `err`.
struct StandardStreams {
  FdRef out;
  FdRef err;
};

/// @throws SysError
void print(FdRef to, std::string_view text);

/// The message and its detail, with what others said made harmless. The exit status that the error
/// asks for; does not throw when nobody reads any more.
int print_error(FdRef to, const Error& error);

/// The same for whatever exception is being handled, an Error or not: that memory ran out is said
/// without needing any.
int print_exception(FdRef to) noexcept;

/// A secret as it is meant: editors and `echo` end a file with a line feed.
std::string without_last_newline(std::string text);

} // namespace cairn
