#include "run/isolation_probe.hpp"

#include "run/container.hpp"
#include "run/inplace_runner.hpp"
#include "run/namespace_runner.hpp"
#include "run/process/capabilities.hpp"
#include "run/supervised/supervision_trial.hpp"
#include "run/supervised_runner.hpp"
#include "util/error.hpp"
#include "util/file.hpp"
#include "util/text.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

namespace cairn {

namespace {

constexpr const char* opaque_mark = "user.overlay.opaque";

/// A cause that people meet, for an error that says little.
struct Cause {
  SetupStep step;
  int error; ///< 0 stands for any.
  const char* text;
};

constexpr Cause causes[] = {
    {SetupStep::create_namespaces, EPERM, "seccomp, AppArmor or a missing capability"},
    {SetupStep::create_namespaces, ENOSPC, "user.max_user_namespaces"},
    {SetupStep::map_ids, 0, "needs CAP_SETUID, CAP_SETGID and CAP_SETFCAP"},
    {SetupStep::private_mounts, 0, "AppArmor or SELinux"},
    {SetupStep::mount_overlay, EINVAL,
     "the work directory must be on a volume, not on the container's own overlay"},
    {SetupStep::mount_overlay, ENODEV, "the kernel has no overlayfs"},
    {SetupStep::trial_owner, 0, "not all ids are mapped, or the file system has no owners"},
};

std::string explain(const SetupError& error) {
  for (const auto& cause : causes) {
    if (cause.step == error.step() && (cause.error == 0 || cause.error == error.code()))
      return fmt::format("{} ({})", error.what(), cause.text);
  }
  return error.what();
}

/// A root for trials: a lower layer with "/d/f", and room for an overlay.
class TrialRoot {
public:
  explicit TrialRoot(const std::string& work_directory) : home_(work_directory, "probe-") {
    for (const char* name : {"/lower", "/lower/d", "/upper", "/work"})
      make_directories(home_.path() + name);
    open_at(current_directory(), home_.path() + "/lower/d/f", O_WRONLY | O_CREAT, 0644);
  }

  OverlayRoot overlay() const {
    return {{home_.path() + "/lower"}, home_.path() + "/upper", home_.path() + "/work"};
  }
  DirectoryRoot directory() const { return {home_.path() + "/lower"}; }

  void check_opaque_mark() const {
    char value[8];
    const auto path = home_.path() + "/upper/d";
    if (::lgetxattr(path.c_str(), opaque_mark, value, sizeof value) <= 0)
      throw SysError(errno, "overlay: read the mark of an opaque directory");
  }

private:
  TempDir home_;
};

std::optional<IsolationRefusal> try_namespaces(IsolationMode mode,
                                               const std::string& work_directory) {
  try {
    NamespaceRunner runner({work_directory, {}});
    const TrialRoot root(work_directory);
    if (mode == IsolationMode::namespace_overlay) {
      runner.try_out(root.overlay());
      root.check_opaque_mark();
    } else {
      runner.try_out(root.directory());
    }
    return std::nullopt;
  } catch (const SetupError& error) {
    return IsolationRefusal{mode, explain(error), {}};
  } catch (const Error& error) {
    return IsolationRefusal{mode, error.what(), {}};
  }
}

/// Whether files of a volume can have any owner, as on most they can.
void try_owner(const std::string& work_directory) {
  const TempDir place(work_directory, "probe-");
  constexpr uid_t somebody = 1000;
  if (::fchown(place.fd().get(), somebody, somebody) != 0)
    throw SysError(errno, "give a file to another owner");
}

std::optional<IsolationRefusal> try_supervised(const ProbeRequest& request) {
  const auto refused = [](std::string reason) {
    return IsolationRefusal{IsolationMode::supervised, std::move(reason), {}};
  };
  if (::geteuid() != 0)
    return refused(fmt::format("the executor runs as user {}, not as root", ::geteuid()));
  const auto missing = supervised_capabilities & ~effective_capabilities();
  if (missing != 0)
    return refused(fmt::format("{} missing", capability_names(missing)));
  struct statvfs volume {};
  if (::statvfs(request.work_directory.c_str(), &volume) == 0 && (volume.f_flag & ST_NOEXEC) != 0)
    return refused("the work directory is on a volume without executable files (noexec)");
  try {
    try_owner(request.work_directory);
  } catch (const Error& error) {
    return refused(error.what());
  }
  const auto lacks = try_supervision();
  if (!lacks.empty())
    return refused(join(lacks, "; "));
  return std::nullopt;
}

std::optional<IsolationRefusal> try_in_place(const ProbeRequest& request) {
  const auto refused = [](std::string reason, std::string way_out = {}) {
    return IsolationRefusal{IsolationMode::inplace, std::move(reason), std::move(way_out)};
  };
  if (::geteuid() != 0)
    return refused(fmt::format("the executor runs as user {}, not as root", ::geteuid()));
  const auto missing = inplace_capabilities & ~effective_capabilities();
  if (missing != 0)
    return refused(fmt::format("{} missing", capability_names(missing)));
  if (::access("/", W_OK) != 0) {
    const SysError error(errno, "write to /");
    return refused(error.what(),
                   error.code() == EROFS
                       ? "set readOnlyRootFilesystem: false in the container's securityContext, "
                         "or use COPY alone"
                       : "");
  }
  const auto root = open_at(current_directory(), "/", O_RDONLY | O_DIRECTORY);
  if (request.force == Force::no && !container_evidence(root, request.environment))
    return refused("this does not look like a container, and the whole file system would be "
                   "replaced; --force does it all the same");
  return std::nullopt;
}

std::optional<IsolationRefusal> try_mode(IsolationMode mode, const ProbeRequest& request) {
  switch (mode) {
  case IsolationMode::supervised:
    return try_supervised(request);
  case IsolationMode::inplace:
    return try_in_place(request);
  default:
    return try_namespaces(mode, request.work_directory);
  }
}

std::vector<IsolationMode> wanted_modes(Isolation wanted) {
  switch (wanted) {
  case Isolation::automatic:
    return {IsolationMode::namespace_overlay, IsolationMode::namespace_directory,
            IsolationMode::supervised, IsolationMode::inplace};
  case Isolation::not_in_place:
    return {IsolationMode::namespace_overlay, IsolationMode::namespace_directory,
            IsolationMode::supervised};
  case Isolation::namespaces:
    return {IsolationMode::namespace_overlay, IsolationMode::namespace_directory};
  case Isolation::supervised:
    return {IsolationMode::supervised};
  case Isolation::inplace:
    return {IsolationMode::inplace};
  case Isolation::none:
    break;
  }
  return {};
}

/// Explains why nothing can be run.
class NoRunner final : public Runner {
public:
  explicit NoRunner(const IsolationProbe& probe)
      : reasons_(probe.explanation()), way_out_(probe.way_out()) {}

  Outcome run(const CommandRoot&, const Invocation&) override {
    Error error("no command can be run here");
    for (const auto& reason : reasons_)
      error.add_detail(reason);
    error.add_hint(way_out_);
    throw Error(error);
  }

  void forward_signal(int) override {}

private:
  std::vector<std::string> reasons_;
  std::string way_out_;
};

} // namespace

std::string_view isolation_mode_name(IsolationMode mode) {
  switch (mode) {
  case IsolationMode::namespace_overlay:
    return "namespace with overlay";
  case IsolationMode::namespace_directory:
    return "namespace with directory";
  case IsolationMode::supervised:
    return "supervised";
  case IsolationMode::inplace:
    return "in place";
  case IsolationMode::none:
    break;
  }
  return "none";
}

std::vector<std::string> IsolationProbe::explanation() const {
  std::vector<std::string> lines;
  for (const auto& refusal : refused)
    lines.push_back(fmt::format("{}: {}", isolation_mode_name(refusal.mode), refusal.reason));
  return lines;
}

std::string IsolationProbe::way_out() const {
  if (refused.empty())
    return "--isolation=none was asked for";
  for (const auto& refusal : refused)
    if (!refusal.way_out.empty())
      return refusal.way_out;
  return "run as root with the default capabilities, or use COPY alone";
}

IsolationProbe probe_isolation(const ProbeRequest& request) {
  IsolationProbe probe;
  for (const IsolationMode mode : wanted_modes(request.wanted)) {
    auto refusal = try_mode(mode, request);
    if (!refusal) {
      probe.mode = mode;
      break;
    }
    probe.refused.push_back(*std::move(refusal));
  }
  return probe;
}

void try_overlay_over(const std::string& lower, const std::string& work_directory) {
  NamespaceRunner runner({work_directory, {}});
  const TrialRoot root(work_directory);
  auto overlay = root.overlay();
  overlay.lower.push_back(lower);
  runner.try_over(overlay);
}

std::unique_ptr<Runner> make_runner(const IsolationProbe& probe, RunnerOptions options) {
  // Credentials in the executor's memory and environment are no business of a command: without
  // this, root in the same container may read them through /proc.
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  switch (probe.mode) {
  case IsolationMode::namespace_overlay:
  case IsolationMode::namespace_directory:
    return std::make_unique<NamespaceRunner>(std::move(options));
  case IsolationMode::supervised:
    return std::make_unique<SupervisedRunner>(std::move(options));
  case IsolationMode::inplace:
    return std::make_unique<InPlaceRunner>(std::move(options));
  case IsolationMode::none:
    break;
  }
  return std::make_unique<NoRunner>(probe);
}

} // namespace cairn
