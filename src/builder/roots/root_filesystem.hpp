#pragma once

#include "builder/layers/layer_factory.hpp"
#include "builder/layers/layer_stack.hpp"
#include "builder/roots/foreign_files.hpp"
#include "builder/store/workspace.hpp"
#include "fs/tree/changes.hpp"
#include "run/isolation_probe.hpp"
#include "run/process/runner.hpp"

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace cairn {

/// What commands may change that earlier layers of a build lie in.
enum class CommandReach {
  nothing,    ///< Every command leaves its changes in a place of their own.
  own_root,   ///< What was changed by commands of the same stage.
  everything, ///< Files of contexts and of other stages as well.
};

/// A stage's Tree made real, for commands to run in.
class RootFilesystem {
public:
  virtual ~RootFilesystem() = default;

  /// Unpacks the layers of `stack` that are not in it yet. Loads the stack on the way.
  virtual void apply_layers(LayerStack& stack) = 0;
  /// Runs a command. @pre caught up with the stack
  virtual Outcome run(const Invocation& invocation, const LayerStack& stack) = 0;
  /// What that command changed, with the way to its content.
  virtual LayerContent changes(const LayerStack& stack) = 0;
  /// The layer made of those changes is on top of the stack now.
  virtual void commit(const std::shared_ptr<const StageLayer>& layer) = 0;
  /// A regular file of the changes. Nothing when there is none.
  virtual std::optional<std::string> changed_text(const RootedPath& path,
                                                  std::uint64_t limit) const = 0;
  virtual CommandReach reach() const noexcept = 0;
  /// The directory that has all files of its layers; "" when there is no such directory. After the
  /// last command, when reach() is that of a root of its own.
  virtual std::string path() const { return {}; }

  /// Entries that a step is about to make, which commands that follow must find in the root.
  /// @throws Error when they could not
  virtual void admit(const LayerEntries&) {}
  /// What a command sees besides the image, as a hint for an error that it may be the cause of; ""
  /// for nothing.
  virtual std::string visible_hint() const { return {}; }
};

/// Directories that a base image is unpacked in, each for one stage. Thread-safe.
class BaseRoots {
public:
  virtual ~BaseRoots() = default;
  /// The path of one that no one has taken. It has its files once the stack of the image is loaded.
  virtual std::string take() = 0;
};

/// What roots are made of and with; all borrowed.
struct RootServices {
  Workspace& workspace;
  Runner& runner;
  PathFilter ignored;          ///< In no layer.
  ForeignFiles* foreign_files; ///< In place; null otherwise.
  BaseRoots* base = nullptr;   ///< For roots that are directories; null when they begin empty.
};

/// Makes an empty root for a mode on which commands can be run.
using RootFactory =
    std::function<std::unique_ptr<RootFilesystem>(IsolationMode, const RootServices&)>;

} // namespace cairn
