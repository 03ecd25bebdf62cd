#pragma once

#include "builder/cache/step_caches.hpp"
#include "builder/execute/copy_step.hpp"
#include "builder/execute/run_mounts.hpp"
#include "builder/execute/schedule.hpp"
#include "builder/layers/image_layer.hpp"
#include "builder/layers/layer_factory.hpp"
#include "builder/layers/layer_stack.hpp"
#include "builder/layers/made_layer.hpp"
#include "builder/options/build_options.hpp"
#include "builder/plan/plan.hpp"
#include "builder/roots/root_filesystem.hpp"
#include "util/progress.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace cairn {

/// A RUN whose command did not succeed. The program's exit status is the command's.
class CommandFailed final : public Error {
public:
  CommandFailed(const std::string& text, int status) : Error("{}", text), status_(status) {}
  int exit_status() const noexcept override { return status_; }
  [[noreturn]] void raise() const override { throw CommandFailed(*this); }

private:
  int status_;
};

/// What becomes of the layers that a stage makes.
enum class StageUse {
  for_image,  ///< They are of the image that is built.
  for_stages, ///< Other stages alone read them.
};

/// What building stages takes; all borrowed.
struct StageServices {
  const BuildOptions& options;
  StepCaches& caches;
  LayerCachePolicy keep;
  IsolationMode mode;
  std::string why_not_better; ///< Why this mode and no better one.
  std::string way_out;        ///< For who got IsolationMode::none.
  CopyServices copy;
  RootServices roots;
  const RootFactory& make_root;
  MountServices mounts;
  LayerFactory& layers;
  StageUse use;
  /// Told of each layer that is of the image, as soon as it is being written.
  const std::function<void(std::shared_ptr<const StageLayer>)>& on_image_layer;
  Progress& progress;
  /// True when no further step or command is to begin.
  std::function<bool()> stopped;
};

/// A stage that has been built.
struct StageResult {
  LayerStack stack;
  ImageConfig config; ///< With the history of its steps.
};

/// What a stage starts from.
struct StageBegin {
  LayerStack stack;
  std::vector<HistoryEntry> history;
};

/// Builds one stage, step by step.
class StageBuilder {
public:
  StageBuilder(const StagePlan& plan, const StageSchedule& schedule, StageBegin begin,
               const StageServices& services);

  /// @throws Error with the place in the Dockerfile; CommandFailed
  StageResult build();

private:
  /// @throws Cancelled when that is not to be
  void go_on() const;
  /// Whether a command is run by the steps from this one on.
  bool runs_commands(std::size_t from) const;
  void prepare_root(std::size_t number);
  void perform(std::size_t number);
  std::string carry_out(std::size_t number);
  /// What the step was, for the log.
  std::string act(const ConfigAction& action);
  std::string act(const CopyAction& action);
  std::string act(const DirectoryAction& action);
  std::string act(const RunAction& action);
  std::string add_files(LayerContent content);
  /// Whether the layers of steps are those of the image.
  bool is_of_image() const;
  enum class Origin { command, files };
  std::string add_layer(LayerContent content, Origin origin);
  /// What commands that are run after this moment may change.
  CommandReach reach() const;
  /// Waits until no layer needs what a command may change from now on.
  void set_aside(std::vector<std::shared_ptr<const MadeLayer>>& layers);
  Invocation invocation(const RunAction& action);
  Outcome run(const RunAction& action);
  CommandFailed failure(const Outcome& outcome) const;
  void tell_of(const std::shared_ptr<const StageLayer>& layer);
  void remember_user_files(const LayerEntries& entries);
  RootFilesystem& root();
  void squash(std::size_t base_layers);

  const StagePlan& plan_;
  const StageSchedule& schedule_;
  LayerStack stack_;
  StageServices services_;
  std::unique_ptr<RootFilesystem> root_;
  /// Layers whose files may still have to be read: what commands have changed in the root, and what
  /// is read from contexts and stages.
  std::vector<std::shared_ptr<const MadeLayer>> in_root_;
  std::vector<std::shared_ptr<const MadeLayer>> elsewhere_;
  bool has_told_of_base_ = false;
  bool is_kept_ = false;         ///< Whether the step under way is put into caches.
  std::string step_;             ///< The one under way, with its place.
  bool commands_follow_ = false; ///< Whether any is run after that step.
  std::size_t inherited_;        ///< How many entries of the history are from before this stage.
  std::vector<HistoryEntry> history_;
};

} // namespace cairn
