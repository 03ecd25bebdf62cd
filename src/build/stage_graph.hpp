#pragma once

#include "build/draft.hpp"
#include "build/named_context.hpp"
#include "build/plan.hpp"
#include "build/planner.hpp"
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
  /// A directory and a repository: a named context, whose files are the file system.
  std::variant<EmptyFilesystem, EarlierStage, ImageSource, DirectorySource, GitSource> base;
  const Stage* stage = nullptr;
};

/// What COPY --from and mounts read from, by stage number.
using NodeOrigin = std::variant<MainContext, DirectorySource, GitSource, EarlierStage, ImageSource>;

/// The stages of a Dockerfile with FROM lines expanded and references between them resolved.
/// The Dockerfile and the options must outlive it.
class StageGraph {
public:
  /// @throws Error with place
  StageGraph(const Dockerfile& dockerfile, const PlanOptions& options);

  const StageNode& node(std::size_t number) const { return nodes_.at(number); }
  /// At least one: the stages asked for, or the last one.
  const std::vector<std::size_t>& targets() const noexcept { return targets_; }
  char escape() const noexcept { return dockerfile_.directives.escape; }
  const std::shared_ptr<const SourceFile>& source() const noexcept { return source_; }

  /// Values that ARG in a stage can take. Those of the platform are the build's, not the stage's.
  ArgumentValues arguments() const;
  const std::map<std::string, std::string>& build_args() const noexcept { return build_args_; }
  std::vector<std::string> unused_build_args() const;

  /// The origin that `--from=name` of an instruction in stage `number` means. @throws Error
  NodeOrigin origin(std::string_view name, std::size_t number) const;

  /// The images that the targets need, as far as the Dockerfile alone tells.
  std::vector<ImageSource> needed_images() const;

private:
  void read_global_arguments();
  void read_stage(const Stage& stage);
  std::optional<std::size_t> find_stage(std::string_view name, std::size_t before) const;
  std::optional<NamedContext> named_context(std::string_view name, const Platform& platform) const;
  std::size_t find_target(const std::string& name) const;
  ImageSource image(const std::string& name, const Platform& platform) const;

  const Dockerfile& dockerfile_;
  const PlanOptions& options_;
  std::shared_ptr<const SourceFile> source_;
  std::map<std::string, std::string> build_args_;
  std::map<std::string, std::string> global_; ///< Platform arguments and ARGs before FROM.
  std::vector<StageNode> nodes_;
  std::vector<std::size_t> targets_;
};

/// Runs `body`; an Error without a place gains this one.
template<class Body>
decltype(auto) within_place(const Place& place, Body&& body) {
  try {
    return std::forward<Body>(body)();
  } catch (Error& error) {
    add_place(error, *place.source, place.range);
    throw;
  }
}

} // namespace cairn
