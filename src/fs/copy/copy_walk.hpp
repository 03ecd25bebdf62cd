#pragma once

#include "fs/copy/copy_request.hpp"
#include "fs/copy/layer_changes.hpp"
#include "fs/pattern/ignore.hpp"
#include "fs/tree/view.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace cairn {

/// Of all xattrs the one that COPY keeps, as in every layer of BuildKit: security.capability.
void keep_capability(std::vector<Xattr>& xattrs);

/// What the flags of a COPY make of the metadata of a file: owner, mode, and the xattrs that
/// keep_capability() leaves.
Metadata apply_flags(const CopyRequest& request, Metadata meta);

/// A directory that COPY makes on the way: 0755 root, or with owner and octal mode of the flags.
Metadata made_directory(const CopyRequest& request);

/// Which files below a source are copied; paths are relative to the source.
struct CopyRules {
  IgnoreRules exclude;
  std::optional<IgnoreRules> include; ///< Only what these "ignore", with --parents.
};

/// Copies one file or one directory of a view. Names of one file stay names of one file.
class CopyWalk {
public:
  CopyWalk(const CopyRequest& request, const CopyRules& rules, LayerChanges& changes)
      : request_(request), rules_(rules), changes_(changes) {}

  struct Start {
    const FileView& view;
    std::size_t source = 0; ///< Index of CopyRequest::sources.
    RootedPath from;
    RootedPath target;
  };
  /// `target` is where the file goes; of a directory the contents go there.
  void run(const Start& start, const ViewedFile& file);

private:
  struct Item {
    RootedPath from;
    RootedPath target;
    std::string inside; // relative to the source; "" is the source itself
  };
  struct Scopes {
    IgnoreRules::Scope include;
    IgnoreRules::Scope exclude;
  };
  struct Choice {
    bool included = true;
    bool excluded = false;
    bool selected() const noexcept { return included && !excluded; }
  };
  /// A directory that is made when something in it is copied.
  struct Parent {
    const Metadata* source;
    const RootedPath* target;
    bool made = false;
  };

  void copy(const Item& item, const ViewedFile& file, const Scopes& outer);
  void copy_directory(const Item& item, const Metadata& meta, const Scopes& scopes, bool selected);
  void copy_file(const Item& item, const ViewedFile& file);
  void make_parents();
  Choice choose(const std::string& inside, const Scopes& outer, Scopes& own) const;
  bool may_choose_below(const std::string& inside, const Choice& choice) const;

  const CopyRequest& request_;
  const CopyRules& rules_;
  LayerChanges& changes_;
  const FileView* view_ = nullptr;
  std::size_t source_ = 0;
  std::vector<Parent> parents_;
  std::map<FileIdentity, LayerChanges::FileNumber> copied_;
};

} // namespace cairn
