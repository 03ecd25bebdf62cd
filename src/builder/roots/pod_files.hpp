#pragma once

#include "builder/roots/foreign_files.hpp"
#include "builder/roots/root_layout.hpp"
#include "util/progress.hpp"

#include <set>

namespace cairn {

/// The container's own files, the pod's mounts and what options name, around an image whose root is
/// the container's "/". One stage after the other.
class PodFiles final : public ForeignFiles {
public:
  /// Both are borrowed.
  PodFiles(const RootLayout& layout, Progress& progress) : layout_(layout), progress_(progress) {}

  bool own(const RootedPath& path) const override { return layout_.reserved.covers(path); }
  bool is_volatile(const RootedPath& path) const override {
    return layout_.volatile_paths.covers(path);
  }
  bool need(const RootedPath& directory) const override {
    return layout_.reserved.inside(directory) != nullptr;
  }
  void blocked(LayerOrigin origin, const LayerEntry& entry, const RootedPath& place) override;
  void admit(const LayerEntry& entry) override;
  void admit(const Invocation& invocation) override;
  void changed(const RootedPath& path) override;
  std::string visible_hint() const override;

private:
  Error conflict(const RootedPath& path, const ReservedPath& reserved) const;
  void refuse_cover(const RootedPath& place) const;
  void warn_once(const RootedPath& about, const std::string& text);

  const RootLayout& layout_;
  Progress& progress_;
  std::set<RootedPath> warned_;
};

} // namespace cairn
