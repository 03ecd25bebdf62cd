#include "builder/execute/base_stacks.hpp"

#include "builder/roots/layer_unpacker.hpp"
#include "builder/roots/root_filesystem.hpp"
#include "util/error.hpp"

#include <algorithm>
#include <optional>
#include <variant>

namespace cairn {

namespace {

bool is_in_directories(IsolationMode mode) {
  return mode == IsolationMode::namespace_directory || mode == IsolationMode::supervised;
}

} // namespace

BaseStacks::BaseStacks(const Plan& plan, const Schedule& schedule, const BaseServices& services)
    : services_(services) {
  find(plan, schedule);
}

void BaseStacks::find(const Plan& plan, const Schedule& schedule) {
  std::map<std::string, std::size_t> roots;
  for (std::size_t index = 0; index < plan.stages.size(); ++index) {
    const auto* source = base_image_of(plan, index);
    if (!schedule.stages[index].needed || source == nullptr)
      continue;
    auto& image = add(*source);
    image.is_copied_from = false;
    bool runs = false;
    for (std::size_t i = 0; i < plan.stages[index].steps.size(); ++i) {
      const auto& action = plan.stages[index].steps[i].action;
      if (schedule.is_cached(index, i) || std::holds_alternative<ConfigAction>(action))
        continue;
      image.is_needed = true;
      runs = runs || std::holds_alternative<RunAction>(action);
    }
    image.runs_commands = image.runs_commands || runs;
    if (runs && is_in_directories(services_.mode))
      ++roots[source->key()];
  }
  // Several bases may be read at the same time.
  const auto bases = static_cast<std::size_t>(std::count_if(
      images_.begin(), images_.end(), [](const auto& image) { return image.second.is_needed; }));
  services_.parallel =
      std::max<std::size_t>(services_.parallel / std::max<std::size_t>(bases, 1), 1);
  find_copies(plan, schedule);
  for (const auto& [key, count] : roots)
    images_.at(key).roots = std::make_shared<BaseDirectories>(services_.workspace, count);
}

/// Which of the images found below stages have files copied from those stages.
void BaseStacks::find_copies(const Plan& plan, const Schedule& schedule) {
  for (std::size_t index = 0; index < plan.stages.size(); ++index)
    for (std::size_t i = 0; schedule.stages[index].needed && i < plan.stages[index].steps.size();
         ++i)
      if (!schedule.is_cached(index, i))
        visit_origins(plan.stages[index].steps[i].action, [&](const FileOrigin& origin) {
          const auto* stage = std::get_if<StageSource>(&origin);
          const auto* image = stage != nullptr ? base_image_of(plan, stage->index)
                                               : std::get_if<ImageSource>(&origin);
          const auto found = image != nullptr ? images_.find(image->key()) : images_.end();
          if (found != images_.end())
            found->second.is_copied_from = true;
        });
}

BaseStacks::Image& BaseStacks::add(const ImageSource& source) {
  const auto [found, is_new] = images_.try_emplace(source.key());
  auto& image = found->second;
  if (is_new) {
    try {
      image.image = services_.images.get(source);
    } catch (...) {
      images_.erase(found);
      throw;
    }
    image.chain = chain_ids(image.image->config.diff_ids);
    image.volume = services_.volumes.find(source);
    if (image.volume && services_.mode == IsolationMode::inplace) {
      services_.progress.info("--base-volume: '{}' is not used: commands run in place",
                              source.name);
      image.volume.reset();
    }
    // Until find() knows better: an image that no stage begins with.
    image.is_copied_from = true;
    order_.push_back(source);
  }
  return image;
}

LayerStack BaseStacks::stack(const ImageSource& source) {
  const std::lock_guard lock(mutex_);
  auto& image = add(source);
  if (image.chain.empty())
    return {};
  return {stack_of(image), {}, services_.parallel};
}

BaseRoots* BaseStacks::roots(const ImageSource& source) {
  const std::lock_guard lock(mutex_);
  return add(source).roots.get();
}

/// How many layers below `below` another image begins with as well, before it goes its own way.
std::size_t BaseStacks::shared_with_others(const Image& image, std::size_t below) const {
  std::size_t most = 0;
  for (const auto& [key, other] : images_) {
    if (other.uses_volume())
      continue;
    const auto size = std::min(image.chain.size(), other.chain.size());
    std::size_t shared = 0;
    while (shared < size && image.chain[shared] == other.chain[shared])
      ++shared;
    if (shared < below)
      most = std::max(most, shared);
  }
  return most;
}

std::shared_ptr<BaseStack> BaseStacks::stack_of(Image& image) {
  if (!image.uses_volume())
    return stack_up_to(image, image.chain.size());
  if (!image.own)
    image.own = mounted_stack(image);
  return image.own;
}

std::shared_ptr<BaseStack> BaseStacks::mounted_stack(const Image& image) {
  VolumeBase base{.name = image.image->source.name,
                  .path = *image.volume,
                  .mode = image.runs_commands ? services_.mode : IsolationMode::none,
                  .directories = image.roots ? image.roots->paths() : std::vector<std::string>(),
                  .workspace = services_.workspace,
                  .progress = services_.progress,
                  .try_lower = services_.try_lower};
  LayerStack::Layers layers;
  for (std::size_t i = 0; i < image.chain.size(); ++i)
    layers.push_back(std::make_shared<ImageLayer>(image.image, i, policy_of(image, i)));
  const auto count = layers.size();
  return std::make_shared<BaseStack>(
      LayerStack(std::move(layers), count, services_.parallel),
      [base = std::move(base)](LayerStack& stack) { load_mounted(stack, base); });
}

std::shared_ptr<BaseStack> BaseStacks::stack_up_to(const Image& image, std::size_t count) {
  auto& stack = stacks_[image.chain.at(count - 1)];
  if (stack)
    return stack;
  const auto shared = shared_with_others(image, count);
  LayerStack::Layers own;
  for (auto i = shared; i < count; ++i)
    own.push_back(std::make_shared<ImageLayer>(image.image, i, policy_of(image, i)));
  auto layers = shared > 0 ? LayerStack(stack_up_to(image, shared), own, services_.parallel)
                           : LayerStack(std::move(own), count, services_.parallel);
  stack = std::make_shared<BaseStack>(
      std::move(layers), timed(load_of(image, shared, count), image.image->source.name));
  return stack;
}

/// What is unpacked is read from where it was unpacked, and counted as its stream has it.
LayerCachePolicy BaseStacks::policy_of(const Image& image, std::size_t layer) const {
  const bool is_unpacked = image.runs_commands && services_.mode != IsolationMode::inplace;
  auto policy = services_.keep(*image.image, image.is_copied_from && !is_unpacked ? ReadAgain::yes
                                                                                  : ReadAgain::no);
  if (std::any_of(images_.begin(), images_.end(), [&](const auto& other) {
        return other.second.runs_commands && other.second.chain.size() > layer &&
               other.second.chain[layer] == image.chain[layer];
      }))
    policy.tables = nullptr;
  policy.stopped = services_.stopped;
  return policy;
}

/// A way of loading that the trace shows. In place a base is loaded as its stage goes.
BaseStack::Load BaseStacks::timed(BaseStack::Load load, const std::string& name) const {
  if (!load && services_.mode == IsolationMode::inplace)
    return load;
  return [load = std::move(load), name, &progress = services_.progress](LayerStack& stack) {
    const Timed timed(progress, "read", name);
    if (load)
      load(stack);
    else
      stack.tree();
  };
}

/// How the layers from `from` to `count` are loaded: for all images that have them.
BaseStack::Load BaseStacks::load_of(const Image& image, std::size_t from, std::size_t count) {
  bool runs_commands = false;
  std::vector<std::string> directories;
  for (const auto& [key, other] : images_) {
    if (other.uses_volume() || other.chain.size() < count ||
        other.chain[count - 1] != image.chain[count - 1])
      continue;
    runs_commands = runs_commands || other.runs_commands;
    if (other.roots)
      directories.insert(directories.end(), other.roots->paths().begin(),
                         other.roots->paths().end());
  }
  if (!directories.empty())
    return [from, directories](LayerStack& stack) { unpack_into(stack, from, directories); };
  if (runs_commands && services_.mode == IsolationMode::namespace_overlay)
    return [this](LayerStack& stack) { unpack_base(stack, services_.workspace); };
  return {};
}

void BaseStacks::load_ahead(const std::function<bool()>& stop) {
  std::vector<LayerStack> stacks;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& source : order_)
      if (auto& image = images_.at(source.key());
          image.is_needed && !image.chain.empty() &&
          !(image.runs_commands && services_.mode == IsolationMode::inplace))
        stacks.emplace_back(stack_of(image), LayerStack::Layers());
  }
  for (auto& stack : stacks) {
    try {
      if (stop())
        return;
      stack.tree();
    } catch (...) {
      // Kept by the BaseStack for the stages that need it, which know the line.
    }
  }
}

} // namespace cairn
