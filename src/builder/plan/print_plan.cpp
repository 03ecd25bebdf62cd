#include "builder/plan/plan.hpp"
#include "builder/plan/planner.hpp"
#include "net/redact.hpp"
#include "util/text.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace cairn {

namespace {

std::string stage_title(const Plan& plan, std::size_t index) {
  const auto& stage = plan.stages[index];
  return stage.name;
}

struct BaseText {
  const Plan& plan;

  std::string operator()(const EmptyFilesystem&) const { return "scratch"; }
  std::string operator()(const StageSource& stage) const {
    return "stage " + stage_title(plan, stage.index);
  }
  std::string operator()(const ImageSource& image) const {
    return fmt::format("{} {}", image.reference ? image.reference->str() : image.name,
                       image.platform.str());
  }
  std::string operator()(const MainContext&) const { return "context"; }
  std::string operator()(const DirectorySource& directory) const {
    return "directory " + directory.path;
  }
  std::string operator()(const UrlSource& url) const { return redact_url(url.url); }
  std::string operator()(const GitSource& git) const { return git.text; }
};

struct MountText {
  const Plan& plan;

  std::string operator()(const BindPlan& bind) const {
    return fmt::format("bind {} of {}{}", bind.source, std::visit(BaseText{plan}, bind.from),
                       bind.access == MountAccess::read_write ? " (writable)" : "");
  }
  std::string operator()(const CachePlan& cache) const { return "cache " + cache.id; }
  std::string operator()(const TmpfsPlan& tmpfs) const {
    return tmpfs.size ? fmt::format("tmpfs of {} bytes", *tmpfs.size) : "tmpfs";
  }
  std::string operator()(const SecretPlan& secret) const {
    return "secret " + secret.id + (secret.variable ? " as $" + *secret.variable : "");
  }
  std::string operator()(const SshPlan& ssh) const { return "ssh agent " + ssh.id; }
};

std::vector<std::string> source_texts(const CopyAction& copy) {
  std::vector<std::string> texts;
  for (const auto& source : copy.sources)
    if (const auto* local = std::get_if<LocalSource>(&source))
      texts.push_back(local->pattern);
    else if (const auto* git = std::get_if<GitSource>(&source))
      texts.push_back(git->text);
    else
      texts.push_back(redact_url(std::get<UrlSource>(source).url));
  return texts;
}

bool has_local_source(const CopyAction& copy) {
  return std::any_of(copy.sources.begin(), copy.sources.end(), [](const CopyOperand& source) {
    return std::holds_alternative<LocalSource>(source);
  });
}

struct ActionText {
  const Plan& plan;

  std::string operator()(const ConfigAction&) const { return "config"; }

  std::string operator()(const CopyAction& copy) const {
    std::vector<std::string> what = source_texts(copy);
    for (const auto& file : copy.files)
      what.push_back("<<" + file.name);
    const auto from =
        has_local_source(copy) ? " from " + std::visit(BaseText{plan}, copy.from) : "";
    return fmt::format("files  {}{} to {}", join(what, " "), from, copy.destination);
  }

  std::string operator()(const DirectoryAction& directory) const {
    return fmt::format("files  directory {}{}", directory.path,
                       directory.user.empty() ? "" : " of " + directory.user);
  }

  std::string operator()(const RunAction& run) const {
    auto text = fmt::format("run    in {} as {}", run.working_directory,
                            run.user.empty() ? "root" : run.user);
    for (const auto& mount : run.mounts)
      text += fmt::format(", {}{}{}", std::visit(MountText{plan}, mount.kind),
                          mount.target.empty() ? "" : " at ", mount.target);
    return text;
  }
};

} // namespace

std::string print_plan(const Plan& plan) {
  std::string text;
  for (std::size_t i = 0; i < plan.stages.size(); ++i) {
    const auto& stage = plan.stages[i];
    text +=
        fmt::format("STAGE {}{}\n  from   {}\n", stage_title(plan, i),
                    i == plan.target ? " (target)" : "", std::visit(BaseText{plan}, stage.base));
    for (const auto& step : stage.steps)
      text += fmt::format("  {}\n         {}\n", printable(redact_text(step.text)),
                          printable(std::visit(ActionText{plan}, step.action)));
  }
  return text;
}

} // namespace cairn
