#include "edits.hpp"

#include "overlay_mount.hpp"
#include "util/clock.hpp"
#include "util/error.hpp"
#include "util/file.hpp"
#include "util/process.hpp"

#include <doctest/doctest.h>

namespace cairn::test {

namespace {

/// The root afterwards holds files of the base at the same name, or the content has changed.
ContentCheck check_against(const std::vector<Member>& base, FdRef root) {
  return [&base, root](const RootedPath& path, const Tree::Node& before) {
    const auto file = open_in_root(root, path, 0);
    REQUIRE(file);
    return read_file(*file, 1 << 24) == base.at(before.content().entry).content;
  };
}

Edited finish(ChangeSet changes, FdRef changed_files, FdRef root) {
  Edited edited;
  const auto open = open_contents(changed_files, changes.entries);
  for (std::size_t n = 0; n < changes.entries.size(); ++n) {
    Member member{changes.entries[n], {}};
    if (member.entry.meta.size != 0)
      member.content = read_all(*open(n), 1 << 24);
    edited.members.push_back(std::move(member));
  }
  edited.changes = std::move(changes);
  edited.root = describe(root, HardLinks::as_copies);
  return edited;
}

} // namespace

Edited edit_directory(const std::vector<Member>& base, const Edit& edit,
                      const PathFilter& ignored) {
  const TempDir root("/tmp");
  unpack(root.fd(), tar_of(base));
  Tree tree;
  tree.apply(index_of(base));
  const auto before = Snapshot::take(root.fd(), ignored);
  edit(root.path());
  const auto after = Snapshot::take(root.fd(), ignored);
  auto changes =
      changes_since(before, after, root.fd(), tree, ignored, check_against(base, root.fd()));
  return finish(std::move(changes), root.fd(), root.fd());
}

std::optional<Edited> edit_overlay(const std::vector<Member>& base, const Edit& edit,
                                   const PathFilter& ignored) {
  const TempDir lower("/tmp");
  unpack(lower.fd(), tar_of(base));
  Tree tree;
  tree.apply(index_of(base));
  const auto overlay = OverlayMount::create({lower.path()});
  if (!overlay)
    return std::nullopt;
  edit(overlay->merged());
  const auto upper = open_directory(overlay->upper());
  const auto merged = open_directory(overlay->merged());
  auto changes = changes_of_overlay(upper, tree, ignored, check_against(base, upper));
  return finish(std::move(changes), upper, merged);
}

Edit shell(const std::string& script) {
  return [script](const std::string& root) {
    ProcessSpec spec;
    spec.argv = {"sh", "-ec", "cd " + root + "\n" + script};
    const auto result = run_process(spec);
    CAPTURE(script);
    CAPTURE(result.errors);
    REQUIRE(result.exit_status == 0);
  };
}

std::string describe(const ChangeSet& changes) {
  constexpr auto long_ago = from_unix(1'750'000'000);
  std::string out;
  for (const auto& entry : changes.entries) {
    const auto& meta = entry.meta;
    out += fmt::format("{} {} {:o} {}:{}", entry.path.relative(), static_cast<int>(meta.type),
                       meta.mode, meta.uid, meta.gid);
    if (meta.size != 0)
      out += fmt::format(" {} bytes", meta.size);
    if (!meta.link_target.empty())
      out += " -> " + meta.link_target;
    if (entry.hard_link)
      out += fmt::format(" = {}", entry.hard_link->relative());
    for (const auto& xattr : meta.xattrs)
      out += fmt::format(" [{}={}]", xattr.name, xattr.value);
    if (meta.type != FileType::directory && meta.mtime < long_ago)
      out += " " + rfc3339(meta.mtime);
    out += "\n";
  }
  return out;
}

} // namespace cairn::test
