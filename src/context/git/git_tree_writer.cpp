#include "context/git/git_tree_writer.hpp"

#include "net/http.hpp"
#include "util/cancelled.hpp"
#include "util/error.hpp"
#include "util/file.hpp"
#include "util/text.hpp"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace cairn {

namespace {

/// Deeper trees are made to exhaust something.
constexpr int deepest = 256;

bool is_allowed(const std::string& name) {
  return !name.empty() && name != "." && name != ".." && !equals_ignoring_case(name, ".git") &&
         name.find('/') == std::string::npos;
}

class BudgetSink final : public Sink {
public:
  BudgetSink(Sink& to, GitBudget& budget) : to_(to), budget_(budget) {}

  void write(std::span<const std::byte> bytes) override {
    if (bytes.size() > budget_.bytes)
      throw Error("the files of the repository are larger together than any are");
    budget_.bytes -= bytes.size();
    to_.write(bytes);
  }

private:
  Sink& to_;
  GitBudget& budget_;
};

class TreeWriter {
public:
  TreeWriter(const GitRepository& repository, const GitCommit& commit,
             const GitWriteOptions& options)
      : repository_(repository), commit_(commit), options_(options) {}

  std::vector<GitLink> write(FdRef directory) {
    write_directory({commit_.tree, "", 0, false}, directory);
    return std::move(links_);
  }

private:
  struct Directory {
    GitId tree;
    std::string path; ///< Relative, with a slash at the end; "" for the root.
    int depth = 0;
    bool has_attributes = false; ///< Whether a .gitattributes above it may say something of it.
  };

  void write_directory(const Directory& directory, FdRef fd) {
    if (directory.depth > deepest)
      throw Error("'{}': directories are nested too deeply", printable(directory.path));
    const auto entries = repository_.list(directory.tree);
    const bool has_attributes =
        directory.has_attributes ||
        std::any_of(entries.begin(), entries.end(),
                    [](const GitEntry& entry) { return entry.name == ".gitattributes"; });
    for (const auto& entry : entries) {
      const auto path = directory.path + entry.name;
      within(
          [&] {
            check(entry);
            if (entry.kind == GitEntry::Kind::directory)
              write_below({entry.id, path + "/", directory.depth + 1, has_attributes}, fd,
                          entry.name);
            else
              write_entry(entry, {path, has_attributes}, fd);
          },
          "'{}'", printable(path));
    }
    set_times(fd);
  }

  void check(const GitEntry& entry) {
    if (options_.is_cancelled())
      throw Cancelled("interrupted");
    if (!is_allowed(entry.name))
      throw Error("no file of a repository may have this name");
    if (options_.budget.entries-- == 0) {
      options_.budget.entries = 0;
      throw Error("the repository has too many files");
    }
  }

  static Fd make_directory(FdRef parent, const std::string& name) {
    constexpr mode_t mode = 0755;
    if (::mkdirat(parent.get(), name.c_str(), mode) != 0)
      throw SysError(errno, "make directory");
    return open_at(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  }

  void write_below(const Directory& directory, FdRef parent, const std::string& name) {
    const auto fd = make_directory(parent, name);
    write_directory(directory, fd);
  }

  struct Place {
    const std::string& path;
    bool has_attributes;
  };

  void write_entry(const GitEntry& entry, const Place& place, FdRef parent) {
    switch (entry.kind) {
    case GitEntry::Kind::file:
    case GitEntry::Kind::program:
      write_file(entry, place, parent);
      break;
    case GitEntry::Kind::link:
      write_link(entry, parent);
      break;
    case GitEntry::Kind::submodule:
      make_directory(parent, entry.name);
      links_.push_back({place.path, entry.id});
      break;
    case GitEntry::Kind::directory:
      break;
    }
  }

  void write_file(const GitEntry& entry, const Place& place, FdRef parent) {
    constexpr mode_t of_file = 0644;
    constexpr mode_t of_program = 0755;
    const auto mode = entry.kind == GitEntry::Kind::program ? of_program : of_file;
    const auto file = open_at(parent, entry.name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
    FileSink to_file(file);
    BudgetSink sink(to_file, options_.budget);
    if (place.has_attributes)
      repository_.write(entry.id, {commit_, place.path}, sink);
    else
      repository_.write(entry.id, sink);
    // The mask of this process is not the repository's.
    if (::fchmod(file.get(), mode) != 0)
      throw SysError(errno, "set mode");
    set_times(file);
  }

  void write_link(const GitEntry& entry, FdRef parent) const {
    const auto target = repository_.text(entry.id, PATH_MAX - 1);
    if (target.empty() || target.find('\0') != std::string::npos)
      throw Error("a link to nowhere");
    if (::symlinkat(target.c_str(), parent.get(), entry.name.c_str()) != 0)
      throw SysError(errno, "make link");
    if (const auto times = wanted_times())
      ::utimensat(parent.get(), entry.name.c_str(), times->data(), AT_SYMLINK_NOFOLLOW);
  }

  std::optional<std::array<timespec, 2>> wanted_times() const {
    if (!options_.times)
      return std::nullopt;
    const timespec time{unix_seconds(*options_.times), unix_nanoseconds(*options_.times)};
    return std::array{time, time};
  }

  void set_times(FdRef fd) const {
    if (const auto times = wanted_times(); times && ::futimens(fd.get(), times->data()) != 0)
      throw SysError(errno, "set time");
  }

  const GitRepository& repository_;
  const GitCommit& commit_;
  const GitWriteOptions& options_;
  std::vector<GitLink> links_;
};

} // namespace

std::vector<GitLink> write_git_tree(const GitRepository& repository, const GitCommit& commit,
                                    FdRef directory, const GitWriteOptions& options) {
  return TreeWriter(repository, commit, options).write(directory);
}

} // namespace cairn
