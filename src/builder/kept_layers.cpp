#include "builder/kept_layers.hpp"

#include <set>

namespace cairn {

namespace {

bool are_read_again(const Plan& plan, const Schedule& schedule, const BuildOptions& options,
                    IsolationMode mode) {
  if (!options.output.tar_path.empty() || !options.output.oci_layout_path.empty() ||
      !options.output.failed_push_layout_path.empty() ||
      options.execution.snapshots == SnapshotScope::whole_stage)
    return true;
  return plan.stages.size() > 1 && mode == IsolationMode::inplace && schedule.runs_commands(plan);
}

} // namespace

LayerCachePolicy keep_layers(const LayerPlaces& places, const Plan& plan, const Schedule& schedule,
                             const BuildOptions& options, IsolationMode mode) {
  LayerCachePolicy policy{nullptr, places.cache, &places.indexes};
  if (places.cache != nullptr && places.cache->is_writable())
    policy.blobs = &places.cache->blobs();
  else if (are_read_again(plan, schedule, options, mode))
    policy.blobs = &places.workspace.store();
  return policy;
}

std::function<LayerCachePolicy(const BaseImage&, ReadAgain)>
keep_base_layers(const LayerCachePolicy& usual, const LayerPlaces& places, EarlyUploads* uploads,
                 const BaseImage* own_base) {
  std::set<Digest> sent_on;
  if (uploads != nullptr && own_base != nullptr)
    for (const auto& layer : own_base->manifest.layers)
      sent_on.insert(layer.digest);
  return [usual, places, uploads, sent_on](const BaseImage& image, ReadAgain again) {
    auto policy = usual;
    policy.tables = places.tables;
    if (policy.blobs != nullptr)
      return policy;
    policy.blobs = &places.workspace.store();
    if (again == ReadAgain::yes)
      return policy;
    policy.is_wanted = [uploads, sent_on, from = image.repository](const Descriptor& blob) {
      return sent_on.contains(blob.digest) && uploads->must_send(blob, from);
    };
    return policy;
  };
}

} // namespace cairn
