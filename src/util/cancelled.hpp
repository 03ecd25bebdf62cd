#pragma once

#include <fmt/core.h>

#include <exception>
#include <string>
#include <utility>

namespace cairn {

/// The program was told to end while it waited: by intent no Error, so that nobody who can do
/// without what failed goes on.
class Cancelled : public std::exception {
public:
  template<class... Args>
  explicit Cancelled(fmt::format_string<Args...> format, Args&&... args)
      : text_(fmt::format(format, std::forward<Args>(args)...)) {}

  const char* what() const noexcept override { return text_.c_str(); }

private:
  std::string text_;
};

} // namespace cairn
