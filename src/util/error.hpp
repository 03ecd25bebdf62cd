#pragma once

#include <fmt/core.h>

#include <exception>
#include <string>
#include <system_error>
#include <utility>

namespace cairn {

/// A failure that ends the build. `what()` is one line, "place: verb object: cause"; `detail()` is
/// what helps to mend it: an excerpt of the source, a hint. Only `main` turns it into an exit
/// status.
class Error : public std::exception {
public:
  template<class... Args>
  explicit Error(fmt::format_string<Args...> format, Args&&... args)
      : text_(fmt::format(format, std::forward<Args>(args)...)) {}

  const char* what() const noexcept override { return text_.c_str(); }

  /// Lines to print below the message, hints last; empty when there is nothing more to say.
  std::string detail() const {
    return detail_.empty() || hints_.empty() ? detail_ + hints_ : detail_ + "\n" + hints_;
  }

  /// The exit status of a program that ends because of this error.
  virtual int exit_status() const noexcept { return 1; }

  /// Throws a copy, for a failure that several are told of: each adds its own context. A type of
  /// its own has its own raise(), or the copy is one of its base.
  [[noreturn]] virtual void raise() const { throw Error(*this); }

  /// The lines of the user's file that it is about, counted from 1; 0 when it is about none.
  int first_line() const noexcept { return first_line_; }
  int last_line() const noexcept { return last_line_; }
  void set_lines(int first, int last) noexcept {
    first_line_ = first;
    last_line_ = last;
  }

  void add_context(const std::string& where) { text_ = where + ": " + text_; }

  /// Adds a line below the message.
  void add_detail(const std::string& line) { add_line(detail_, line); }
  void add_hint(const std::string& hint) { add_line(hints_, "hint: " + hint); }

private:
  static void add_line(std::string& text, const std::string& line) {
    if (!text.empty())
      text += '\n';
    text += line;
  }

  std::string text_;
  std::string detail_;
  std::string hints_;
  int first_line_ = 0;
  int last_line_ = 0;
};

/// A failure that may go away by itself: an unreachable registry, a 5xx, a rate limit.
class TemporaryError : public Error {
public:
  using Error::Error;

  /// EX_TEMPFAIL of sysexits.h, on which pipelines can retry.
  int exit_status() const noexcept override { return 75; }
  [[noreturn]] void raise() const override { throw TemporaryError(*this); }
};

/// A failed system call. Takes the errno first, before formatting can disturb it.
class SysError : public Error {
public:
  template<class... Args>
  explicit SysError(int error_number, fmt::format_string<Args...> format, Args&&... args)
      : Error("{}: {}", fmt::format(format, std::forward<Args>(args)...),
              std::generic_category().message(error_number)),
        code_(error_number) {}

  bool is(std::errc condition) const noexcept { return code_ == static_cast<int>(condition); }
  int code() const noexcept { return code_; }
  [[noreturn]] void raise() const override { throw SysError(*this); }

private:
  int code_;
};

/// `error` with a hint below it, for `throw with_hint(Error(...), "...")`.
template<class E>
E with_hint(E error, const std::string& hint) {
  error.add_hint(hint);
  return error;
}

/// Runs `body`. An Error leaving it keeps its type and gains one level of context.
template<class Body, class... Args>
decltype(auto) within(Body&& body, fmt::format_string<Args...> format, Args&&... args) {
  try {
    return std::forward<Body>(body)();
  } catch (Error& error) {
    error.add_context(fmt::format(format, std::forward<Args>(args)...));
    throw;
  }
}

} // namespace cairn
