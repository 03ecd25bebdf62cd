#include "fs/archive/metadata.hpp"
#include "fs/tree/view.hpp"
#include "util/beneath.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

#include <fmt/core.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <unordered_map>

namespace cairn {

namespace {

std::optional<ViewedFile> look_at(FdRef directory, const std::string& name) {
  struct stat info {};
  if (::fstatat(directory.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT || errno == ENOTDIR)
      return std::nullopt;
    throw SysError(errno, "stat '{}'", name);
  }
  const auto type = file_type_of(info.st_mode);
  if (!type)
    return std::nullopt;
  ViewedFile file;
  auto& meta = file.meta;
  meta.type = *type;
  meta.mode = info.st_mode & 07777U;
  meta.uid = info.st_uid;
  meta.gid = info.st_gid;
  meta.mtime = from_unix(info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
  if (*type == FileType::symlink)
    meta.link_target = read_link(directory, name);
  if (*type == FileType::char_device || *type == FileType::block_device) {
    meta.device_major = major(info.st_rdev);
    meta.device_minor = minor(info.st_rdev);
  }
  if (*type != FileType::regular)
    return file;
  meta.size = static_cast<std::uint64_t>(info.st_size);
  if (info.st_nlink > 1)
    file.identity = FileIdentity{info.st_dev, info.st_ino};
  return file;
}

} // namespace

struct DirectoryView::State {
  /// What is known of a directory's place among the rules.
  struct Standing {
    IgnoreRules::Scope scope;
    IgnoreRules::Answer answer;
    std::optional<bool> shows_something;
  };

  State(FdRef directory, Options with) : root(directory), options(std::move(with)) {}

  const Fd* open_directory(const RootedPath& path) {
    if (!held || held_path != path) {
      auto fd = open_beneath(root, path, O_PATH | O_DIRECTORY);
      if (!fd)
        return nullptr;
      held = std::move(*fd);
      held_path = path;
    }
    return &held;
  }

  std::optional<ViewedFile> look(const RootedPath& path) {
    if (path.is_root())
      return look_at(root, ".");
    const auto* parent = open_directory(path.parent());
    return parent != nullptr ? look_at(*parent, std::string(path.name())) : std::nullopt;
  }

  Standing& standing(const RootedPath& directory) {
    const auto known = standings.find(directory.str());
    if (known != standings.end())
      return known->second;
    Standing own;
    if (!directory.is_root()) {
      const auto& above = standing(directory.parent());
      own.answer = options.ignore.judge(directory.relative(), above.scope, own.scope);
    }
    return standings.emplace(directory.str(), std::move(own)).first->second;
  }

  IgnoreRules::Answer judge(const RootedPath& path, FileType type) {
    if (type == FileType::directory)
      return standing(path).answer;
    return options.ignore.judge_file(path.relative(), standing(path.parent()).scope);
  }

  bool shows(const RootedPath& path, FileType type) {
    if (options.ignore.empty() || path.is_root() || !judge(path, type).ignored())
      return true;
    return type == FileType::directory && shows_below(path);
  }

  // An ignored directory is there as long as something in it is.
  bool shows_below(const RootedPath& directory) {
    auto& own = standing(directory);
    if (!own.shows_something)
      own.shows_something =
          options.ignore.may_keep_below(directory.relative()) && search(directory);
    return *own.shows_something;
  }

  bool search(const RootedPath& directory) {
    const auto fd = open_readable(directory);
    if (!fd)
      return false;
    for (const auto& name : list_directory(*fd)) {
      struct stat info {};
      if (::fstatat(fd->get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0)
        continue;
      const auto type = file_type_of(info.st_mode);
      if (type && shows(directory.child(name), *type))
        return true;
    }
    return false;
  }

  // What nobody asked for need not be readable.
  std::optional<Fd> open_readable(const RootedPath& directory) const {
    try {
      return open_beneath(root, directory, O_RDONLY | O_DIRECTORY);
    } catch (const SysError& error) {
      if (error.is(std::errc::permission_denied))
        return std::nullopt;
      throw;
    }
  }

  FdRef root;
  Options options;
  Fd held;
  RootedPath held_path;
  std::unordered_map<std::string, Standing> standings;
};

DirectoryView::DirectoryView(FdRef root) : DirectoryView(root, Options()) {}

DirectoryView::DirectoryView(FdRef root, Options options)
    : state_(std::make_unique<State>(root, std::move(options))) {}

DirectoryView::~DirectoryView() = default;

std::optional<ViewedFile> DirectoryView::stat(const RootedPath& path) const {
  return within(
      [&]() -> std::optional<ViewedFile> {
        auto file = state_->look(path);
        if (!file || !state_->shows(path, file->meta.type))
          return std::nullopt;
        return file;
      },
      "'{}' in {}", path.relative(), what());
}

void DirectoryView::list(const RootedPath& directory, const Visitor& visit) const {
  std::vector<std::string> names;
  {
    const auto fd = open_beneath(state_->root, directory, O_RDONLY | O_DIRECTORY);
    if (!fd)
      throw Error("'{}' is no directory in {}", directory.relative(), what());
    names = list_directory(*fd);
  }
  // Who is shown a directory goes down into it: none is open all the while.
  for (const auto& name : names)
    if (const auto file = stat(directory.child(name)))
      visit(name, *file);
}

std::unique_ptr<Source> DirectoryView::open(const RootedPath& path) const {
  // Should it have become a pipe in the meantime, opening must not wait for a writer.
  auto fd = open_beneath(state_->root, path, O_RDONLY | O_NONBLOCK);
  struct stat info {};
  if (!fd || ::fstat(fd->get(), &info) != 0 || !S_ISREG(info.st_mode))
    throw Error("'{}' is no regular file in {}", path.relative(), what());
  return std::make_unique<FileSource>(std::move(*fd));
}

std::optional<FileStamp> DirectoryView::stamp(const RootedPath& path) const {
  const auto* parent = state_->open_directory(path.parent());
  struct stat info {};
  if (parent == nullptr ||
      ::fstatat(parent->get(), std::string(path.name()).c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0)
    return std::nullopt;
  if (!S_ISREG(info.st_mode))
    return std::nullopt;
  return FileStamp{info.st_dev, info.st_ino, from_unix(info.st_ctim.tv_sec, info.st_ctim.tv_nsec),
                   from_unix(info.st_mtim.tv_sec, info.st_mtim.tv_nsec),
                   static_cast<std::uint64_t>(info.st_size)};
}

std::string DirectoryView::why_hidden(const RootedPath& path) const {
  if (state_->options.ignore.empty() || path.is_root())
    return {};
  const auto file = state_->look(path);
  const auto answer = file ? state_->judge(path, file->meta.type) : IgnoreRules::Answer();
  if (!answer.ignored() || answer.line == nullptr)
    return {};
  return fmt::format("{} line {} (\"{}\") excludes it", state_->options.ignore_name,
                     answer.line->number, answer.line->pattern);
}

std::string DirectoryView::what() const {
  return state_->options.what;
}

} // namespace cairn
