#pragma once

#include <compare>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cairn {

/// Lexical cleaning by the rules of Go's path.Clean: "a//b/./../c" -> "a/c", "" -> ".".
std::string clean_path(std::string_view path);

/// `path` if it is absolute, otherwise `path` below `base`; cleaned.
std::string join_path(std::string_view base, std::string_view path);

/// A place inside some root: absolute, lexically clean, no "..", no NUL. "/" is the root itself.
/// Says nothing about what is there, and a symbolic link in it is just a name.
class RootedPath {
public:
  RootedPath() : text_("/") {}

  /// Cleans `path`, taken relative to "/"; ".." stops at the root.
  /// @throws Error when it holds a NUL byte.
  static RootedPath parse(std::string_view path);

  /// What str() of another has said, at no cost.
  static RootedPath of_clean(std::string text) { return RootedPath(std::move(text)); }

  const std::string& str() const noexcept { return text_; }
  /// Without the leading slash; "." for the root: what the *at() calls want.
  const char* relative() const noexcept { return is_root() ? "." : text_.c_str() + 1; }

  bool is_root() const noexcept { return text_.size() == 1; }
  RootedPath parent() const;              ///< The root is its own parent.
  std::string_view name() const noexcept; ///< The last component; "" for the root.
  std::vector<std::string_view> components() const;

  /// One component below. @pre `name` is a single component, neither "." nor "..".
  RootedPath child(std::string_view name) const;

  /// True for the path itself and everything below it.
  bool contains(const RootedPath& other) const noexcept;

  /// Where `other` lies relative to this: "" for itself. @pre contains(other)
  std::string_view inside(const RootedPath& other) const noexcept;

  /// Orders a directory right before what lies below it, siblings bytewise.
  std::strong_ordering operator<=>(const RootedPath& other) const noexcept;
  bool operator==(const RootedPath& other) const noexcept = default;

private:
  explicit RootedPath(std::string text) : text_(std::move(text)) {}

  std::string text_;
};

} // namespace cairn
