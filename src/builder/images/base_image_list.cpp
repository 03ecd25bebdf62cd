#include "builder/images/base_image_list.hpp"

#include <algorithm>

namespace cairn {

namespace {

class Collector {
public:
  explicit Collector(ImageLibrary& images) : images_(images) {}

  void add(const StagePlan& stage) {
    if (const auto* image = std::get_if<ImageSource>(&stage.base))
      add(*image);
    for (const auto& step : stage.steps)
      visit_origins(step.action, [&](const FileOrigin& origin) {
        if (const auto* image = std::get_if<ImageSource>(&origin))
          add(*image);
      });
  }

  std::vector<ImageRef> take() { return std::move(found_); }

private:
  void add(const ImageSource& image) {
    if (!image.reference)
      return;
    auto pinned = image.reference->with_digest(images_.get(image)->manifest.digest());
    if (std::find(found_.begin(), found_.end(), pinned) == found_.end())
      found_.push_back(std::move(pinned));
  }

  ImageLibrary& images_;
  std::vector<ImageRef> found_;
};

} // namespace

std::vector<ImageRef> base_images(const Plan& plan, ImageLibrary& images) {
  Collector collector(images);
  collector.add(plan.stages.at(plan.target));
  for (const auto& stage : plan.stages)
    collector.add(stage);
  return collector.take();
}

} // namespace cairn
