#pragma once

#include "build/layer_factory.hpp"
#include "build/layer_stack.hpp"
#include "build/neighbours.hpp"
#include "build/workspace.hpp"
#include "fs/changes.hpp"
#include "run/ladder.hpp"
#include "run/runner.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace cairn {

/// Whether the content of a finished RUN's files stays as it is while later steps run.
enum class Content { stays, changes_with_next_step };

/// A stage's Tree made real, for commands to run in.
class StageRoot {
public:
  virtual ~StageRoot() = default;

  /// Unpacks the layers of `stack` that are not in it yet. Loads the stack on the way.
  virtual void catch_up(LayerStack& stack) = 0;
  /// Runs a command. @pre caught up with the stack
  virtual Outcome run(const Invocation& invocation, const LayerStack& stack) = 0;
  /// What that command changed, with the way to its content.
  virtual LayerContent changes(const LayerStack& stack) = 0;
  /// The layer made of those changes is on top of the stack now.
  virtual void accept(const std::shared_ptr<const StageLayer>& layer) = 0;
  /// A regular file of the changes. Nothing when there is none.
  virtual std::optional<std::string> changed_text(const RootedPath& path,
                                                  std::uint64_t limit) const = 0;
  virtual Content content() const noexcept = 0;

  /// Entries that a step is about to make, which commands that follow must find in the root.
  /// @throws Error when they could not
  virtual void admit(const std::vector<LayerEntry>&) {}
  /// What a command sees besides the image, as a hint for an error that it may be the cause of; ""
  /// for nothing.
  virtual std::string in_sight() const { return {}; }
};

/// The unpacked layers of a build, shared by stages that are built on the same ones. Thread-safe.
class LayerDirectories {
public:
  std::optional<std::string> find(const StageLayer* layer) const;
  void add(const StageLayer* layer, const std::string& directory);

private:
  mutable std::mutex mutex_;
  std::map<const StageLayer*, std::string> directories_;
};

/// What roots are made of and with; all borrowed.
struct RootServices {
  Workspace& workspace;
  LayerDirectories& directories;
  Runner& runner;
  PathFilter ignored;     ///< In no layer.
  Neighbours* neighbours; ///< In place; null otherwise.
};

/// A root for a rung on which commands can be run.
/// In place, whatever a stage before left in the container's "/" is removed.
std::unique_ptr<StageRoot> make_root(Rung rung, const RootServices& services);

} // namespace cairn
