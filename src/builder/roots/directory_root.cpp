#include "builder/roots/directory_root.hpp"

#include "builder/layers/files_below.hpp"
#include "builder/roots/overlay_root.hpp"
#include "builder/roots/same_bytes.hpp"
#include "util/beneath.hpp"
#include "util/crypto.hpp"
#include "util/error.hpp"
#include "util/file.hpp"
#include "util/threads.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace cairn {

/// Unpacks the layers of a stage's base, one after the other, while they are read for the Tree:
/// those that are not there yet.
class DirectoryRootFilesystem::Loader final : public LayerStack::Loader {
public:
  Loader(const DirectoryRootFilesystem& root, std::size_t base_image_layers)
      : root_(root), base_image_layers_(base_image_layers) {}

  void begin(std::size_t layer) override {
    const auto origin = layer < base_image_layers_ ? LayerOrigin::base_image : LayerOrigin::build;
    unpacker_ = std::make_unique<Unpacker>(root_.root_, root_.unpack_options(origin));
  }
  void entry(std::size_t, const LayerEntry& entry, EntryContent& content) override {
    unpacker_->add(entry, content);
  }
  void end(std::size_t) override { unpacker_->finish(); }
  // Each layer was written over those below it.
  void all_read(std::size_t, const Tree&) override {}
  bool wants(std::size_t layer) const override { return layer >= root_.applied_; }
  std::size_t parallel() const override { return 1; }

  std::string text(std::size_t, const RootedPath& path) override {
    const auto file = open_in_root(root_.root_, path, O_RDONLY);
    return file ? read_file(*file, std::uint64_t{1} << 20) : std::string();
  }

private:
  const DirectoryRootFilesystem& root_;
  std::size_t base_image_layers_;
  std::unique_ptr<Unpacker> unpacker_;
};

namespace {

/// Without directories that the image has not, that nothing was put in, and that are only there
/// for what a neighbour has below them.
LayerContent without_empty_ways(LayerContent content, const Tree& before,
                                const ForeignFiles& foreign_files) {
  std::vector<std::size_t> kept; // from the last to the first
  for (auto i = content.entries.size(); i-- > 0;) {
    const auto entry = content.entries[i];
    const bool leads_to_kept =
        !kept.empty() && entry.path.contains(content.entries.path(kept.back()));
    if (entry.meta.type != FileType::directory || leads_to_kept || before.find(entry.path) ||
        !foreign_files.need(entry.path))
      kept.push_back(i);
  }
  if (kept.size() == content.entries.size())
    return content;
  std::reverse(kept.begin(), kept.end());
  LayerEntries entries;
  for (const auto i : kept)
    entries.push_back(content.entries[i]);
  content.entries = std::move(entries);
  return content;
}

std::set<RootedPath> covered_by(const Invocation& invocation) {
  std::set<RootedPath> covered;
  if (invocation.hosts)
    covered.insert(RootedPath::parse("/etc/hosts"));
  if (invocation.resolv_conf)
    covered.insert(RootedPath::parse("/etc/resolv.conf"));
  for (const auto& mount : invocation.mounts)
    covered.insert(std::visit([](const auto& any) { return any.target; }, mount));
  return covered;
}

} // namespace

DirectoryRootFilesystem::DirectoryRootFilesystem(const RootServices& services, CommandRoot root,
                                                 std::string path)
    : services_(services), command_root_(std::move(root)), path_(std::move(path)),
      root_(open_directory(path_)) {}

void DirectoryRootFilesystem::apply_layers(LayerStack& stack) {
  if (services_.base != nullptr && applied_ == 0)
    applied_ = stack.base_image_layers();
  if (!stack.loaded()) {
    Loader loader(*this, stack.base_image_layers());
    stack.load(&loader);
    applied_ = stack.layers().size();
    before_.reset();
  }
  for (; applied_ < stack.layers().size(); ++applied_) {
    unpack(*stack.layers()[applied_]);
    before_.reset();
  }
}

void DirectoryRootFilesystem::unpack(const StageLayer& layer) {
  Unpacker unpacker(root_, unpack_options(LayerOrigin::build));
  layer.read([&](const LayerEntry& entry, EntryContent& content) { unpacker.add(entry, content); });
  unpacker.finish();
}

Unpacker::Options DirectoryRootFilesystem::unpack_options(LayerOrigin origin) const {
  Unpacker::Options options;
  options.whiteouts = Unpacker::Whiteouts::remove;
  if (auto* foreign_files = services_.foreign_files) {
    options.is_protected = [foreign_files](const RootedPath& path) {
      return foreign_files->own(path);
    };
    options.on_blocked = [=](const LayerEntry& entry, const RootedPath& place) {
      foreign_files->blocked(origin, entry, place);
    };
  }
  return options;
}

void DirectoryRootFilesystem::admit(const LayerEntries& entries) {
  if (services_.foreign_files != nullptr)
    for (const auto& entry : entries)
      services_.foreign_files->admit(entry);
}

std::string DirectoryRootFilesystem::visible_hint() const {
  return services_.foreign_files != nullptr ? services_.foreign_files->visible_hint()
                                            : std::string();
}

Snapshot DirectoryRootFilesystem::look() const {
  const auto* foreign_files = services_.foreign_files;
  if (foreign_files == nullptr)
    return Snapshot::take(root_, services_.ignored, useful_threads());
  return Snapshot::take(
      root_, [=](const RootedPath& path) { return foreign_files->is_volatile(path); },
      useful_threads());
}

Outcome DirectoryRootFilesystem::run(const Invocation& invocation, const LayerStack&) {
  if (services_.foreign_files != nullptr)
    services_.foreign_files->admit(invocation);
  if (!before_)
    before_ = look();
  covered_ = covered_by(invocation);
  return services_.runner.run(command_root_, invocation);
}

LayerContent DirectoryRootFilesystem::changes(const LayerStack& stack) {
  const ContentCheck same = [&](const RootedPath& path, const Tree::Node& before) {
    return same_content(path, before, stack);
  };
  auto* foreign_files = services_.foreign_files;
  auto after = look();
  if (foreign_files != nullptr)
    if (const auto path = Snapshot::first_difference(*before_, after, services_.ignored))
      foreign_files->changed(*path);
  LayerContent content;
  content.entries =
      changes_since(*before_, after, root_, stack.loaded_tree(), services_.ignored, same).entries;
  if (foreign_files != nullptr)
    content = without_empty_ways(std::move(content), stack.loaded_tree(), *foreign_files);
  before_ = std::move(after);
  content.begin = files_below(path_);
  return content;
}

/// Whether the last command saw something else at a path, and had no other name for what is there.
/// A file that is moved out of its way comes back with another ctime. In place it can be reached.
bool DirectoryRootFilesystem::was_out_of_reach(const RootedPath& path) const {
  if (services_.foreign_files != nullptr || !covered_.contains(path))
    return false;
  const auto file = open_in_root(root_, path, O_PATH | O_NOFOLLOW);
  struct stat info {};
  return file && ::fstat(file->get(), &info) == 0 && info.st_nlink == 1;
}

bool DirectoryRootFilesystem::same_content(const RootedPath& path, const Tree::Node& before,
                                           const LayerStack& stack) {
  if (was_out_of_reach(path))
    return true;
  const auto number = before.content().layer;
  if (before.size() == 0)
    return true;
  // Layers of commands are set aside by now: what still lies somewhere lies out of reach.
  if (stack.layers().at(number)->files()) {
    auto now = open_in_root(root_, path, O_RDONLY);
    if (!now)
      return false;
    FileSource changed(*std::move(now));
    return sha256_hex(changed) == sha256_hex(*read_content(stack.layers(), before.content()));
  }
  if (const auto directory = stack.layers().at(number)->directory();
      directory && before.layer() == number) {
    const auto now = open_in_root(root_, path, O_RDONLY);
    const auto then = open_beneath(open_directory(*directory), path, O_RDONLY | O_NONBLOCK);
    return now && then && same_bytes(*now, *then);
  }
  auto known = hashes_.find(number);
  if (known == hashes_.end()) {
    known = hashes_.try_emplace(number).first;
    std::uint32_t position = 0;
    stack.layers().at(number)->read([&](const LayerEntry& entry, EntryContent& content) {
      if (entry.meta.type == FileType::regular && !entry.hard_link) {
        Sha256 hash;
        content.copy_to(hash);
        known->second[position] = hash.hex();
      }
      ++position;
    });
  }
  auto file = open_in_root(root_, path, O_RDONLY);
  const auto expected = known->second.find(before.content().entry);
  if (!file || expected == known->second.end())
    return false;
  FileSource now(*std::move(file));
  return sha256_hex(now) == expected->second;
}

void DirectoryRootFilesystem::commit(const std::shared_ptr<const StageLayer>&) {
  ++applied_;
}

std::optional<std::string> DirectoryRootFilesystem::changed_text(const RootedPath& path,
                                                                 std::uint64_t limit) const {
  const auto file = open_in_root(root_, path, O_RDONLY);
  return file ? std::optional(read_file(*file, limit)) : std::nullopt;
}

namespace {

enum class Left { nothing, something };

Left clear_directory(FdRef directory, const RootedPath& path, const PathFilter& protect) {
  Left left = Left::nothing;
  for (const auto& name : list_directory(directory)) {
    const auto child = path.child(name);
    if (protect(child)) {
      left = Left::something;
      continue;
    }
    if (::unlinkat(directory.get(), name.c_str(), 0) == 0)
      continue;
    if (errno != EISDIR && errno != EPERM)
      throw SysError(errno, "remove '{}'", child.str());
    const auto below = open_at(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (clear_directory(below, child, protect) == Left::something)
      left = Left::something;
    else if (::unlinkat(directory.get(), name.c_str(), AT_REMOVEDIR) != 0) {
      if (errno != EBUSY) // a mount point
        throw SysError(errno, "remove '{}'", child.str());
      left = Left::something;
    }
  }
  return left;
}

} // namespace

void clear_root(FdRef root, const PathFilter& protect) {
  clear_directory(root, RootedPath(), protect);
}

} // namespace cairn
