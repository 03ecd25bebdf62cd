#pragma once

#include "builder/roots/root_filesystem.hpp"
#include "util/fd.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace cairn {

/// Every layer in a directory of its own, a new upper directory for each command, which then is the
/// next layer's directory as it is.
class OverlayRootFilesystem final : public RootFilesystem {
public:
  explicit OverlayRootFilesystem(const RootServices& services);

  void apply_layers(LayerStack& stack) override;
  Outcome run(const Invocation& invocation, const LayerStack& stack) override;
  LayerContent changes(const LayerStack& stack) override;
  void commit(const std::shared_ptr<const StageLayer>& layer) override;
  std::optional<std::string> changed_text(const RootedPath& path,
                                          std::uint64_t limit) const override;
  CommandReach reach() const noexcept override { return CommandReach::nothing; }

private:
  LayerEntries with_known_times(LayerEntries entries, const Tree& before) const;

  RootServices services_;
  std::vector<std::string> directories_; ///< Beside the stack's layers, bottom first.
  std::string upper_path_;               ///< Of the last command.
  std::shared_ptr<Fd> upper_;
};

} // namespace cairn
