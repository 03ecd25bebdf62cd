#include "language_plan.hpp"

#include "dockerfile/dockerfile.hpp"
#include "util/error.hpp"
#include "util/progress.hpp"

namespace cairn::test {

namespace {

class PlainBases final : public BaseConfigs {
public:
  void prefetch(const std::vector<ImageSource>& images) override { (void)images; }

  ImageConfig config(const ImageSource& image) override {
    ImageConfig config;
    config.platform = image.platform;
    config.config.env = Environment({"PATH=/bin"});
    return config;
  }
};

const StagePlan& target_of(const Plan& plan) {
  return plan.stages.at(plan.target);
}

} // namespace

Plan language_plan(const std::string& text, const BuildArgs& build_args,
                   const std::string& target) {
  PlanOptions options;
  if (!target.empty())
    options.language.targets = {target};
  return language_plan(text, build_args, std::move(options));
}

Plan language_plan(const std::string& text, const BuildArgs& build_args, PlanOptions options) {
  options.language.target_platform = Platform::parse("linux/amd64");
  options.language.build_platform = Platform::parse("linux/amd64");
  options.language.build_args = build_args;
  PlainBases bases;
  SilentProgress progress;
  return make_plan(parse_dockerfile(text, "Dockerfile"), options, bases, progress);
}

std::string language_error(const std::string& text, const BuildArgs& build_args) {
  try {
    (void)language_plan(text, build_args);
  } catch (const Error& error) {
    return error.detail().empty() ? error.what() : error.what() + ("\n" + error.detail());
  }
  return {};
}

const ImageConfig& image_of(const Plan& plan) {
  return target_of(plan).config;
}

std::string env_of(const Plan& plan, const std::string& name) {
  return image_of(plan).config.env.get(name).value_or("unset");
}

const std::string& history_of(const Plan& plan, std::size_t number) {
  return target_of(plan).steps.at(number).created_by;
}

const RunAction& run_of(const Plan& plan, std::size_t number) {
  return std::get<RunAction>(target_of(plan).steps.at(number).action);
}

const CopyAction& copy_of(const Plan& plan, std::size_t number) {
  return std::get<CopyAction>(target_of(plan).steps.at(number).action);
}

} // namespace cairn::test
