#include "fs/copy/copy.hpp"

#include "fs/copy/copy_archive.hpp"
#include "fs/copy/copy_match.hpp"
#include "fs/copy/copy_walk.hpp"
#include "fs/copy/layer_changes.hpp"
#include "fs/pattern/glob.hpp"
#include "util/error.hpp"

#include <utility>

namespace cairn {

namespace {

/// Where the copy goes. A slash or "/." at the end says that it is a directory.
struct Destination {
  RootedPath path;
  enum class Shape { any, directory } shape = Shape::any;
};

Destination parse_destination(const CopyRequest& request) {
  const auto& text = request.destination;
  const bool says_directory =
      text.empty() || text == "." || text.ends_with('/') || text.ends_with("/.");
  return {RootedPath::parse(join_path(request.workdir, text)),
          says_directory ? Destination::Shape::directory : Destination::Shape::any};
}

/// A source of --parents: "a/./b" copies b from a, "a/b" copies a/b from the root.
struct Pivot {
  RootedPath base;
  std::string pattern; // "" stands for everything
};

Pivot split_pivot(const std::string& source) {
  const auto at = source.find("/./");
  const auto inside = RootedPath::parse(at == std::string::npos ? source : source.substr(at + 3));
  Pivot pivot;
  if (at != std::string::npos)
    pivot.base = RootedPath::parse(source.substr(0, at));
  if (!inside.is_root())
    pivot.pattern = inside.relative();
  return pivot;
}

/// With --parents a source has a name that patterns can fit, and is missed when they take it away.
void require_not_excluded(const IgnoreRules& exclude, const std::string& source) {
  const auto answer = exclude.judge(source);
  if (answer.ignored() && !exclude.may_keep_below(source))
    throw with_hint(Error("\"{}\" is not copied", source),
                    "--exclude=" + answer.line->pattern + " excludes it");
}

bool is_own_layer(const CopyRequest& request) noexcept {
  return request.link == CopyRequest::Link::yes && !request.mode;
}

class Planner {
public:
  Planner(const CopyRequest& request, const Tree& below)
      : request_(request), destination_(parse_destination(request)), changes_(below) {}

  CopyPlan run() {
    for (std::size_t i = 0; i < request_.sources.size(); ++i)
      std::visit([&](const auto& source) { add(source, i); }, request_.sources[i]);
    return changes_.finish();
  }

private:
  void add(const ViewSource& source, std::size_t index) {
    CopyRules rules{IgnoreRules::of(request_.excludes), std::nullopt};
    auto base = RootedPath::parse(source.pattern);
    if (request_.parents == CopyRequest::Parents::keep) {
      const auto pivot = split_pivot(source.pattern);
      base = pivot.base;
      if (!pivot.pattern.empty())
        rules.include = IgnoreRules::of({pivot.pattern});
      if (!has_wildcard(base.str()) && !has_wildcard(pivot.pattern)) {
        require_in_view(*source.view, RootedPath::parse(base.str() + "/" + pivot.pattern));
        require_not_excluded(rules.exclude, pivot.pattern);
      }
    }
    for (const auto& match : find_matches(*source.view, base))
      copy(*source.view, match, rules, index);
  }

  void copy(const FileView& view, const CopyMatch& match, const CopyRules& rules,
            std::size_t index) {
    if (request_.archive && match.file.meta.type == FileType::regular)
      if (const auto archive = request_.archive(view, match.followed)) {
        merge(*archive, {CopyContent::Kind::archive, index, match.followed, 0});
        return;
      }
    const auto target = prepare(match.file.meta, match.path.name());
    CopyWalk(request_, rules, changes_).run({view, index, match.followed, target}, match.file);
  }

  void add(const GivenFile& source, std::size_t index) {
    const auto& name = source.name;
    if (name == "." || name == ".." || name.find('/') != std::string::npos)
      throw Error("'{}' is no name for a file", name);
    const auto target = prepare(source.meta, name);
    if (changes_.type(target) == FileType::directory)
      throw Error("cannot replace directory '{}' with file '{}'", target.str(), name);
    auto meta = source.meta;
    if (request_.owner) {
      meta.uid = request_.owner->uid;
      meta.gid = request_.owner->gid;
    }
    if (request_.mode)
      meta.mode = request_.mode->apply(meta.mode, meta.type);
    changes_.put_file(target, meta, {CopyContent::Kind::given, index, {}, 0});
  }

  void add(const GivenArchive& source, std::size_t index) {
    merge(source, {CopyContent::Kind::archive, index, {}, 0});
  }

  void merge(const GivenArchive& archive, const CopyContent& content) {
    auto made = made_directory(request_);
    made.mode = 0755; // --chmod is not for archives
    const auto directory = changes_.resolve(destination_.path, Tree::Last::follow);
    changes_.make_directories(directory, made);
    merge_archive(changes_, request_, archive, directory, content);
  }

  // The name of the copy, with all directories above it made.
  RootedPath prepare(const Metadata& source, std::string_view name) {
    const auto made = made_directory(request_);
    const auto& path = destination_.path;
    if (destination_.shape == Destination::Shape::directory)
      changes_.make_directories(changes_.resolve(path, Tree::Last::follow), made);
    else
      changes_.make_directories(changes_.resolve(path.parent(), Tree::Last::follow), made);
    auto target = changes_.resolve(path, Tree::Last::follow);
    const auto there = changes_.type(target);
    if (is_directory(source)) {
      changes_.make_directories(there ? target.parent() : target, made);
      return target;
    }
    if (there == FileType::directory) {
      if (name.empty())
        throw with_hint(Error("there is no name for a file in directory '{}'", target.str()),
                        "the destination can say what it is to be called");
      target = target.child(name);
    }
    changes_.make_directories(target.parent(), made);
    return target;
  }

  const CopyRequest& request_;
  Destination destination_;
  LayerChanges changes_;
};

} // namespace

CopyPlan plan_copy(const CopyRequest& request, const Tree& stage) {
  const Tree nothing;
  return Planner(request, is_own_layer(request) ? nothing : stage).run();
}

} // namespace cairn
