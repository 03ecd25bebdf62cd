#include "builder/plan/checks/check.hpp"

#include "builder/plan/stage_graph.hpp"
#include "util/error.hpp"

#include <set>
#include <utility>

namespace cairn {

namespace {

/// Images that cannot be reached have an empty configuration.
class ReachableBases final : public BaseConfigs {
public:
  ReachableBases(BaseConfigs& all, Progress& progress) : all_(all), progress_(progress) {}

  void prefetch(const std::vector<ImageSource>& images) override { all_.prefetch(images); }

  ImageConfig config(const ImageSource& image) override {
    if (is_known(image)) {
      try {
        return all_.config(image);
      } catch (const TemporaryError& error) {
        unreachable_.insert(image.key());
        progress_.warn("what depends on the base image is not checked: {}", error.what());
      }
    }
    ImageConfig empty;
    empty.platform = image.platform;
    return empty;
  }

  bool is_known(const ImageSource& image) const override {
    return !unreachable_.contains(image.key());
  }

private:
  BaseConfigs& all_;
  Progress& progress_;
  std::set<std::string> unreachable_;
};

/// Where an image that is copied or mounted from is named.
struct CopiedImage {
  const ImageSource* image;
  const Place* place;
};

std::vector<CopiedImage> copied_images(const Plan& plan) {
  std::vector<CopiedImage> found;
  const auto add = [&](const FileOrigin& origin, const Place& place) {
    if (const auto* image = std::get_if<ImageSource>(&origin))
      found.push_back({image, &place});
  };
  for (const auto& stage : plan.stages)
    for (const auto& step : stage.steps) {
      if (const auto* copy = std::get_if<CopyAction>(&step.action))
        add(copy->from, step.place);
      if (const auto* run = std::get_if<RunAction>(&step.action))
        for (const auto& mount : run->mounts)
          if (const auto* bind = std::get_if<BindPlan>(&mount.kind))
            add(bind->from, step.place);
    }
  return found;
}

/// Images that only files are taken from: a build would look for them when it comes to them.
void look_for_images(const Plan& plan, BaseConfigs& bases) {
  for (const auto& [image, place] : copied_images(plan))
    within_place(*place, [&, image = image] { (void)bases.config(*image); });
}

} // namespace

std::optional<std::string> check_override(const LanguageOptions& language) {
  std::optional<std::string> value;
  for (const auto& [name, given] : language.build_args)
    if (name == "BUILDKIT_DOCKERFILE_CHECK")
      value = given;
  return value;
}

CheckReport check_dockerfile(CheckRequest request, BaseConfigs& bases, Progress& progress) {
  Linter linter(check_override(request.options.language));
  IgnoredSources ignored(std::move(request.ignore));
  request.options.checks = {&linter, &ignored};
  request.options.scope = StageScope::all;
  ReachableBases reachable(bases, progress);
  CheckReport report;
  report.source = SourceFile(request.name, request.text);
  try {
    const auto dockerfile =
        parse_dockerfile(std::move(request.text), std::move(request.name), linter);
    look_for_images(make_plan(dockerfile, request.options, reachable, progress), reachable);
    report.end = CheckReport::End::reached;
    linter.enforce(dockerfile.source);
  } catch (const Error& error) {
    report.error = {
        error.what(), {error.first_line(), error.last_line()}, std::current_exception()};
  }
  report.warnings = linter.warnings();
  return report;
}

} // namespace cairn
