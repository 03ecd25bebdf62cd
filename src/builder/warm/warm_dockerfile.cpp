#include "builder/warm/warm_dockerfile.hpp"

#include "builder/cache/step_cache_places.hpp"
#include "builder/cache/step_cache_setup.hpp"
#include "builder/inputs/remote_time.hpp"
#include "builder/layers/image_layer.hpp"
#include "builder/plan/remote_source.hpp"
#include "builder/store/cache_setup.hpp"
#include "context/download/url_context.hpp"
#include "dockerfile/dockerfile.hpp"
#include "net/redact.hpp"
#include "util/error.hpp"
#include "util/file.hpp"
#include "util/text.hpp"

#include <fcntl.h>

#include <mutex>
#include <new>

namespace cairn {

namespace {

/// Remembers the first warning: what a build can do without is a failure here.
class NotedWarnings final : public Progress {
public:
  explicit NotedWarnings(Progress& next) : next_(next) {}

  void log(Level level, std::string_view message) noexcept override {
    const std::lock_guard lock(mutex_);
    if (level == Level::warn && first_.empty())
      note(message);
    else
      next_.log(level, message);
  }
  void step_done(std::string_view name, std::string_view note,
                 std::chrono::nanoseconds took) noexcept override {
    next_.step_done(name, note, took);
  }

  /// "" when there was none.
  std::string first() const {
    const std::lock_guard lock(mutex_);
    return first_;
  }

private:
  void note(std::string_view message) noexcept {
    try {
      first_ = message;
    } catch (const std::bad_alloc&) {
      next_.log(Level::warn, message);
    }
  }

  Progress& next_;
  mutable std::mutex mutex_;
  std::string first_;
};

/// Runs `body`; what goes wrong is the outcome's failure.
template<class Body>
void recording(WarmedDockerfile& outcome, Body&& body) {
  try {
    within(std::forward<Body>(body), "{}", printable(outcome.name));
  } catch (const Error& error) {
    outcome.failure = WarmFailure(error);
  }
}

LocalContext open_context(const WarmFileServices& services) {
  const auto& request = services.request;
  if (!request.context)
    return {".", open_at(current_directory(), ".", O_RDONLY | O_DIRECTORY), std::nullopt};
  return open_local_context({.context = *request.context,
                             .sub_path = request.context_sub_path,
                             .temporary = services.workspace.temporary(),
                             .limit = request.unpacked});
}

LocalContext open_again(const LocalContext& context) {
  return {context.path, open_at(context.root, ".", O_RDONLY | O_DIRECTORY), std::nullopt};
}

std::string shown_name(const std::string& name) {
  return is_url(name) ? redact_url(name) : name;
}

/// No key is like this one.
const StepKey nobodys_key{std::string(64, '0')};

} // namespace

struct WarmDockerfiles::File {
  std::string name;
  Platform platform;
  WarmedDockerfile outcome;
  DockerfileText text = {};
  std::optional<Dockerfile> parsed = std::nullopt;
};

WarmDockerfiles::WarmDockerfiles(const WarmFileServices& services)
    : services_(services), context_(open_context(services)) {
  const auto& request = services.request;
  for (const auto& name : request.dockerfiles)
    for (const auto& platform : platforms())
      files_.push_back(std::make_unique<File>(File{name, platform, {shown_name(name), platform}}));
}

WarmDockerfiles::~WarmDockerfiles() = default;

std::vector<Platform> WarmDockerfiles::platforms() const {
  const auto& asked = services_.request.platforms;
  return asked.empty() ? std::vector<Platform>{Platform::host()} : asked;
}

DockerfileText WarmDockerfiles::read(const std::string& name) const {
  if (!is_url(name))
    return find_dockerfile(context_, name, current_directory());
  const auto source = UrlSource::parse(name);
  auto text = dockerfile_of(services_.downloader.fetch(source), redact_url(source.url));
  if (services_.request.context)
    read_ignore_file(context_, text);
  return text;
}

LanguageOptions WarmDockerfiles::language(const Platform& platform) const {
  LanguageOptions language;
  language.build_args = services_.request.build_args;
  language.targets = services_.request.targets;
  language.target_platform = platform;
  language.platform_is_asked_for = !services_.request.platforms.empty();
  return language;
}

void WarmDockerfiles::find_images(WarmImages& images) {
  for (auto& file : files_)
    recording(file->outcome, [&] { find_images(*file, images); });
}

void WarmDockerfiles::find_images(File& file, WarmImages& images) const {
  file.text = read(file.name);
  file.parsed = parse_dockerfile(file.text.text, file.text.name);
  PlanOptions options;
  options.language = language(file.platform);
  options.remote_time = remote_time(services_.downloader, services_.repositories);
  options.scope = options.language.targets.empty() ? StageScope::all : StageScope::needed;
  // One --build-arg is for all Dockerfiles: that some do not use it means nothing.
  SilentProgress silent;
  images.prefetch(images_of(make_plan(*file.parsed, options, images, silent)));
}

void WarmDockerfiles::fetch_steps() {
  for (auto& file : files_)
    if (!file->outcome.failure)
      recording(file->outcome, [&] { fetch_steps(*file); });
}

void WarmDockerfiles::fetch_steps(File& file) const {
  const auto& services = services_.services;
  BuildOptions options;
  options.language = language(file.platform);
  options.execution.unpacked = services_.request.unpacked;
  options.cache.enabled = true;
  options.cache.repository = services_.request.steps_from;
  options.cache.time_to_live = services_.request.time_to_live;

  ImageLibrary images({services.registry, services.mirrors, services.progress, &services_.memory,
                       services_.request.unpacked});
  SilentProgress silent;
  const auto plan =
      make_plan(*file.parsed,
                {.language = options.language,
                 .named_contexts = {},
                 .remote_time = remote_time(services_.downloader, services_.repositories)},
                images, silent);
  options.times.epoch = plan.epoch;
  Downloads downloads(plan, services_.downloader, services_.workspace.temporary());
  const BuildContext context{open_again(context_), file.text.ignore_name, file.text.ignore};

  auto remote = make_remote_cache(*options.cache.repository, services.registry);
  static_cast<void>(remote->find(nobodys_key));
  NotedWarnings warnings(services.progress);
  StepCaches caches(entry_rule(options, services.clock()), warnings);
  caches.use(std::move(remote), StepCaches::Use::read);
  const auto schedule = make_schedule(plan, options, caches,
                                      {context, images, downloads, services_.repositories,
                                       services_.workspace, services.clock, &services_.cache});
  keep_steps(file, schedule);
  if (const auto first = warnings.first(); !first.empty())
    throw Error("{}", first);
}

void WarmDockerfiles::keep_steps(File& file, const Schedule& schedule) const {
  const auto local = make_local_cache(services_.cache);
  for (const auto& stage : schedule.stages)
    for (const auto& step : stage.steps) {
      file.outcome.steps += step.key ? 1 : 0;
      if (!step.cached)
        continue;
      ++file.outcome.found;
      if (const auto& repository = step.cached->repository)
        for (const auto& blob : step.cached->manifest.layers) {
          const auto done = services_.fetcher.fetch({*repository}, blob, services_.request.refetch);
          file.outcome.fetched += done.fetched;
          file.outcome.reused += done.reused;
        }
      const LayerCachePolicy keep{nullptr, &services_.cache};
      local->put(
          *step.key,
          {step.cached->manifest, {}, {std::make_shared<const ImageLayer>(step.cached, 0, keep)}});
    }
}

std::vector<WarmedDockerfile> WarmDockerfiles::outcomes() const {
  std::vector<WarmedDockerfile> all;
  for (const auto& file : files_)
    all.push_back(file->outcome);
  return all;
}

} // namespace cairn
