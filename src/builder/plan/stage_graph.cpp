#include "builder/plan/stage_graph.hpp"

#include "builder/plan/epoch.hpp"
#include "builder/plan/named_context.hpp"
#include "builder/plan/plan_limits.hpp"
#include "builder/plan/stage_references.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <set>

namespace cairn {

namespace {

namespace in = instruction;

using References = std::vector<StageReference>;

/// With how many stages a name is compared that may be a mistyped one's.
constexpr std::size_t max_compared = 100;

void add_platform(std::map<std::string, std::string>& arguments, const std::string& prefix,
                  const Platform& platform) {
  arguments[prefix + "PLATFORM"] = platform.str();
  arguments[prefix + "OS"] = platform.os;
  arguments[prefix + "ARCH"] = platform.architecture;
  arguments[prefix + "VARIANT"] = platform.variant;
  arguments[prefix + "OSVERSION"] = platform.os_version;
}

VariableLookup lookup_in(const std::map<std::string, std::string>& variables) {
  return [&variables](std::string_view name) -> std::optional<std::string> {
    const auto found = variables.find(std::string(name));
    return found != variables.end() ? std::optional(found->second) : std::nullopt;
  };
}

} // namespace

StageGraph::StageGraph(const Dockerfile& dockerfile, const PlanOptions& options)
    : dockerfile_(dockerfile), options_(options),
      source_(std::make_shared<SourceFile>(dockerfile.source)) {
  for (const auto& [name, value] : options.language.build_args)
    arguments_.build_args[name] = value;
  for (std::size_t number = 0; number < dockerfile.stages.size(); ++number)
    if (const auto& name = dockerfile.stages[number].name())
      names_[to_lower(*name)].push_back(number);
  check_defaults();
  arguments_.global = global_arguments(arguments_.build_args);
  find_epoch();
  const FromChecks checks(options.checks, argument_names());
  for (const auto& stage : dockerfile.stages)
    read_stage(stage, checks);
  check_references();
  for (const auto& name : options.language.targets)
    targets_.push_back(find_target(name));
  if (targets_.empty())
    targets_.push_back(nodes_.size() - 1);
}

StageGraph::Arguments StageGraph::global_arguments(const Arguments& given) const {
  Arguments global;
  add_platform(global, "TARGET", options_.language.target_platform);
  add_platform(global, "BUILD", options_.language.build_platform);
  global["TARGETSTAGE"] = options_.language.targets.empty()
                              ? dockerfile_.stages.back().name().value_or("default")
                              : options_.language.targets.front();
  for (const auto& [name, value] : arguments_.build_args)
    if (global.contains(name))
      global[name] = value;
  for (const auto& arg : dockerfile_.global_args)
    within_place({source_, arg.range}, [&] {
      for (const auto& argument : arg.arguments) {
        if (const auto found = given.find(argument.name); found != given.end())
          global[argument.name] = found->second;
        else if (argument.value)
          global[argument.name] = expand_word(
              *argument.value, interruptible(lookup_in(global), options_.cancel), escape());
        if (const auto found = global.find(argument.name); found != global.end())
          check_variable(found->first, found->second);
      }
    });
  return global;
}

// ARG then gives the seconds, whatever was written, or nothing.
void StageGraph::find_epoch() {
  const std::string name = "SOURCE_DATE_EPOCH";
  const auto given = arguments_.build_args.find(name);
  const auto global = arguments_.global.find(name);
  const bool is_given = given != arguments_.build_args.end();
  if (!is_given && (global == arguments_.global.end() || global->second.empty()))
    return;
  Place place{source_, {}};
  for (const auto& arg : dockerfile_.global_args)
    for (const auto& argument : arg.arguments)
      if (argument.name == name && !is_given)
        place.range = arg.range;
  epoch_ = resolve_epoch(is_given ? given->second : global->second,
                         {dockerfile_, options_.named_contexts, options_.context_time,
                          options_.remote_time, arguments(), std::move(place), options_.cancel});
  for (auto* arguments : {&arguments_.build_args, &arguments_.global}) {
    if (!epoch_)
      arguments->erase(name);
    else if (const auto found = arguments->find(name); found != arguments->end())
      found->second = std::to_string(unix_seconds(*epoch_));
  }
}

VariableLookup StageGraph::global_lookup() const {
  return interruptible(lookup_in(arguments_.global), options_.cancel);
}

std::vector<std::string> StageGraph::argument_names() const {
  std::vector<std::string> names;
  for (const auto& arg : dockerfile_.global_args)
    for (const auto& argument : arg.arguments)
      names.push_back(argument.name);
  for (const auto& [name, value] : arguments_.global)
    names.push_back(name);
  return names;
}

void StageGraph::check_defaults() const {
  try {
    const auto defaults = global_arguments({});
    for (const auto& stage : dockerfile_.stages)
      check_default_base(options_.checks, stage.from,
                         interruptible(lookup_in(defaults), options_.cancel), escape());
  } catch (const Error&) {
    // Told where the build comes to it, unless a --build-arg helps.
    return;
  }
}

void StageGraph::read_stage(const Stage& stage, const FromChecks& checks) {
  StageNode node;
  node.stage = &stage;
  node.name = stage.name().value_or(std::to_string(nodes_.size()));
  node.place = {source_, stage.from.range};
  within_place(node.place, [&] {
    WordRules rules;
    rules.escape = escape();
    const auto name = expand(stage.from.image, global_lookup(), rules);
    checks.base(stage.from, name);
    if (name.word.empty())
      throw with_hint(Error("FROM: base name ({}) should not be blank", stage.from.image),
                      "only ARGs before the first FROM and platform arguments can be used here");
    node.platform = options_.language.target_platform;
    if (stage.from.platform) {
      const auto platform = expand(*stage.from.platform, global_lookup(), rules);
      checks.platform(stage.from, platform, arguments_.global.at("TARGETPLATFORM"));
      if (platform.word.empty())
        throw Error("FROM: --platform={} is empty after expansion", *stage.from.platform);
      node.platform = Platform::parse(platform.word);
    }
    read_base(node, name.word);
  });
  nodes_.push_back(std::move(node));
}

void StageGraph::read_base(StageNode& node, const std::string& name) const {
  const auto& from = node.stage->from;
  const auto use = [&](const NamedContext& context) {
    std::visit([&](const auto& source) { node.base = source; }, context);
  };
  if (const auto own =
          from.name ? named_context(*from.name, node.platform) : std::optional<NamedContext>()) {
    node.content = StageNode::Content::context;
    use(*own);
  } else if (const auto earlier = find_stage(name, nodes_.size())) {
    node.base = EarlierStage{*earlier};
  } else if (name == "scratch") {
    // As in BuildKit an empty image is for the platform of the build, whatever FROM says.
    node.platform = options_.language.target_platform;
  } else if (const auto context = named_context(name, node.platform)) {
    use(*context);
  } else {
    node.base = image(name, node.platform);
  }
}

void StageGraph::check_references() const {
  std::vector<References> all;
  for (const auto& node : nodes_)
    all.push_back(references(*node.stage));
  for (const auto& stage : all)
    for (const auto& reference : stage)
      within_place({source_, reference.range},
                   [&] { check_reference(reference, nodes_.size(), escape()); });
  std::vector<std::vector<StageEdge>> edges(nodes_.size());
  for (std::size_t number = 0; number < nodes_.size(); ++number)
    for (const auto& reference : all[number])
      if (const auto target = referenced(reference.name))
        edges[number].push_back({*target, reference.range});
  if (const auto circle = find_circle(edges))
    throw error_at(
        *source_, circle->range,
        fmt::format("circular dependency detected on stage: {}", nodes_.at(circle->stage).name));
}

std::optional<std::size_t> StageGraph::find_stage(std::string_view name, std::size_t before) const {
  const auto found = names_.find(to_lower(name));
  if (found == names_.end())
    return std::nullopt;
  // Of several stages with one name the last one counts.
  const auto& numbers = found->second;
  const auto behind = std::lower_bound(numbers.begin(), numbers.end(), before);
  return behind != numbers.begin() ? std::optional(*std::prev(behind)) : std::nullopt;
}

std::optional<NamedContext> StageGraph::named_context(std::string_view name,
                                                      const Platform& platform) const {
  auto context = find_named_context(options_.named_contexts, name, platform);
  if (context)
    if (auto* git = std::get_if<GitSource>(&*context))
      set_keep_git_dir(git->reference, arguments_.build_args);
  return context;
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
  std::vector<std::string> stages;
  for (const auto& stage : dockerfile_.stages)
    if (stage.name() && stages.size() < max_compared)
      stages.push_back(*stage.name());
  if (const auto meant = suggest(name, stages))
    source.hint = fmt::format("there is a stage called \"{}\"", *meant);
  return source;
}

std::optional<Platform> StageGraph::wanted_platform() const {
  const auto& language = options_.language;
  return language.platform_is_asked_for ? std::optional(language.target_platform) : std::nullopt;
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
  for (const auto& [name, value] : arguments_.build_args)
    if (!declared.contains(name))
      unused.push_back(name);
  return unused;
}

std::optional<std::size_t> StageGraph::referenced(std::string_view name) const {
  if (const auto number = stage_number(name); number && *number < nodes_.size())
    return number;
  // Of several stages with one name the last one is meant, even if it stands behind.
  return find_stage(name, nodes_.size());
}

NodeOrigin StageGraph::origin(std::string_view name, std::size_t number) const {
  const auto& own = nodes_.at(number);
  if (const auto stage = referenced(name)) {
    if (*stage >= number)
      throw with_hint(Error("cannot copy from stage \"{}\", it needs to be defined before current "
                            "stage \"{}\"",
                            name, own.name),
                      *stage == number ? "a stage cannot read from itself"
                                       : "move it up, or rename a stage of the same name");
    const auto& node = nodes_.at(*stage);
    if (node.content == StageNode::Content::context) {
      if (const auto* directory = std::get_if<DirectorySource>(&node.base))
        return *directory;
      if (const auto* git = std::get_if<GitSource>(&node.base))
        return *git;
      if (const auto* image = std::get_if<ImageSource>(&node.base))
        return *image;
    }
    return EarlierStage{*stage};
  }
  if (auto context = named_context(name, own.platform))
    return std::visit([](auto&& source) { return NodeOrigin(source); }, *std::move(context));
  if (name == "scratch")
    return EmptyFilesystem{};
  if (stage_number(name))
    refuse_number(name, nodes_.size());
  return image(std::string(name), own.platform);
}

std::vector<std::size_t> StageGraph::needed_stages() const {
  std::set<std::size_t> seen;
  auto pending = targets_;
  if (options_.scope == StageScope::all && options_.language.targets.empty())
    for (std::size_t number = 0; number < nodes_.size(); ++number)
      pending.push_back(number);
  while (!pending.empty()) {
    const auto number = pending.back();
    pending.pop_back();
    if (!seen.insert(number).second)
      continue;
    const auto& node = nodes_[number];
    if (const auto* earlier = std::get_if<EarlierStage>(&node.base))
      pending.push_back(earlier->number);
    if (node.content == StageNode::Content::context)
      continue;
    // A reference that cannot be resolved is reported where its instruction is planned.
    for (const auto& reference : references(*node.stage))
      if (const auto stage = referenced(reference.name);
          stage && *stage < number && nodes_[*stage].content == StageNode::Content::instructions)
        pending.push_back(*stage);
  }
  return {seen.begin(), seen.end()};
}

std::vector<ImageSource> StageGraph::needed_images() const {
  std::map<std::string, ImageSource> images;
  for (const auto number : needed_stages())
    if (const auto* source = std::get_if<ImageSource>(&nodes_[number].base))
      images.emplace(source->key(), *source);
  std::vector<ImageSource> list;
  list.reserve(images.size());
  for (auto& [key, source] : images)
    list.push_back(std::move(source));
  return list;
}

} // namespace cairn
