#pragma once

#include "fs/archive/layer_entries.hpp"
#include "fs/copy/chmod.hpp"
#include "fs/copy/users.hpp"
#include "fs/tree/view.hpp"

#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace cairn {

/// COPY and ADD as a computation: sources and a Tree in, the entries of a layer out.
/// Rules: reference of the Dockerfile language, COPY and ADD; results as BuildKit's.

/// Files of a view, as written in the instruction after expansion: "src/*.c", "./a/./b", "/".
struct ViewSource {
  const FileView* view = nullptr; ///< Not owned; outlives the plan.
  std::string pattern;
};

/// One regular file whose content the caller has: a here-document, a download.
struct GivenFile {
  std::string name; ///< A single component: its name when the destination is a directory. Or "".
  Metadata meta;    ///< With the size. Owner and mode are subject to the flags.
};

/// An archive that the caller unpacks: its entries go below the destination, which is a directory.
/// Their owners stay as they are unless --chown is given; --chmod and --exclude leave them alone.
struct GivenArchive {
  LayerEntries entries; ///< In the order of the archive. Paths from its root.
};

using CopySource = std::variant<ViewSource, GivenFile, GivenArchive>;

/// Asked by ADD for each regular file that a ViewSource leads to: what it holds when it is an
/// archive to be unpacked, nothing when it is to be copied as it is.
using ArchiveOpener =
    std::function<std::optional<GivenArchive>(const FileView& view, const RootedPath& file)>;

struct CopyRequest {
  std::vector<CopySource> sources;
  std::string destination;   ///< As written after expansion; a slash at its end counts.
  std::string workdir = "/"; ///< What a relative destination is relative to.

  enum class Ownership { reset, preserve } ownership = Ownership::reset; ///< preserve: --from
  std::optional<Owner> owner;                                            ///< --chown
  std::optional<ModeChange> mode;                                        ///< --chmod
  std::vector<std::string> excludes;                                     ///< --exclude
  enum class Parents { drop, keep } parents = Parents::drop;             ///< --parents
  /// --link: a layer of its own over an empty base. Together with --chmod it has no effect.
  enum class Link { no, yes } link = Link::no;

  Time now{};            ///< Modification time of directories that are made.
  ArchiveOpener archive; ///< May be empty: nothing is unpacked.
};

} // namespace cairn
