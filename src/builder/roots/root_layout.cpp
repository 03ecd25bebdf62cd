#include "builder/roots/root_layout.hpp"

#include "builder/store/cache_setup.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <set>

namespace cairn {

namespace {

constexpr std::uint64_t max_mountinfo = std::uint64_t{16} << 20;
constexpr std::string_view own_directory = "/kaniko";

/// The container runtime writes these, as mounts or as files.
constexpr std::array runtime_files = {"/etc/resolv.conf", "/etc/hosts",  "/etc/hostname",
                                      "/etc/mtab",        "/.dockerenv", "/run/.containerenv"};

/// Where the programs that run a pipeline's containers keep their own files: Tekton's entrypoint
/// and Argo's emissary, while a command runs.
constexpr std::array pipeline_directories = {"/tekton", "/argo", "/var/run/argo", "/run/argo"};

/// GitLab's runner has a log and scripts in directories of these names, with a job's numbers.
constexpr std::array<std::string_view, 2> pipeline_names = {"logs-", "scripts-"};

void add_kernel_and_ignored(ReservedPaths& reserved, const ExecutionOptions& options) {
  for (const auto* path : {"/proc", "/sys", "/dev"})
    reserved.add({RootedPath::parse(path), PathOwner::kernel, {}});
  for (const auto& path : options.ignore_paths)
    reserved.add({RootedPath::parse(path), PathOwner::ignored, {}});
}

bool is_pipelines(const RootedPath& path) {
  const auto first = std::string(path.components().front());
  return std::any_of(
             pipeline_directories.begin(), pipeline_directories.end(),
             [&](const char* directory) { return RootedPath::parse(directory).contains(path); }) ||
         std::any_of(pipeline_names.begin(), pipeline_names.end(),
                     [&](std::string_view name) { return first.starts_with(name); });
}

/// Divides the container's "/".
class Division {
public:
  Division(const ExecutionOptions& options, const ContainerSurvey& places)
      : options_(options), places_(places) {
    for (const auto& mount : places.mounts)
      if (!mount.point.is_root())
        points_.insert(mount.point);
    for (const auto& named : places.named)
      named_.push_back(RootedPath::parse(named.path));
  }

  RootLayout divide() {
    add_kernel_and_ignored(layout_.reserved, options_);
    for (const auto* path : runtime_files)
      layout_.reserved.add({RootedPath::parse(path), PathOwner::runtime, {}});
    add_executors();
    for (const auto& mount : places_.mounts)
      add_mount(mount);
    for (const auto& named : places_.named)
      add_named(named);
    for (const auto& reserved : layout_.reserved.all())
      if (reserved.is_expected())
        layout_.volatile_paths.add(reserved);
    return std::move(layout_);
  }

private:
  void add_executors() {
    for (const auto& path : {std::string(own_directory), options_.work_directory, places_.program})
      if (!path.empty())
        layout_.reserved.add({RootedPath::parse(path), PathOwner::executor, {}});
    for (const auto& path : places_.workspaces) {
      layout_.reserved.add({RootedPath::parse(path), PathOwner::executor, {}});
      layout_.volatile_paths.add({RootedPath::parse(path), PathOwner::executor, {}});
    }
  }

  void add_mount(const MountEntry& mount) {
    const auto& point = mount.point;
    if (const auto* reserved = layout_.reserved.covering(point);
        point.is_root() || (reserved != nullptr && reserved->is_expected()))
      return;
    layout_.mounts.push_back(mount);
    if (layout_.reserved.covers(point))
      return;
    const bool writable = mount.mode == MountMode::read_write;
    const bool others = is_pipelines(point);
    if (writable && !others && is_alone(point) && places_.is_free(point)) {
      layout_.lent.push_back(point);
      return;
    }
    layout_.reserved.add({point, PathOwner::mount, {}});
    if (writable && !others && places_.is_large(point))
      layout_.too_large.push_back(point);
    if (!writable || others || places_.is_large(point))
      layout_.volatile_paths.add({point, PathOwner::mount, {}});
  }

  /// Nothing that must stay is in it.
  bool is_alone(const RootedPath& point) const {
    const auto is_inside = [&](const RootedPath& path) { return point.contains(path); };
    const auto next = points_.upper_bound(point);
    const auto& reserved = layout_.reserved;
    return (next == points_.end() || !is_inside(*next)) && reserved.inside(point) == nullptr &&
           std::none_of(named_.begin(), named_.end(), is_inside);
  }

  void add_named(const NamedPath& named) {
    const auto path = RootedPath::parse(named.path);
    if (path.is_root())
      throw with_hint(Error("{}: '/' cannot be kept: in place the container's own root becomes "
                            "the image's",
                            named.option),
                      "name a directory, which is then left alone");
    layout_.reserved.add({path, PathOwner::option, named.option});
    if (named.use == NamedPath::Use::written)
      layout_.volatile_paths.add({path, PathOwner::option, named.option});
    else
      layout_.inputs.push_back(path);
  }

  const ExecutionOptions& options_;
  const ContainerSurvey& places_;
  std::set<RootedPath> points_;
  std::vector<RootedPath> named_;
  RootLayout layout_;
};

/// The links on the way to a name that need not exist yet are followed, the name itself is kept.
std::string real_place(const std::string& path) {
  const auto clean = RootedPath::parse(path);
  if (clean.is_root())
    return clean.str();
  const auto parent = try_real_path(clean.parent().str());
  return RootedPath::parse(parent.value_or(clean.parent().str())).child(clean.name()).str();
}

/// More files than are looked at before and after each command.
bool is_large_directory(const RootedPath& path) {
  constexpr int most = 100'000;
  std::error_code error;
  std::filesystem::recursive_directory_iterator entry(path.str(), error);
  int count = 0;
  for (; !error && entry != std::filesystem::recursive_directory_iterator(); entry.increment(error))
    if (++count > most)
      return true;
  return false;
}

bool is_free_directory(const RootedPath& path) {
  try {
    const auto directory =
        try_open_at(current_directory(), path.str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    return directory && list_directory(*directory).empty() &&
           ::access(path.str().c_str(), W_OK) == 0;
  } catch (const Error&) {
    return false; // a file, or what cannot be read
  }
}

} // namespace

const MountEntry* RootLayout::mount_of(const RootedPath& path) const {
  const MountEntry* found = nullptr;
  for (const auto& mount : mounts)
    if (mount.point.contains(path) && (found == nullptr || found->point.contains(mount.point)))
      found = &mount;
  return found;
}

bool RootLayout::is_beside_inputs(const RootedPath& path) const {
  const auto* mount = mount_of(path);
  const auto is_input = [&](const RootedPath& input) { return input.contains(path); };
  return mount != nullptr && std::none_of(inputs.begin(), inputs.end(), is_input) &&
         std::any_of(inputs.begin(), inputs.end(),
                     [&](const RootedPath& input) { return mount_of(input) == mount; });
}

RootLayout private_root_layout(const ExecutionOptions& options) {
  RootLayout layout;
  add_kernel_and_ignored(layout.reserved, options);
  return layout;
}

RootLayout inplace_root_layout(const ExecutionOptions& options, const ContainerSurvey& places) {
  return Division(options, places).divide();
}

ContainerSurvey survey_container(const ExecutionOptions& options,
                                 const std::vector<std::string>& workspaces,
                                 const std::string& context) {
  ContainerSurvey places;
  places.mounts =
      parse_mount_table(read_file(current_directory(), "/proc/self/mountinfo", max_mountinfo));
  auto all = options.named_paths;
  // Which may be relative, as the directory that this process works in still is the user's.
  all.push_back({NamedPath::Use::read, "--context", try_real_path(context).value_or(context)});
  if (const auto cache = cache_directory(options))
    all.push_back({NamedPath::Use::written, "--cache-dir", *cache});
  for (const auto& named : all) {
    auto place = real_place(named.path);
    const auto target = try_real_path(place);
    if (!target && named.use == NamedPath::Use::read)
      continue;
    if (target && *target != place)
      places.named.push_back({named.use, named.option, *target});
    places.named.push_back({named.use, named.option, std::move(place)});
  }
  places.program = try_real_path("/proc/self/exe").value_or("");
  for (const auto& workspace : workspaces)
    places.workspaces.push_back(try_real_path(workspace).value_or(workspace));
  places.is_free = is_free_directory;
  places.is_large = is_large_directory;
  return places;
}

} // namespace cairn
