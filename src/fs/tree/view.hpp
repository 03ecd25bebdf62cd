#pragma once

#include "fs/archive/entry.hpp"
#include "fs/pattern/ignore.hpp"
#include "fs/tree/file_stamp.hpp"
#include "fs/tree/tree.hpp"
#include "util/fd.hpp"
#include "util/stream.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace cairn {

/// Tells whether two names are one file.
struct FileIdentity {
  std::uint64_t space = 0;
  std::uint64_t number = 0;

  bool operator==(const FileIdentity&) const = default;
  bool operator<(const FileIdentity& other) const noexcept {
    return space != other.space ? space < other.space : number < other.number;
  }
};

/// A file as a view shows it.
struct ViewedFile {
  Metadata meta;
  std::optional<FileIdentity> identity; ///< Of a regular file that may have more than one name.
};

/// What COPY reads from: a build context, another stage, an image. No symbolic link is ever
/// followed in any path. What a view does not show does not exist.
class FileView {
public:
  virtual ~FileView() = default;

  /// Nothing when it does not exist. @throws Error
  virtual std::optional<ViewedFile> stat(const RootedPath& path) const = 0;

  using Visitor = std::function<void(const std::string& name, const ViewedFile& file)>;
  /// Shows what is in a directory, bytewise sorted by name: one after the other, as a directory may
  /// have a million of them. @throws Error when it is none
  virtual void list(const RootedPath& directory, const Visitor& visit) const = 0;

  /// The content of a regular file. @throws Error
  virtual std::unique_ptr<Source> open(const RootedPath& path) const = 0;

  /// What tells whether a regular file has changed since; nothing when there is no such thing.
  virtual std::optional<FileStamp> stamp(const RootedPath& path) const;

  /// Why a path that is not shown is hidden, as a hint for the user; "" when nothing hides it.
  virtual std::string why_hidden(const RootedPath& path) const;

  /// What the view is called in messages: "the build context", "stage \"a\"".
  virtual std::string what() const = 0;

  /// Where symbolic links lead, inside the view; as Tree::resolve.
  /// @throws Error after 255 links
  RootedPath resolve(const RootedPath& path, Tree::Last last) const;
};

/// A directory of the machine. No xattrs are shown: BuildKit loses the capabilities of a context's
/// files too, and gives no privilege that the Dockerfile does not. Sockets are not shown. Not
/// thread-safe, but that several threads may open files at the same time.
class DirectoryView final : public FileView {
public:
  struct Options {
    IgnoreRules ignore;      ///< What they ignore does not exist.
    std::string ignore_name; ///< The file that the rules are from, for hints.
    std::string what = "the build context";
  };

  /// `root` must outlive it.
  explicit DirectoryView(FdRef root);
  DirectoryView(FdRef root, Options options);
  DirectoryView(const DirectoryView&) = delete;
  DirectoryView& operator=(const DirectoryView&) = delete;
  ~DirectoryView() override;

  std::optional<ViewedFile> stat(const RootedPath& path) const override;
  void list(const RootedPath& directory, const Visitor& visit) const override;
  std::unique_ptr<Source> open(const RootedPath& path) const override;
  std::optional<FileStamp> stamp(const RootedPath& path) const override;
  std::string why_hidden(const RootedPath& path) const override;
  std::string what() const override;

private:
  struct State;
  std::unique_ptr<State> state_;
};

/// A Tree, with the bytes of files from a callback.
class TreeView final : public FileView {
public:
  using Opener = std::function<std::unique_ptr<Source>(const Tree::Node&)>;

  /// `tree` must outlive it.
  TreeView(const Tree& tree, Opener open, std::string what);

  std::optional<ViewedFile> stat(const RootedPath& path) const override;
  void list(const RootedPath& directory, const Visitor& visit) const override;
  std::unique_ptr<Source> open(const RootedPath& path) const override;
  std::string what() const override { return what_; }

private:
  const Tree& tree_;
  Opener open_;
  std::string what_;
};

} // namespace cairn
