#pragma once

#include "build/neighbours.hpp"
#include "build/territory.hpp"
#include "util/progress.hpp"

#include <set>

namespace cairn {

/// The container's own files, the pod's mounts and what options name, around an image whose root is
/// the container's "/". One stage after the other.
class PodNeighbours final : public Neighbours {
public:
  /// Both are borrowed.
  PodNeighbours(const Territory& territory, Progress& progress)
      : territory_(territory), progress_(progress) {}

  bool own(const RootedPath& path) const override { return territory_.reserved.covers(path); }
  bool is_restless(const RootedPath& path) const override {
    return territory_.restless.covers(path);
  }
  bool need(const RootedPath& directory) const override {
    return territory_.reserved.inside(directory) != nullptr;
  }
  void blocked(LayerOrigin origin, const LayerEntry& entry, const RootedPath& place) override;
  void admit(const LayerEntry& entry) override;
  void admit(const Invocation& invocation) override;
  void changed(const RootedPath& path) override;
  std::string in_sight() const override;

private:
  Error conflict(const RootedPath& path, const ReservedPath& reserved) const;
  void refuse_cover(const RootedPath& place) const;
  void warn_once(const RootedPath& about, const std::string& text);

  const Territory& territory_;
  Progress& progress_;
  std::set<RootedPath> warned_;
};

} // namespace cairn
