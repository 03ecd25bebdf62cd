#include "fs/copy/copy_match.hpp"

#include "fs/pattern/glob.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

#include <fmt/core.h>

namespace cairn {

namespace {

// A link whose target is missing, the file an ignore rule hides, or a name that was mistyped.
std::string why_missing(const FileView& view, const RootedPath& path) {
  const auto here = view.resolve(path.parent(), Tree::Last::follow).child(path.name());
  const auto file = view.stat(here);
  if (file && file->meta.type == FileType::symlink)
    return fmt::format("it is a symbolic link to \"{}\", which is not in {}",
                       file->meta.link_target, view.what());
  if (auto hidden = view.why_hidden(here); !hidden.empty())
    return hidden;
  const auto directory = view.stat(here.parent());
  if (!directory || directory->meta.type != FileType::directory)
    return {};
  std::vector<std::string> names;
  view.list(here.parent(), [&](const std::string& name, const ViewedFile&) { //
    names.push_back(name);
  });
  const auto meant = suggest(path.name(), names);
  return meant ? fmt::format("did you mean \"{}\"?", path.parent().child(*meant).relative()) : "";
}

[[noreturn]] void missing(const FileView& view, const RootedPath& path) {
  Error error("\"{}\" is not in {}", path.relative(), view.what());
  const auto why = path.is_root() ? std::string() : why_missing(view, path);
  throw why.empty() ? std::move(error) : with_hint(std::move(error), why);
}

CopyMatch follow(const FileView& view, const RootedPath& path) {
  auto followed = view.resolve(path, Tree::Last::follow);
  auto file = view.stat(followed);
  if (!file)
    missing(view, path);
  return {path, std::move(followed), std::move(*file)};
}

struct Wildcard {
  RootedPath fixed;    // up to the first wildcard
  std::string pattern; // from there on
};

Wildcard split_wildcard(const RootedPath& source) {
  Wildcard out;
  for (const auto part : source.components()) {
    if (out.pattern.empty() && !has_wildcard(part))
      out.fixed = out.fixed.child(part);
    else
      out.pattern += (out.pattern.empty() ? "" : "/") + std::string(part);
  }
  return out;
}

class Search {
public:
  Search(const FileView& view, std::string pattern)
      : view_(view), pattern_(std::move(pattern)), parts_(split(pattern_, '/')) {
    match_glob(pattern_, ""); // is an error even where there is nothing to match
    // A quoted slash or one in a class leaves halves that are no patterns.
    by_component_ = !has_slash_class(pattern_) && pattern_.find("\\/") == std::string::npos;
  }

  std::vector<RootedPath> run(const RootedPath& base) {
    walk(base, "", 0);
    return std::move(found_);
  }

private:
  void walk(const RootedPath& directory, const std::string& inside, std::size_t depth) {
    view_.list(directory, [&](const std::string& name, const ViewedFile& file) {
      const auto relative = inside + name;
      if (match_glob(pattern_, relative))
        found_.push_back(directory.child(name));
      else if (file.meta.type == FileType::directory && may_match_below(name, depth))
        walk(directory.child(name), relative + "/", depth + 1);
    });
  }

  bool may_match_below(const std::string& name, std::size_t depth) const {
    return !by_component_ || (depth + 1 < parts_.size() && match_glob(parts_[depth], name));
  }

  const FileView& view_;
  std::string pattern_;
  std::vector<std::string> parts_;
  bool by_component_ = true;
  std::vector<RootedPath> found_;
};

} // namespace

std::vector<CopyMatch> find_matches(const FileView& view, const RootedPath& source) {
  if (!has_wildcard(source.str()))
    return {follow(view, source)};
  const auto [fixed, pattern] = split_wildcard(source);
  const auto base = follow(view, fixed);
  if (base.file.meta.type != FileType::directory)
    return {};
  std::vector<CopyMatch> matches;
  for (const auto& path : Search(view, pattern).run(base.followed))
    matches.push_back(follow(view, path));
  return matches;
}

void require_in_view(const FileView& view, const RootedPath& path) {
  if (view.stat(path))
    return;
  const auto followed = view.resolve(path, Tree::Last::keep);
  if (followed != path && view.stat(followed))
    throw with_hint(Error("\"{}\" is not in {}", path.relative(), view.what()),
                    fmt::format("it is behind a symbolic link, as \"{}\"; --parents follows none",
                                followed.relative()));
  missing(view, path);
}

} // namespace cairn
