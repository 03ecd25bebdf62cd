#include "edits.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <random>

using namespace cairn;
using namespace cairn::test;

TEST_SUITE_BEGIN("fs/changes");

namespace {

/// Edits at random, but the same for the same seed: names from a small set, so that they collide.
/// What is impossible at some point is not done, which depends on the state alone. Times are set,
/// so that they do not depend on the clock.
class RandomEdits {
public:
  RandomEdits(std::string root, unsigned seed) : root_(std::move(root)), random_(seed) {}

  void run(int count) {
    for (int i = 0; i < count; ++i)
      one();
  }

private:
  unsigned pick(unsigned below) { return static_cast<unsigned>(random_() % below); }

  std::string path() {
    static constexpr std::array names{"a", "b", "c", "a-b", "d.e"};
    std::string path = root_;
    for (unsigned depth = 1 + pick(3); depth != 0; --depth)
      path += std::string("/") + names.at(pick(names.size()));
    return path;
  }

  void set_time(const std::string& path) {
    const timespec time{1'000'000'000 + static_cast<time_t>(pick(3)), 0};
    const std::array times{time, time};
    ::utimensat(AT_FDCWD, path.c_str(), times.data(), AT_SYMLINK_NOFOLLOW);
  }

  void write(const std::string& path, int flags) {
    static constexpr std::array texts{"one", "two", "three", ""};
    const std::string text = texts.at(pick(texts.size()));
    const Fd file(::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW | O_WRONLY, 0644));
    if (file)
      write_all(file, std::as_bytes(std::span(text)));
    set_time(path);
  }

  void one() {
    const auto at = path();
    const auto other = path();
    struct stat info {};
    switch (pick(10)) {
    case 0:
      return write(at, O_CREAT | O_EXCL);
    case 1:
      return write(at, O_TRUNC);
    case 2:
    case 3:
      ::mkdir(at.c_str(), 0755);
      return;
    case 4:
      if (::lstat(at.c_str(), &info) == 0)
        remove_tree(current_directory(), at);
      return;
    case 5:
      ::symlink("elsewhere", at.c_str());
      return set_time(at);
    case 6:
      // A directory of a lower layer cannot be renamed in an overlay.
      if (::lstat(at.c_str(), &info) == 0 && !S_ISDIR(info.st_mode))
        ::rename(at.c_str(), other.c_str());
      return;
    case 7:
      if (::lstat(at.c_str(), &info) == 0 && !S_ISLNK(info.st_mode))
        ::chmod(at.c_str(), pick(2) == 0 ? 0755 : 0700);
      return;
    case 8:
      ::link(at.c_str(), other.c_str());
      return;
    default:
      ::lchown(at.c_str(), pick(2), 0);
    }
  }

  std::string root_;
  std::mt19937 random_;
};

/// A root that some edits have made already.
std::vector<Member> random_base(unsigned seed) {
  const auto made =
      edit_directory({}, [&](const std::string& root) { RandomEdits(root, seed).run(60); });
  std::vector<Member> base;
  for (auto member : made.members) {
    if (member.entry.hard_link)
      continue; // An overlay breaks hard links of its lower layers.
    base.push_back(std::move(member));
  }
  return base;
}

} // namespace

TEST_CASE("random edits give the same changes in an overlay, and the tree follows") {
  if (!is_root()) {
    MESSAGE("skipped: owners can only be set by root");
    return;
  }
  for (unsigned seed = 0; seed < 60; ++seed) {
    CAPTURE(seed);
    const auto base = random_base(1000 + seed);
    const auto edit = [&](const std::string& root) { RandomEdits(root, seed).run(40); };
    const auto in_directory = edit_directory(base, edit);
    const auto in_overlay = edit_overlay(base, edit);
    if (in_overlay) {
      CHECK(in_overlay->root == in_directory.root);
      CHECK(describe(in_overlay->changes) == describe(in_directory.changes));
    }
    Tree tree;
    tree.apply(index_of(base));
    tree.apply(index_of(in_directory.members));
    CHECK(describe(tree, {base, in_directory.members}, HardLinks::as_copies) == in_directory.root);

    // The layer, unpacked over the base, makes the same root.
    const TempDir root("/tmp");
    unpack(root.fd(), tar_of(base));
    unpack(root.fd(), tar_of(in_directory.members));
    CHECK(describe(root.fd(), HardLinks::as_copies) == in_directory.root);
  }
}
