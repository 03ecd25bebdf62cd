#include "fs/copy/copy_walk.hpp"

#include "util/error.hpp"

#include <algorithm>
#include <utility>

namespace cairn {

namespace {

constexpr std::string_view capability = "security.capability";
constexpr std::uint32_t made_mode = 0755;

[[noreturn]] void not_a_directory(const RootedPath& from, const RootedPath& target) {
  throw Error("cannot copy directory '{}' to '{}': it is no directory", from.str(), target.str());
}

} // namespace

void keep_capability(std::vector<Xattr>& xattrs) {
  std::erase_if(xattrs, [](const Xattr& xattr) { return xattr.name != capability; });
}

Metadata apply_flags(const CopyRequest& request, Metadata meta) {
  if (request.owner) {
    meta.uid = request.owner->uid;
    meta.gid = request.owner->gid;
  } else if (request.ownership == CopyRequest::Ownership::reset) {
    meta.uid = 0;
    meta.gid = 0;
  }
  if (request.mode)
    meta.mode = request.mode->apply(meta.mode, meta.type);
  keep_capability(meta.xattrs);
  return meta;
}

Metadata made_directory(const CopyRequest& request) {
  Metadata made;
  made.type = FileType::directory;
  made.mode = made_mode;
  if (request.mode && request.mode->octal())
    made.mode = *request.mode->octal() & 0777U;
  made.uid = request.owner ? request.owner->uid : 0;
  made.gid = request.owner ? request.owner->gid : 0;
  made.mtime = request.now;
  return made;
}

void CopyWalk::run(const Start& start, const ViewedFile& file) {
  view_ = &start.view;
  source_ = start.source;
  copied_.clear();
  copy({start.from, start.target, ""}, file, {});
}

void CopyWalk::copy(const Item& item, const ViewedFile& file, const Scopes& outer) {
  Scopes own;
  // Patterns are about what is in a source, not about the source.
  const auto choice = item.inside.empty() ? Choice() : choose(item.inside, outer, own);
  if (is_directory(file.meta)) {
    if (choice.selected() || may_choose_below(item.inside, choice))
      copy_directory(item, file.meta, own, choice.selected());
  } else if (choice.selected()) {
    make_parents();
    copy_file(item, file);
  }
}

CopyWalk::Choice CopyWalk::choose(const std::string& inside, const Scopes& outer,
                                  Scopes& own) const {
  Choice choice;
  choice.excluded = rules_.exclude.judge(inside, outer.exclude, own.exclude).ignored();
  if (rules_.include)
    choice.included = rules_.include->judge(inside, outer.include, own.include).ignored();
  return choice;
}

bool CopyWalk::may_choose_below(const std::string& inside, const Choice& choice) const {
  return (!choice.excluded || rules_.exclude.may_keep_below(inside)) &&
         (choice.included || rules_.include->may_ignore_below(inside));
}

void CopyWalk::copy_directory(const Item& item, const Metadata& meta, const Scopes& scopes,
                              bool selected) {
  if (selected) {
    make_parents();
    const auto old = changes_.type(item.target);
    if (old && old != FileType::directory)
      not_a_directory(item.from, item.target);
    // Where the contents of a source go keeps its own metadata.
    if (!old || !item.inside.empty())
      changes_.put_directory(item.target, apply_flags(request_, meta));
  }
  parents_.push_back({&meta, &item.target, selected});
  const auto prefix = item.inside.empty() ? std::string() : item.inside + "/";
  view_->list(item.from, [&](const std::string& name, const ViewedFile& file) {
    copy({item.from.child(name), item.target.child(name), prefix + name}, file, scopes);
  });
  parents_.pop_back();
}

void CopyWalk::make_parents() {
  for (auto& parent : parents_) {
    if (parent.made)
      continue;
    parent.made = true;
    auto old = changes_.find(*parent.target);
    if (!old) {
      changes_.put_directory(*parent.target, apply_flags(request_, *parent.source));
      continue;
    }
    if (!is_directory(*old))
      not_a_directory(*parent.target, *parent.target);
    // As BuildKit does: a directory that is only passed through takes the source's mode alone.
    old->mode = parent.source->mode;
    changes_.put_directory(*parent.target, *old);
  }
}

void CopyWalk::copy_file(const Item& item, const ViewedFile& file) {
  if (changes_.type(item.target) == FileType::directory)
    throw Error("cannot replace directory '{}' with file '{}'", item.target.str(),
                item.from.relative());
  if (file.identity) {
    const auto known = copied_.find(*file.identity);
    if (known != copied_.end()) {
      changes_.put_name(item.target, known->second);
      return;
    }
  }
  CopyContent content;
  if (file.meta.type == FileType::regular)
    content = {CopyContent::Kind::view, source_, item.from, 0};
  const auto number = changes_.put_file(item.target, apply_flags(request_, file.meta), content);
  if (file.identity)
    copied_.emplace(*file.identity, number);
}

} // namespace cairn
