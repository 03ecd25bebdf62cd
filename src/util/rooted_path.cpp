#include "util/rooted_path.hpp"

#include "util/error.hpp"

#include <algorithm>

namespace cairn {

namespace {

std::vector<std::string_view> clean_components(std::string_view path, bool absolute) {
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    const auto end = std::min(path.find('/'), path.size());
    const auto part = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    if (part.empty() || part == ".")
      continue;
    const bool goes_up = part == "..";
    if (goes_up && !parts.empty() && parts.back() != "..")
      parts.pop_back();
    else if (!goes_up || !absolute)
      parts.push_back(part);
  }
  return parts;
}

} // namespace

std::string clean_path(std::string_view path) {
  const bool absolute = path.starts_with('/');
  std::string out = absolute ? "/" : "";
  for (const auto part : clean_components(path, absolute)) {
    if (!out.empty() && out.back() != '/')
      out += '/';
    out += part;
  }
  return out.empty() ? "." : out;
}

std::string join_path(std::string_view base, std::string_view path) {
  if (path.starts_with('/'))
    return clean_path(path);
  return clean_path(std::string(base) + "/" + std::string(path));
}

RootedPath RootedPath::parse(std::string_view path) {
  if (path.find('\0') != std::string_view::npos)
    throw Error("path '{}' holds a NUL byte", path.substr(0, path.find('\0')));
  return RootedPath(clean_path("/" + std::string(path)));
}

RootedPath RootedPath::parent() const {
  const auto slash = text_.rfind('/');
  return slash == 0 ? RootedPath() : RootedPath(text_.substr(0, slash));
}

std::string_view RootedPath::name() const noexcept {
  return std::string_view(text_).substr(text_.rfind('/') + 1);
}

std::vector<std::string_view> RootedPath::components() const {
  return clean_components(text_, true);
}

RootedPath RootedPath::child(std::string_view name) const {
  return RootedPath(is_root() ? "/" + std::string(name) : text_ + "/" + std::string(name));
}

bool RootedPath::contains(const RootedPath& other) const noexcept {
  if (is_root())
    return true;
  return other.text_.starts_with(text_) &&
         (other.text_.size() == text_.size() || other.text_[text_.size()] == '/');
}

std::string_view RootedPath::inside(const RootedPath& other) const noexcept {
  const std::string_view rest = std::string_view(other.text_).substr(is_root() ? 0 : text_.size());
  return rest.starts_with('/') ? rest.substr(1) : rest;
}

std::strong_ordering RootedPath::operator<=>(const RootedPath& other) const noexcept {
  const auto [a, b] =
      std::mismatch(text_.begin(), text_.end(), other.text_.begin(), other.text_.end());
  if (a == text_.end() || b == other.text_.end())
    return text_.size() <=> other.text_.size();
  // The separator sorts before every other byte, so that "a/b" comes before "a-b".
  const auto rank = [](char c) {
    return c == '/' ? 0 : static_cast<int>(static_cast<unsigned char>(c)) + 1;
  };
  return rank(*a) <=> rank(*b);
}

} // namespace cairn
