#pragma once

#include "builder/execute/base_stacks.hpp"
#include "builder/execute/stage_builder.hpp"

#include <memory>
#include <vector>

namespace cairn {

/// The effects that execute() works with; all borrowed.
struct ExecuteServices {
  const BuildOptions& options;
  const Schedule& schedule;
  StepCaches& steps;
  const BuildContext& context;
  ImageLibrary& images;
  Downloads& downloads;
  GitLibrary& repositories;
  Workspace& workspace;
  Workspace&
      mounted; ///< For what commands see by mounts: on the file system of their root, in place.
  Runner& runner;
  const RootFactory& make_root;
  LayerFactory& layers;
  Progress& progress;
  Clock clock;
  const std::atomic<bool>& cancel;
  IsolationMode mode;
  std::string why_not_better;
  std::string way_out;
  PathFilter ignored;
  ForeignFiles* foreign_files; ///< In place; null otherwise.
  const CacheMounts& caches;
  const std::map<std::string, AgentSocket>& agents;
  /// Where layers of base images are kept, and those that caches have of steps.
  std::function<LayerCachePolicy(const BaseImage& image, ReadAgain again)> keep_base;
  LayerCachePolicy keep_steps = {};
  const BaseVolumes& volumes;
  /// As try_overlay_over().
  const std::function<void(const std::string& lower, const std::string& work)>& try_lower;
  std::size_t jobs = 2; ///< How many stages are built, and layers of a base read, at the same time.
  /// Told of each layer of the image that a step makes, as soon as it is being written.
  std::function<void(std::shared_ptr<const StageLayer>)> on_image_layer;
};

/// The stage that becomes the image, built, with everything it needs.
struct ExecuteResult {
  LayerStack stack;
  ImageConfig config;
  ImageFormat format = ImageFormat::oci; ///< Of the base image.
};

/// Builds the stages of a plan: those that do not depend on each other at the same time, where the
/// mode lets them. After the first failure no new step begins. @throws what the first failure was
ExecuteResult execute(const Plan& plan, const ExecuteServices& services);

} // namespace cairn
