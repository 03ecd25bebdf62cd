#include "builder/plan/base_config.hpp"

#include "util/rooted_path.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace cairn {

namespace {

constexpr std::string_view default_path =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
constexpr std::string_view features = "os.features";

/// Images of other tools may tell of fewer layers than they have, or of more.
void complete_history(ImageConfig& image) {
  const auto layers = image.diff_ids.size();
  std::size_t told = 0;
  for (auto& entry : image.history) {
    if (!entry.empty_layer && told == layers)
      entry.empty_layer = true;
    told += entry.empty_layer ? 0U : 1U;
  }
  for (; told < layers; ++told) {
    HistoryEntry entry;
    entry.created = image.created;
    entry.comment = "layer of the base image";
    image.history.push_back(std::move(entry));
  }
}

} // namespace

ImageConfig inherited(ImageConfig base) {
  complete_history(base);
  const auto* known = base.other.find(features);
  auto other = Json::object();
  if (known != nullptr)
    other.set(features, *known);
  base.other = std::move(other);
  base.other_config = Json::object();
  base.created.reset();
  auto& config = base.config;
  if (!config.env.get("PATH") && base.platform.os != "windows")
    config.env.set("PATH", default_path);
  if (!config.working_dir.empty() && !config.working_dir.starts_with('/'))
    config.working_dir = join_path("/", config.working_dir);
  return base;
}

ImageConfig empty_image(const Platform& platform) {
  ImageConfig image;
  image.platform = platform;
  if (platform.os != "windows")
    image.config.env.set("PATH", default_path);
  image.config.working_dir.assign(1, '/');
  return image;
}

} // namespace cairn
