#include "apps/shared/streams.hpp"

#include "net/redact.hpp"
#include "util/text.hpp"

#include <span>
#include <string>

namespace cairn {

void print(FdRef to, std::string_view text) {
  write_all(to, std::as_bytes(std::span(text)));
}

int print_error(FdRef to, const Error& error) {
  // What others said may be in a message: only the lines of the detail are lines.
  auto text = "error: " + printable(redact_text(error.what())) + "\n";
  if (!error.detail().empty())
    for (const auto& line : split(error.detail(), '\n'))
      text += printable(redact_text(line)) + "\n";
  try {
    print(to, text);
  } catch (const SysError&) {
    // Nobody reads stderr any more: the exit status still tells.
    return error.exit_status();
  }
  return error.exit_status();
}

std::string without_last_newline(std::string text) {
  if (text.ends_with('\n'))
    text.pop_back();
  if (text.ends_with('\r'))
    text.pop_back();
  return text;
}

} // namespace cairn
