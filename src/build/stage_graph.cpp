#include "build/stage_graph.hpp"

#include "build/named_context.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

#include <fmt/format.h>

#include <set>

namespace cairn {

namespace {

namespace in = instruction;

void add_platform(std::map<std::string, std::string>& arguments, const std::string& prefix,
                  const Platform& platform) {
  arguments[prefix + "PLATFORM"] = platform.str();
  arguments[prefix + "OS"] = platform.os;
  arguments[prefix + "ARCH"] = platform.architecture;
  arguments[prefix + "VARIANT"] = platform.variant;
  arguments[prefix + "OSVERSION"] = platform.os_version;
}

/// The `--from` names in a stage: COPY and the mounts of RUN.
std::vector<std::string> references(const Stage& stage) {
  std::vector<std::string> names;
  for (const auto& instruction : stage.instructions) {
    if (const auto* copy = std::get_if<in::Copy>(&instruction); copy != nullptr && copy->from)
      names.push_back(*copy->from);
    if (const auto* run = std::get_if<in::Run>(&instruction))
      for (const auto& mount : run->mounts)
        if (mount.from)
          names.push_back(*mount.from);
  }
  return names;
}

} // namespace

StageGraph::StageGraph(const Dockerfile& dockerfile, const PlanOptions& options)
    : dockerfile_(dockerfile), options_(options),
      source_(std::make_shared<SourceFile>(dockerfile.source)) {
  for (const auto& [name, value] : options.language.build_args)
    build_args_[name] = value;
  read_global_arguments();
  for (const auto& stage : dockerfile.stages)
    read_stage(stage);
  for (const auto& name : options.language.targets)
    targets_.push_back(find_target(name));
  if (targets_.empty())
    targets_.push_back(nodes_.size() - 1);
}

void StageGraph::read_global_arguments() {
  add_platform(global_, "TARGET", options_.language.target_platform);
  add_platform(global_, "BUILD", options_.language.build_platform);
  global_["TARGETSTAGE"] = options_.language.targets.empty()
                               ? dockerfile_.stages.back().name().value_or("default")
                               : options_.language.targets.front();
  for (const auto& [name, value] : build_args_)
    if (global_.contains(name))
      global_[name] = value;
  const VariableLookup lookup = [this](std::string_view name) -> std::optional<std::string> {
    const auto found = global_.find(std::string(name));
    return found != global_.end() ? std::optional(found->second) : std::nullopt;
  };
  for (const auto& arg : dockerfile_.global_args)
    within_place({source_, arg.range}, [&] {
      for (const auto& argument : arg.arguments) {
        if (const auto given = build_args_.find(argument.name); given != build_args_.end())
          global_[argument.name] = given->second;
        else if (argument.value)
          global_[argument.name] = expand_word(*argument.value, lookup, escape());
      }
    });
}

void StageGraph::read_stage(const Stage& stage) {
  const auto number = nodes_.size();
  StageNode node;
  node.stage = &stage;
  node.name = stage.name().value_or(std::to_string(number));
  node.place = {source_, stage.from.range};
  within_place(node.place, [&] {
    const VariableLookup lookup = [this](std::string_view name) -> std::optional<std::string> {
      const auto found = global_.find(std::string(name));
      return found != global_.end() ? std::optional(found->second) : std::nullopt;
    };
    node.platform = options_.language.target_platform;
    if (stage.from.platform) {
      const auto text = expand_word(*stage.from.platform, lookup, escape());
      if (text.empty())
        throw Error("FROM: --platform={} is empty after expansion", *stage.from.platform);
      node.platform = Platform::parse(text);
    }
    const auto name = expand_word(stage.from.image, lookup, escape());
    if (name.empty())
      throw with_hint(Error("FROM: base name ({}) should not be blank", stage.from.image),
                      "only ARGs before the first FROM and platform arguments can be used here");
    if (auto context = named_context(name, node.platform))
      std::visit([&](auto&& source) { node.base = std::move(source); }, *std::move(context));
    else if (const auto earlier = find_stage(name, number))
      node.base = EarlierStage{*earlier};
    else if (name == "scratch")
      node.base = EmptyFilesystem{};
    else
      node.base = image(name, node.platform);
  });
  nodes_.push_back(std::move(node));
}

std::optional<NamedContext> StageGraph::named_context(std::string_view name,
                                                      const Platform& platform) const {
  auto context = find_named_context(options_.named_contexts, name, platform);
  if (context)
    if (auto* git = std::get_if<GitSource>(&*context))
      set_keep_git_dir(git->reference, build_args_);
  return context;
}

std::optional<std::size_t> StageGraph::find_stage(std::string_view name, std::size_t before) const {
  // Of several stages with one name the last one counts.
  for (auto number = before; number-- > 0;)
    if (const auto& own = dockerfile_.stages[number].name();
        own && equals_ignoring_case(*own, name))
      return number;
  return std::nullopt;
}

std::size_t StageGraph::find_target(const std::string& name) const {
  if (const auto named = find_stage(name, nodes_.size()))
    return *named;
  if (const auto number = parse_unsigned(name); number && *number < nodes_.size())
    return *number;
  std::vector<std::string> names;
  for (const auto& node : nodes_)
    names.push_back(node.name);
  throw with_hint(Error("{}: target stage \"{}\" could not be found{}", source_->name, name,
                        did_you_mean(name, names)),
                  "the stages are " + join(names, ", "));
}

ImageSource StageGraph::image(const std::string& name, const Platform& platform) const {
  ImageSource source;
  source.name = name;
  source.reference = ImageRef::parse(name);
  source.platform = platform;
  return source;
}

ArgumentValues StageGraph::arguments() const {
  return {build_args_, global_};
}

std::vector<std::string> StageGraph::unused_build_args() const {
  std::set<std::string> declared;
  const auto declare = [&](const in::Arg& arg) {
    for (const auto& argument : arg.arguments)
      declared.insert(argument.name);
  };
  for (const auto& arg : dockerfile_.global_args)
    declare(arg);
  for (const auto& stage : dockerfile_.stages)
    for (const auto& instruction : stage.instructions)
      if (const auto* arg = std::get_if<in::Arg>(&instruction))
        declare(*arg);
  std::vector<std::string> unused;
  for (const auto& [name, value] : build_args_)
    if (!declared.contains(name))
      unused.push_back(name);
  return unused;
}

NodeOrigin StageGraph::origin(std::string_view name, std::size_t number) const {
  const auto& platform = nodes_.at(number).platform;
  if (auto context = named_context(name, platform))
    return std::visit([](auto&& source) { return NodeOrigin(source); }, *std::move(context));
  if (const auto earlier = find_stage(name, number))
    return EarlierStage{*earlier};
  if (const auto index = parse_unsigned(name)) {
    if (*index < number)
      return EarlierStage{static_cast<std::size_t>(*index)};
    throw Error("invalid stage index {}: it must be below {}, the number of this stage", name,
                number);
  }
  if (const auto later = find_stage(name, nodes_.size())) {
    if (*later == number)
      throw Error("circular dependency detected on stage: {}", name);
    throw Error("cannot copy from stage \"{}\", it needs to be defined before current stage \"{}\"",
                name, nodes_.at(number).name);
  }
  if (name == "scratch")
    throw Error("--from=scratch: scratch is empty, there is nothing to copy");
  return image(std::string(name), platform);
}

std::vector<ImageSource> StageGraph::needed_images() const {
  std::map<std::string, ImageSource> images;
  std::set<std::size_t> seen;
  std::vector<std::size_t> pending = targets_;
  while (!pending.empty()) {
    const auto number = pending.back();
    pending.pop_back();
    if (!seen.insert(number).second)
      continue;
    const auto& node = nodes_[number];
    if (const auto* source = std::get_if<ImageSource>(&node.base))
      images.emplace(source->key(), *source);
    if (const auto* earlier = std::get_if<EarlierStage>(&node.base))
      pending.push_back(earlier->number);
    for (const auto& name : references(*node.stage)) {
      // A reference that cannot be resolved is reported where its instruction is planned.
      if (const auto earlier = find_stage(name, number))
        pending.push_back(*earlier);
      else if (const auto index = parse_unsigned(name); index && *index < number)
        pending.push_back(static_cast<std::size_t>(*index));
    }
  }
  std::vector<ImageSource> list;
  list.reserve(images.size());
  for (auto& [key, source] : images)
    list.push_back(std::move(source));
  return list;
}

} // namespace cairn
