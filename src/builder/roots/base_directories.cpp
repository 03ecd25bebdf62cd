#include "builder/roots/base_directories.hpp"

#include "fs/tree/unpack.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

#include <fcntl.h>

#include <memory>

namespace cairn {

namespace {

/// A layer on its way into one directory.
struct Target {
  explicit Target(const std::string& path) : root(open_directory(path)) {}

  Fd root;
  std::unique_ptr<Unpacker> unpacker;
};

Unpacker::Options rules() {
  Unpacker::Options options;
  options.whiteouts = Unpacker::Whiteouts::remove;
  return options;
}

class DirectoriesLoader final : public LayerStack::Loader {
public:
  DirectoriesLoader(std::size_t from, const std::vector<std::string>& directories)
      : from_(from), targets_(directories.begin(), directories.end()) {}

  void begin(std::size_t) override {
    for (auto& target : targets_)
      target.unpacker = std::make_unique<Unpacker>(target.root, rules());
  }

  void entry(std::size_t, const LayerEntry& entry, EntryContent& content) override {
    targets_.front().unpacker->add(entry, content);
    for (std::size_t i = 1; i < targets_.size(); ++i)
      copy_entry(entry, targets_[i]);
  }

  void end(std::size_t) override {
    for (auto& target : targets_)
      target.unpacker->finish();
  }

  // Each layer was written over those below it.
  void all_read(std::size_t, const Tree&) override {}
  bool wants(std::size_t layer) const override { return layer >= from_; }
  std::size_t parallel() const override { return 1; }

  std::string text(std::size_t, const RootedPath& path) override {
    const auto file = open_in_root(targets_.front().root, path, O_RDONLY);
    return file ? read_file(*file, std::uint64_t{1} << 20) : std::string();
  }

private:
  /// The stream has gone by: its content is in the first directory now.
  void copy_entry(const LayerEntry& entry, Target& target) {
    const ContentOpener open = [&](std::size_t) -> std::unique_ptr<Source> {
      auto file = open_in_root(targets_.front().root, entry.path, O_RDONLY | O_NOFOLLOW);
      if (!file)
        throw Error("'{}' is gone", entry.path.str());
      return std::make_unique<FileSource>(std::move(*file));
    };
    EntryContent content(open, 0);
    target.unpacker->add(entry, content);
  }

  std::size_t from_;
  std::vector<Target> targets_;
};

} // namespace

BaseDirectories::BaseDirectories(Workspace& workspace, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i)
    paths_.push_back(workspace.new_directory("root"));
}

std::string BaseDirectories::take() {
  const std::lock_guard lock(mutex_);
  if (taken_ == paths_.size())
    throw Error("no further stage was to begin with this image");
  return paths_[taken_++];
}

void unpack_into(LayerStack& stack, std::size_t from, const std::vector<std::string>& directories) {
  DirectoriesLoader loader(from, directories);
  stack.load(&loader);
}

} // namespace cairn
