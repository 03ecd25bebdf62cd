#pragma once

#include "builder/execute/schedule.hpp"
#include "builder/execute/volume_base.hpp"
#include "builder/images/base_volumes.hpp"
#include "builder/images/image_library.hpp"
#include "builder/layers/base_stack.hpp"
#include "builder/layers/image_layer.hpp"
#include "builder/layers/layer_stack.hpp"
#include "builder/plan/plan.hpp"
#include "builder/roots/base_directories.hpp"
#include "builder/store/workspace.hpp"
#include "oci/digest.hpp"
#include "run/isolation_probe.hpp"
#include "util/progress.hpp"

#include <atomic>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace cairn {

/// Whether a layer is read for more than its index: files are copied from it.
enum class ReadAgain { no, yes };

/// What BaseStacks works with; all borrowed.
struct BaseServices {
  ImageLibrary& images;
  Workspace& workspace;
  IsolationMode mode;
  /// Where the layers of an image are kept.
  std::function<LayerCachePolicy(const BaseImage& image, ReadAgain again)> keep;
  std::size_t parallel;                             ///< How many layers are read at the same time.
  std::shared_ptr<const std::atomic<bool>> stopped; ///< Ends what is being read when it is true.
  const BaseVolumes& volumes;
  Progress& progress;
  /// As try_overlay_over().
  const std::function<void(const std::string& lower, const std::string& work)>& try_lower;
};

/// The images that a build reads: each of their layers is fetched and indexed once, by chain id
/// (OCI image configuration, Layer ChainID), and unpacked on the way when commands are run on it.
/// Of a layer that several images have in common all begin with the one. An image that is mounted
/// here (BaseVolumes) is for itself: it is taken from there if it is what its layers say.
/// Thread-safe.
class BaseStacks {
public:
  /// Reads nothing yet.
  BaseStacks(const Plan& plan, const Schedule& schedule, const BaseServices& services);
  BaseStacks(const BaseStacks&) = delete;
  BaseStacks& operator=(const BaseStacks&) = delete;

  /// The layers of an image, to be read when their Tree is needed. @throws Error
  LayerStack stack(const ImageSource& image);
  /// Where commands of stages on this image find it unpacked; null when their roots begin empty.
  BaseRoots* roots(const ImageSource& image);

  /// Loads what stages will need, in the order of the plan, until `stop` says so. Failures are left
  /// to those who need it.
  void load_ahead(const std::function<bool()>& stop);

private:
  struct Image {
    std::vector<Digest> chain; ///< Chain ids, from the bottom up.
    std::shared_ptr<const BaseImage> image;
    std::shared_ptr<BaseDirectories> roots; ///< Null unless commands run in directories.
    std::optional<std::string> volume;      ///< Where it is mounted.
    std::shared_ptr<BaseStack> own; ///< For one that is mounted; null until it is asked for.
    bool runs_commands = false;
    bool is_needed = false; ///< By a step that needs the Tree of a stage.
    bool is_copied_from = false;

    /// Whether its files are taken from where it is mounted, if they are the right ones.
    bool uses_volume() const { return volume && (runs_commands || is_copied_from); }
  };

  void find(const Plan& plan, const Schedule& schedule);
  Image& add(const ImageSource& source);
  std::shared_ptr<BaseStack> stack_of(Image& image);
  std::shared_ptr<BaseStack> mounted_stack(const Image& image);
  std::shared_ptr<BaseStack> stack_up_to(const Image& image, std::size_t count);
  std::size_t shared_with_others(const Image& image, std::size_t below) const;
  void find_copies(const Plan& plan, const Schedule& schedule);
  LayerCachePolicy policy_of(const Image& image, std::size_t layer) const;
  BaseStack::Load timed(BaseStack::Load load, const std::string& name) const;
  BaseStack::Load load_of(const Image& image, std::size_t from, std::size_t count);

  BaseServices services_;
  std::mutex mutex_;
  std::map<std::string, Image> images_; ///< By ImageSource::key().
  std::vector<ImageSource> order_;
  std::map<Digest, std::shared_ptr<BaseStack>> stacks_; ///< By the chain id of the topmost layer.
};

} // namespace cairn
