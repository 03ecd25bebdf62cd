#include "fs/tree/links.hpp"

#include "util/error.hpp"

#include <algorithm>
#include <deque>
#include <string_view>
#include <utility>
#include <vector>

namespace cairn {

namespace {

std::deque<std::string> split_path(std::string_view path) {
  std::deque<std::string> parts;
  while (!path.empty()) {
    const auto end = std::min(path.find('/'), path.size());
    if (end != 0 && path.substr(0, end) != ".")
      parts.emplace_back(path.substr(0, end));
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return parts;
}

class Resolution {
public:
  Resolution(const RootedPath& path, const LinkReader& link_at)
      : path_(path), link_at_(link_at), todo_(split_path(path.str())) {}

  RootedPath run(LastLink last, const LinkEnd& arrived) {
    while (!todo_.empty()) {
      const auto name = std::move(todo_.front());
      todo_.pop_front();
      if (++names_ > max_names)
        throw Error("'{}' leads through more than {} names when its symbolic links are followed",
                    path_.str(), max_names);
      if (name == "..")
        at_ = at_.parent();
      else
        enter(name, todo_.empty() && last == LastLink::keep);
      for (; !ends_.empty() && ends_.back() == todo_.size(); ends_.pop_back())
        if (arrived)
          arrived(at_);
    }
    return at_;
  }

private:
  void enter(const std::string& name, bool kept) {
    auto next = at_.child(name);
    const auto target = kept ? std::nullopt : link_at_(next);
    if (!target) {
      at_ = std::move(next);
      return;
    }
    if (++links_ > max_links)
      throw Error("'{}': too many levels of symbolic links", path_.str());
    if (target->starts_with('/'))
      at_ = RootedPath();
    ends_.push_back(todo_.size());
    const auto parts = split_path(*target);
    todo_.insert(todo_.begin(), parts.begin(), parts.end());
  }

  const RootedPath& path_;
  const LinkReader& link_at_;
  RootedPath at_;
  std::deque<std::string> todo_;
  std::vector<std::size_t> ends_; // how much is left to do when a link's target has been walked
  int links_ = 0;
  int names_ = 0;
};

} // namespace

RootedPath resolve_links(const RootedPath& path, LastLink last, const LinkReader& link_at) {
  return Resolution(path, link_at).run(last, {});
}

RootedPath resolve_links(const RootedPath& path, const LinkReader& link_at,
                         const LinkEnd& arrived) {
  return Resolution(path, link_at).run(LastLink::follow, arrived);
}

} // namespace cairn
