#include "apps/argo/plugin_actions.hpp"

#include "builder/outputs/image_index.hpp"
#include "registry/resolve.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

#include <fmt/ranges.h>

namespace cairn {

namespace {

class PluginAction {
public:
  PluginAction(Network& network, Progress& progress) : network_(network), progress_(progress) {}

  NodeResult operator()(const ResolveTask& task) {
    const auto digest =
        task.platform
            ? resolve_image(network_.registry(), task.image, *task.platform).descriptor.digest
            : head(task.image);
    return {NodePhase::succeeded,
            digest.str(),
            {{"digest", digest.str()}, {"image", task.image.name() + "@" + digest.str()}}};
  }

  NodeResult operator()(const CheckTask& task) {
    std::vector<std::string> lines;
    for (const auto& image : task.images)
      lines.push_back(image.name() + ": " + prove(image, task.depth));
    return {NodePhase::succeeded, fmt::format("{}", fmt::join(lines, "\n"))};
  }

  NodeResult operator()(const WarmTask& task) {
    std::vector<std::string> copies;
    for (const auto& image : task.images)
      copies.push_back(copy(image, task));
    const auto all = fmt::format("{}", fmt::join(copies, "\n"));
    return {NodePhase::succeeded,
            fmt::format("{} images in {}", copies.size(), task.target),
            {{"images", all}}};
  }

private:
  Digest head(const ImageRef& image) {
    if (const auto found = network_.registry().head_manifest(image))
      return found->digest;
    throw NotInRegistry("{}: not in the registry", image.str());
  }

  std::string prove(const ImageRef& image, CheckDepth depth) {
    const auto credential = prove_access(network_, image, depth);
    return credential ? credential->describe() : "no credential, and none is needed";
  }

  /// The copy, with its digest.
  std::string copy(const ImageRef& image, const WarmTask& task) {
    auto gathered = gather_image(network_.registry(), image, task.platforms);
    const auto digest = Digest::of(gathered.documents.back().raw);
    auto target = ImageRef::parse(task.target + "/" + image.repository());
    target = image.tag() ? target.with_tag(*image.tag()) : target;
    if (image.digest())
      target = target.with_digest(digest);
    push_image(
        network_.registry(),
        {.destinations = {target},
         .documents = std::move(gathered.documents),
         .open =
             [&](const Descriptor& blob) {
               return network_.registry().read_blob(gathered.origins.at(blob.digest), blob);
             },
         .known_in = [&](const Digest& blob) { return std::vector{gathered.origins.at(blob)}; }},
        progress_);
    progress_.info("{}: copied to {}@{}", image.str(), target.name(), digest.str());
    return target.name() + "@" + digest.str();
  }

  Network& network_;
  Progress& progress_;
};

} // namespace

NodeResult run_plugin_task(const PluginTask& task, Network& network, Progress& progress) noexcept {
  try {
    return std::visit(PluginAction(network, progress), task);
  } catch (const TemporaryError& error) {
    return {NodePhase::error, printable(error.what())};
  } catch (const std::exception& error) {
    return {NodePhase::failed, printable(error.what())};
  }
}

} // namespace cairn
