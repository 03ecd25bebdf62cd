#include "builder/inputs/build_input.hpp"

#include "builder/plan/checks/check.hpp"
#include "builder/plan/frontend.hpp"
#include "builder/plan/remote_source.hpp"
#include "builder/store/cache_setup.hpp"
#include "context/download/url_context.hpp"
#include "context/git/git_context.hpp"
#include "net/redact.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

namespace cairn {

namespace {

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
  return {services.http,   services.progress, options.commands.secrets,
          services.cancel, services.retry,    options.execution.unpacked};
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

/// Finds what a build is made of.
class InputReader {
public:
  InputReader(const BuildOptions& options, Fetching& fetching)
      : options_(options), downloader_(fetching.downloader), git_(fetching.git),
        temporary_(fetching.git.temporary) {}

  InputFiles find() {
    const auto& from = options_.context;
    if (const auto repository = parse_git_context(from.context, from.git))
      return within([&] { return fetched(*repository); }, "build context");
    if (is_url(from.context))
      return within([&] { return downloaded(); }, "build context");
    auto local = open_local_context({.context = from.context,
                                     .sub_path = from.sub_path,
                                     .temporary = temporary_,
                                     .limit = options_.execution.unpacked});
    auto file = dockerfile(local);
    if (is_url(from.dockerfile))
      read_ignore_file(local, file);
    const auto time = local.newest;
    return {std::move(local), std::move(file), time};
  }

private:
  /// A repository. As in BuildKit .dockerignore does not count, except where kaniko obeys it.
  InputFiles fetched(const GitContextSource& source) {
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
  InputFiles downloaded() {
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

  const BuildOptions& options_;
  Downloader& downloader_;
  const GitServices& git_;
  const std::string& temporary_;
};

} // namespace

Fetching::Fetching(const BuildOptions& options, const BuildServices& services,
                   const Workspace& workspace)
    : agents(open_agents(options.commands)),
      downloader(download_services(options, services),
                 download_directories(options.execution, workspace)),
      git(git_services(options, services, agents, workspace)), repositories(git) {}

void read_kept_downloads(const ExecutionOptions& options, Downloader& downloader) {
  const auto directory = cache_directory(options);
  if (directory && !writable_cache_directory(options))
    downloader.also_read(*directory + "/downloads");
}

InputFiles find_input(const BuildOptions& options, Fetching& fetching) {
  return InputReader(options, fetching).find();
}

BuildInput read_input(const BuildOptions& options, Fetching& fetching, Progress& progress) {
  auto files = find_input(options, fetching);
  auto& file = files.dockerfile;
  report_frontend(file.text, file.name, options.language.build_args, progress);
  Linter linter(check_override(options.language),
                [&progress, name = file.name](const LintWarning& warning) {
                  progress.warn("{}", one_line(warning, name));
                });
  auto dockerfile = parse_dockerfile(std::move(file.text), file.name, linter);
  return {{std::move(files.context), std::move(file.ignore_name), std::move(file.ignore)},
          std::move(dockerfile),
          std::move(linter),
          files.time};
}

} // namespace cairn
