#include "build/build.hpp"

#include "build/base_images.hpp"
#include "build/cache_mount_transfer.hpp"
#include "build/cache_setup.hpp"
#include "build/check.hpp"
#include "build/downloads.hpp"
#include "build/exclusions.hpp"
#include "build/execute.hpp"
#include "build/frontend.hpp"
#include "build/git_library.hpp"
#include "build/outputs.hpp"
#include "build/planner.hpp"
#include "build/remote_source.hpp"
#include "context/downloader.hpp"
#include "context/local.hpp"
#include "context/url_context.hpp"
#include "dockerfile/dockerfile.hpp"
#include "net/redact.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include <cstdlib>

namespace cairn {

namespace {

constexpr std::uint64_t max_mountinfo = std::uint64_t{16} << 20;

/// What make_plan() and execute() work on.
struct Input {
  BuildContext context;
  Dockerfile dockerfile;
  Linter linter;            ///< Has logged what the text alone tells.
  std::optional<Time> time; ///< Of the context, when it has one.
};

/// Where a build may put its files, best first.
std::vector<std::string> workspace_candidates(const BuildOptions& options) {
  return {options.execution.work_directory + "/work", "/tmp", "/dev/shm"};
}

/// Where downloads go, best first.
std::vector<std::string> download_directories(const ExecutionOptions& options,
                                              const Workspace& workspace) {
  std::vector<std::string> directories;
  if (const auto kept = writable_cache_directory(options))
    directories.push_back(*kept + "/downloads");
  directories.push_back(workspace.path() + "/downloads");
  return directories;
}

DownloadServices download_services(const BuildOptions& options, const BuildServices& services) {
  return {services.http, services.progress, options.commands.secrets, services.cancel,
          services.retry};
}

/// Where fetched repositories are kept; empty where nothing can be written.
std::string repository_cache(const ExecutionOptions& options) {
  const auto kept = writable_cache_directory(options);
  return kept ? *kept + "/git" : "";
}

/// Before a base image can cover their names.
std::map<std::string, AgentSocket> open_agents(const CommandOptions& options) {
  std::map<std::string, AgentSocket> agents;
  for (const auto& [id, path] : options.agents)
    within([&, id = id, path = path] { agents.emplace(id, AgentSocket(path)); }, "--ssh={}", id);
  return agents;
}

GitServices git_services(const BuildOptions& options, const BuildServices& services,
                         const std::map<std::string, AgentSocket>& agents,
                         const Workspace& workspace) {
  const auto agent = agents.find("default");
  return {.http = services.http,
          .progress = services.progress,
          .cancel = services.cancel,
          .credentials = GitCredentials(options.commands.secrets),
          .tls = nullptr,
          .ssh = {.agent = agent != agents.end() ? agent->second.path() : "",
                  .known_hosts = options.commands.known_hosts,
                  .unknown_hosts = options.commands.unknown_hosts},
          .temporary = workspace.temporary(),
          .cache = repository_cache(options.execution),
          .clock = services.clock,
          .retry = services.retry};
}

/// The ways to what a build fetches from elsewhere. The arguments must outlive it.
struct Fetching {
  std::map<std::string, AgentSocket> agents;
  Downloader downloader;
  GitServices git;
  GitLibrary repositories;

  Fetching(const BuildOptions& options, const BuildServices& services, const Workspace& workspace)
      : agents(open_agents(options.commands)),
        downloader(download_services(options, services),
                   download_directories(options.execution, workspace)),
        git(git_services(options, services, agents, workspace)), repositories(git) {}
};

/// Reads what a build is made of.
class InputReader {
public:
  InputReader(const BuildOptions& options, Fetching& fetching, Progress& progress)
      : options_(options), downloader_(fetching.downloader), git_(fetching.git),
        temporary_(fetching.git.temporary), progress_(progress) {}

  Input read() { return input_of(find()); }

  /// A context and a Dockerfile that nobody has looked into.
  struct Files {
    LocalContext context;
    DockerfileText dockerfile;
    std::optional<Time> time; ///< Of the context, when it has one.
  };
  Files find() {
    const auto& from = options_.context;
    if (const auto repository = parse_git_context(from.context, from.git))
      return within([&] { return fetched(*repository); }, "build context");
    if (is_url(from.context))
      return within([&] { return downloaded(); }, "build context");
    auto local = open_local_context(
        {.context = from.context, .sub_path = from.sub_path, .temporary = temporary_});
    auto file = dockerfile(local);
    if (is_url(from.dockerfile))
      read_ignore_file(local, file);
    const auto time = local.newest;
    return {std::move(local), std::move(file), time};
  }

private:
  /// A repository. As in BuildKit .dockerignore does not count, except where kaniko obeys it.
  Files fetched(const GitContextSource& source) {
    const auto& args = options_.language.build_args;
    auto reference = source.reference;
    set_keep_git_dir(reference, {args.begin(), args.end()});
    auto context =
        open_git_context(reference, options_.context.git, options_.context.sub_path, git_);
    auto file = dockerfile(context.files);
    if (!source.is_kaniko)
      forget_ignore_file(file);
    else if (is_url(options_.context.dockerfile))
      read_ignore_file(context.files, file);
    return {std::move(context.files), std::move(file), context.time};
  }

  static void forget_ignore_file(DockerfileText& file) {
    file.ignore_name.clear();
    file.ignore.clear();
  }

  /// An archive with all that is in it, .dockerignore or not, or the Dockerfile alone.
  Files downloaded() {
    const auto source = UrlSource::parse(options_.context.context);
    const auto shown = redact_url(source.url);
    const auto download = downloader_.fetch(source);
    auto context = unpack_download(download, shown, temporary_);
    if (context_shape(download) == ContextShape::single_file)
      return {std::move(context), dockerfile_of(download, shown), download_time(download)};
    enter_sub_path(context, options_.context.sub_path);
    auto file = dockerfile(context);
    forget_ignore_file(file);
    return {std::move(context), std::move(file), download_time(download)};
  }

  /// A Dockerfile from the web or from the context.
  DockerfileText dockerfile(const LocalContext& context) {
    const auto& name = options_.context.dockerfile;
    if (!is_url(name))
      return find_dockerfile(context, name, current_directory());
    const auto source = UrlSource::parse(name);
    return within([&] { return dockerfile_of(downloader_.fetch(source), redact_url(source.url)); },
                  "--dockerfile");
  }

  Input input_of(Files files) {
    auto& file = files.dockerfile;
    report_frontend(file.text, file.name, options_.language.build_args, progress_);
    Linter linter(check_override(options_.language),
                  [&progress = progress_, name = file.name](const LintWarning& warning) {
                    progress.warn("{}", one_line(warning, name));
                  });
    auto dockerfile = parse_dockerfile(std::move(file.text), file.name, linter);
    return {{std::move(files.context), std::move(file.ignore_name), std::move(file.ignore)},
            std::move(dockerfile),
            std::move(linter),
            files.time};
  }

  const BuildOptions& options_;
  Downloader& downloader_;
  const GitServices& git_;
  const std::string& temporary_;
  Progress& progress_;
};

/// @throws Error also when a build check fails and is to end the build
Plan plan_of(Input& input, const BuildOptions& options, Fetching& fetching, ImageLibrary& images,
             Progress& progress) {
  IgnoredSources ignored(input.context.ignore);
  auto plan = make_plan(input.dockerfile,
                        {.language = options.language,
                         .named_contexts = options.context.named,
                         .context_time = input.time,
                         .remote_time = remote_time(fetching.downloader, fetching.repositories),
                         .checks = {&input.linter, &ignored}},
                        images, progress);
  input.linter.enforce(input.dockerfile.source);
  return plan;
}

Ladder choose_rung(bool runs_commands, const BuildOptions& options, const BuildServices& services,
                   const std::string& work) {
  if (!runs_commands)
    return {};
  auto ladder =
      probe({options.execution.isolation, work, options.execution.force, services.environment});
  std::string why;
  for (const auto& line : ladder.explanation())
    why += "; not " + line;
  services.progress.info("Isolation: {}{}", rung_name(ladder.rung), why);
  return ladder;
}

std::string own_executable() {
  char path[PATH_MAX];
  const auto size = ::readlink("/proc/self/exe", path, sizeof path);
  return size > 0 ? std::string(path, static_cast<std::size_t>(size)) : std::string();
}

/// What must survive when the container's own "/" is the root of the build.
std::vector<std::string> own_paths(const BuildOptions& options, const std::string& workspace,
                                   const std::string& context) {
  std::vector<std::string> paths = {"/kaniko",
                                    options.execution.work_directory,
                                    cache_directory(options.execution).value_or(""),
                                    workspace,
                                    own_executable(),
                                    context,
                                    options.output.tar_path,
                                    options.output.oci_layout_path,
                                    options.output.reports.builder_output};
  for (const auto file : report_files)
    paths.push_back(options.output.reports.*file);
  return paths;
}

PathFilter ignored_paths(Rung rung, const BuildOptions& options, const std::string& workspace,
                         const std::string& context) {
  const auto mountinfo = read_file(current_directory(), "/proc/self/mountinfo", max_mountinfo);
  std::vector<std::string> own;
  for (const auto& path : own_paths(options, workspace, context)) {
    char real[PATH_MAX];
    own.emplace_back(!path.empty() && ::realpath(path.c_str(), real) != nullptr ? real : path);
  }
  return exclusions_for(rung, options.execution, own, mountinfo).filter();
}

/// Cache mounts of a build without a place for them end with it.
std::string cache_mount_directory(const BuildOptions& options, const Workspace& workspace) {
  const auto kept = writable_cache_directory(options.execution);
  return kept.value_or(workspace.path()) + "/mounts";
}

/// Whether anything will read base blobs again once they have been indexed.
bool must_keep_base_blobs(const Plan& plan, const Schedule& schedule, const BuildOptions& options,
                          Rung rung) {
  if (!options.output.tar_path.empty() || !options.output.oci_layout_path.empty() ||
      options.execution.snapshots == SnapshotScope::whole_stage)
    return true;
  const bool unpacks_again = rung == Rung::inplace || rung == Rung::namespace_directory;
  return plan.stages.size() > 1 && unpacks_again && schedule.runs_commands(plan);
}

/// Where layers of base images stay: with --cache from build to build, otherwise if this build may
/// read them again.
LayerKeep keeping(const CacheDirectory* cache, const Workspace& workspace, bool reads_again) {
  if (cache != nullptr && cache->is_writable())
    return {&cache->blobs(), cache};
  return {reads_again ? &workspace.store() : nullptr, cache};
}

std::string reasons(const Ladder& ladder) {
  std::string text;
  for (const auto& line : ladder.explanation())
    text += (text.empty() ? "" : "; ") + line;
  return text;
}

/// Tells the program about the runner for as long as it lives.
class RunnerGuard {
public:
  RunnerGuard(Runner& runner, const std::function<void(Runner*)>& tell) : tell_(tell) {
    if (tell_)
      tell_(&runner);
  }
  RunnerGuard(const RunnerGuard&) = delete;
  RunnerGuard& operator=(const RunnerGuard&) = delete;
  ~RunnerGuard() {
    if (tell_)
      tell_(nullptr);
  }

private:
  const std::function<void(Runner*)>& tell_;
};

void send(const BuiltImage& image, const OutputOptions& output, const BuildServices& services) {
  if (services.cancel)
    throw Error("the build was told to stop");
  write_outputs(
      image, output,
      {services.registry, services.http, services.retry, services.progress, services.cancel});
}

/// What `RUN --mount=type=cache` sees, where it comes from and where it goes. Mirrors are for base
/// images: one that lags behind would bring old caches back.
class MountCaches {
public:
  MountCaches(const BuildOptions& options, const BuildServices& services,
              const Workspace& workspace)
      : options_(options.cache_mounts), services_(services),
        images_({services.registry, {}, services.progress}),
        imported_(options_.import_from, images_, services.progress),
        mounts_(cache_mount_directory(options, workspace),
                [this](const std::string& key, const std::string& path) {
                  return imported_.fill(key, path);
                }) {}
  MountCaches(const MountCaches&) = delete;
  MountCaches& operator=(const MountCaches&) = delete;

  const CacheMounts& mounts() const noexcept { return mounts_; }

  void keep(LayerFactory& layers) const {
    export_caches({.destinations = options_.export_to,
                   .used = mounts_.used(),
                   .imported = imported_,
                   .layers = layers,
                   .registry = services_.registry,
                   .progress = services_.progress,
                   .now = services_.clock()});
  }

private:
  const CacheMountOptions& options_;
  const BuildServices& services_;
  ImageLibrary images_;
  ImportedCaches imported_;
  CacheMounts mounts_;
};

} // namespace

CheckReport check_build(const BuildOptions& options, const BuildServices& services) {
  const Workspace workspace(workspace_candidates(options));
  Fetching fetching(options, services, workspace);
  auto [context, file, time] = InputReader(options, fetching, services.progress).find();
  ImageLibrary images({services.registry, services.mirrors, services.progress});
  return check_dockerfile(
      {.name = std::move(file.name),
       .text = std::move(file.text),
       .ignore = std::move(file.ignore),
       .options = {.language = options.language,
                   .named_contexts = options.context.named,
                   .context_time = time,
                   .remote_time = remote_time(fetching.downloader, fetching.repositories)}},
      images, services.progress);
}

std::string dry_run(const BuildOptions& options, const BuildServices& services) {
  const Workspace workspace(workspace_candidates(options));
  Fetching fetching(options, services, workspace);
  auto input = InputReader(options, fetching, services.progress).read();
  ImageLibrary images({services.registry, services.mirrors, services.progress});
  return print_plan(plan_of(input, options, fetching, images, services.progress));
}

BuildReport build_image(const BuildOptions& given, const BuildServices& services) {
  auto options = given;
  auto& progress = services.progress;
  Workspace workspace(workspace_candidates(options));
  Fetching fetching(options, services, workspace);
  read_kept_downloads(options.execution, fetching.downloader);
  auto input = InputReader(options, fetching, progress).read();

  // From here on the build is known; nothing has been pulled but manifests and configs.
  const auto kept = open_cache_directory(options, progress);
  const CacheLimit limit(options.execution, kept.get(), services.clock, progress);
  const auto memory = open_image_memory(kept.get(), options.cache, services.clock);
  ImageLibrary images({services.registry, services.mirrors, progress, memory.get()});
  const auto plan = plan_of(input, options, fetching, images, progress);
  Downloads downloads(plan, fetching.downloader, workspace.temporary());
  options.times.epoch = plan.epoch;

  LayerFactory layers(workspace.store(), options.output.compression, time_rule(options.times),
                      services.cancel);
  StepCaches steps(entry_rule(options, services.clock()), progress);
  add_caches(steps, options, kept.get(), services.registry);
  const auto schedule = make_schedule(
      plan, options, steps,
      {input.context, images, downloads, fetching.repositories, workspace, services.clock});
  const auto ladder =
      choose_rung(schedule.runs_commands(plan), options, services, workspace.path());
  const auto runner = make_runner(ladder, {.work_directory = workspace.temporary()});
  const RunnerGuard guard(*runner, services.on_runner);

  const MountCaches caches(options, services, workspace);
  const auto reads_again = must_keep_base_blobs(plan, schedule, options, ladder.rung);
  auto result = execute(plan, {.options = options,
                               .schedule = schedule,
                               .steps = steps,
                               .context = input.context,
                               .images = images,
                               .downloads = downloads,
                               .repositories = fetching.repositories,
                               .workspace = workspace,
                               .runner = *runner,
                               .layers = layers,
                               .progress = progress,
                               .clock = services.clock,
                               .cancel = services.cancel,
                               .rung = ladder.rung,
                               .why_not_better = reasons(ladder),
                               .ignored = ignored_paths(ladder.rung, options, workspace.path(),
                                                        input.context.local.path),
                               .caches = caches.mounts(),
                               .agents = fetching.agents,
                               .keep = keeping(kept.get(), workspace, reads_again)});

  // From here on every file of the image exists; layers may still be on their way to the store.
  auto image = assemble_image(std::move(result.config), result.stack.layers(), options,
                              result.format, services.clock());
  steps.finish();
  image.put_into = steps.holders();
  if (!options.output.reports.base_images_file.empty())
    image.base_images = base_images(plan, images);
  send(image, options.output, services);
  caches.keep(layers);
  return {image.manifest.digest(), image.manifest.layers, ladder.rung};
}

} // namespace cairn
