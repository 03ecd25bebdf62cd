#pragma once

#include "builder/plan/checks/from_checks.hpp"
#include "builder/plan/named_context.hpp"
#include "builder/plan/plan.hpp"
#include "builder/plan/plan_options.hpp"
#include "builder/plan/stage_config.hpp"
#include "builder/plan/within_place.hpp"
#include "dockerfile/dockerfile.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace cairn {

/// A stage by its number in the Dockerfile, counted from 0.
struct EarlierStage {
  std::size_t number = 0;
};

/// A stage with its FROM expanded.
struct StageNode {
  std::string name; ///< Its own, or its number as text.
  Place place;      ///< Of the FROM.
  Platform platform;
  /// A directory, a URL and a repository: a named context, whose files are the file system.
  std::variant<EmptyFilesystem, EarlierStage, ImageSource, DirectorySource, UrlSource, GitSource>
      base;
  const Stage* stage = nullptr;
  /// A named context stands in for a stage of its name: the stage is the context, and none of its
  /// instructions are followed.
  enum class Content { instructions, context } content = Content::instructions;
};

/// What COPY --from and mounts read from, by stage number.
using NodeOrigin =
    std::variant<DirectorySource, UrlSource, GitSource, EarlierStage, ImageSource, EmptyFilesystem>;

/// The stages of a Dockerfile with FROM lines expanded and references between them resolved.
/// The Dockerfile and the options must outlive it.
class StageGraph {
public:
  /// @throws Error with place
  StageGraph(const Dockerfile& dockerfile, const PlanOptions& options);

  const StageNode& node(std::size_t number) const { return nodes_.at(number); }
  /// At least one: the stages asked for, or the last one.
  const std::vector<std::size_t>& targets() const noexcept { return targets_; }
  /// The stages to plan, in the file's order.
  std::vector<std::size_t> needed_stages() const;
  const PlanChecks& checks() const noexcept { return options_.checks; }
  char escape() const noexcept { return dockerfile_.directives.escape; }
  const std::shared_ptr<const SourceFile>& source() const noexcept { return source_; }

  /// The platform that the image is asked to be for; nothing: that of its base.
  std::optional<Platform> wanted_platform() const;

  /// Values that ARG in a stage can take. Those of the platform are the build's, not the stage's.
  const ArgumentValues& arguments() const noexcept { return arguments_; }
  const std::map<std::string, std::string>& build_args() const noexcept {
    return arguments_.build_args;
  }
  /// What SOURCE_DATE_EPOCH means, as --build-arg or an ARG before the first FROM gives it.
  const std::optional<Time>& epoch() const noexcept { return epoch_; }
  std::vector<std::string> unused_build_args() const;

  /// The origin that `--from=name` of an instruction in stage `number` means: a stage by number or
  /// name, which must be an earlier one, a named context, or an image. @throws Error
  NodeOrigin origin(std::string_view name, std::size_t number) const;

  /// The images that the targets need, as far as the Dockerfile alone tells.
  std::vector<ImageSource> needed_images() const;

private:
  using Arguments = std::map<std::string, std::string>;
  /// Platform arguments and ARGs before FROM, the latter with the values of --build-arg or without.
  Arguments global_arguments(const Arguments& given) const;
  void check_defaults() const;
  void find_epoch();
  void read_stage(const Stage& stage, const FromChecks& checks);
  void read_base(StageNode& node, const std::string& name) const;
  /// What is wrong with references is told even where nobody needs the stage.
  void check_references() const;
  std::vector<std::string> argument_names() const;
  std::optional<std::size_t> find_stage(std::string_view name, std::size_t before) const;
  std::optional<NamedContext> named_context(std::string_view name, const Platform& platform) const;
  /// The stage, earlier or later, that `--from=name` means.
  std::optional<std::size_t> referenced(std::string_view name) const;
  VariableLookup global_lookup() const;
  std::size_t find_target(const std::string& name) const;
  ImageSource image(const std::string& name, const Platform& platform) const;

  const Dockerfile& dockerfile_;
  const PlanOptions& options_;
  std::shared_ptr<const SourceFile> source_;
  ArgumentValues arguments_;
  std::map<std::string, std::vector<std::size_t>> names_; ///< Numbers by name in lower case.
  std::optional<Time> epoch_;
  std::vector<StageNode> nodes_;
  std::vector<std::size_t> targets_;
};

} // namespace cairn
