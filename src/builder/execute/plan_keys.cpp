#include "builder/execute/plan_keys.hpp"

#include "builder/execute/content_digest.hpp"
#include "builder/plan/stage_graph.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace cairn {

namespace {

/// Changes when a step means another layer than it did before.
constexpr std::string_view generation = "2";

std::string list(const std::vector<std::string>& values) {
  std::string text;
  for (const auto& value : values)
    text += fmt::format("{} {}\n", value.size(), value);
  return text;
}

class PlanKeys {
public:
  PlanKeys(const Plan& plan, const KeyServices& services) : plan_(plan), services_(services) {}

  std::vector<StageKeys> all() {
    for (const auto& stage : plan_.stages)
      keys_.push_back(stage_keys(stage));
    return std::move(keys_);
  }

private:
  StageKeys stage_keys(const StagePlan& stage) {
    StageKeys keys;
    keys.files = within_place(stage.place, [&] { return base(stage); });
    for (const auto& step : stage.steps)
      keys.steps.push_back(within_place(step.place, [&] {
        return within([&] { return step_key(step, keys.files); }, "{}", step.text);
      }));
    return keys;
  }

  StepKey base(const StagePlan& stage) {
    if (const auto* earlier = std::get_if<StageSource>(&stage.base))
      return keys_.at(earlier->index).files;
    KeyHash hash("base");
    hash.add("platform", stage.config.platform.str());
    if (const auto* image = std::get_if<ImageSource>(&stage.base))
      hash.add("image", services_.images.get(*image)->manifest.digest().str());
    return hash.finish();
  }

  /// Moves `files` on to what they are after the step.
  std::optional<KeyedStep> step_key(const Step& step, StepKey& files) {
    if (std::holds_alternative<ConfigAction>(step.action))
      return std::nullopt;
    KeyHash hash("step");
    hash.add("generation", generation)
        .add("compression",
             services_.options.output.compression.method == Compression::zstd ? "zstd" : "gzip")
        .add("times", times());
    const auto depends_on = dependence(step);
    if (depends_on == DependsOn::itself)
      hash.add("before", "anything");
    else
      hash.add("before", files);
    std::visit([&](const auto& action) { add(hash, action); }, step.action);
    const auto key = hash.finish();
    files = KeyHash("after").add("before", files).add("step", key).finish();
    return KeyedStep{key, depends_on};
  }

  static DependsOn dependence(const Step& step) {
    const auto* copy = std::get_if<CopyAction>(&step.action);
    const bool alone = copy != nullptr && copy->link && !copy->chmod &&
                       (!copy->chown || is_numeric_owner(*copy->chown));
    return alone ? DependsOn::itself : DependsOn::steps_before;
  }

  /// All times in a layer being one, it depends on which. That later ones become the epoch does not
  /// count: the caches hand out no layer with times after it.
  std::string times() const {
    const auto& times = services_.options.times;
    if (!times.reproducible)
      return "as they are";
    return std::to_string(unix_seconds(times.epoch.value_or(Time{})));
  }

  static void add(KeyHash&, const ConfigAction&) {}

  static void add(KeyHash& hash, const DirectoryAction& action) {
    hash.add("directory", action.path).add("user", action.user);
  }

  void add(KeyHash& hash, const CopyAction& action) {
    hash.add("copy", action.kind == CopyAction::Kind::add ? "ADD" : "COPY")
        .add("destination", action.destination)
        .add("working directory", action.working_directory)
        .add("chown", action.chown.value_or("-"))
        .add("chmod", action.chmod.value_or("-"))
        .add("link", action.link ? "yes" : "no")
        .add("parents", action.parents ? "yes" : "no")
        .add("unpack", action.unpack ? (*action.unpack ? "yes" : "no") : "-");
    for (const auto& file : action.files)
      hash.add("name", file.name).add("text", file.content);
    hash.add("excludes", list(action.excludes));
    for (const auto& source : action.sources)
      std::visit([&](const auto& from) { add_source(hash, action, from); }, source);
  }

  void add_source(KeyHash& hash, const CopyAction& action, const LocalSource& source) {
    if (const auto known = identity(action.from)) {
      hash.add("from", *known).add("source", source.pattern);
      return;
    }
    // Where files go in the image is known by what is before; here it counts which they are.
    auto alone = action;
    alone.kind = CopyAction::Kind::copy;
    alone.chown.reset();
    alone.files.clear();
    alone.sources = {source};
    LayerStack nothing;
    hash.add("content",
             content_digest(copy_files(alone, nothing, services_.files), services_.digests));
  }

  void add_source(KeyHash& hash, const CopyAction&, const UrlSource& source) {
    const auto file = services_.files.downloads.get(source);
    hash.add("download", file->digest.str())
        .add("name", source.file_name().empty() ? file->suggested_name : source.file_name());
  }

  void add_source(KeyHash& hash, const CopyAction&, const GitSource& source) {
    hash.add("repository", identity(source));
  }

  void add(KeyHash& hash, const RunAction& action) {
    auto environment = action.environment.entries();
    std::sort(environment.begin(), environment.end());
    hash.add("run", list(action.argv))
        .add("environment", list(environment))
        .add("working directory", action.working_directory)
        .add("user", action.user)
        .add("script", action.script ? action.script->name + "\n" + action.script->content : "")
        .add("network", std::to_string(static_cast<int>(action.network)))
        .add("hostname", services_.options.commands.hostname);
    for (const auto& [name, address] : services_.options.commands.hosts)
      hash.add(name, address);
    for (const auto& mount : action.mounts) {
      hash.add("target", mount.target);
      std::visit([&](const auto& kind) { add_mount(hash, kind); }, mount.kind);
    }
  }

  void add_mount(KeyHash& hash, const BindPlan& bind) {
    hash.add("bind", bind.source).add("access", std::to_string(static_cast<int>(bind.access)));
    if (const auto known = identity(bind.from))
      hash.add("from", *known);
    else
      hash.add("content", content_of(bind.from, bind.source));
  }

  /// What a cache or a secret holds is not in the key: a command that depends on it in what it
  /// leaves behind would not be repeatable anyway, and a secret is nobody's business.
  void add_mount(KeyHash& hash, const CachePlan& cache) {
    hash.add("cache", cache.id).add("source", cache.source);
    hash.add("from", identity(cache.from).value_or("context"));
  }

  static void add_mount(KeyHash& hash, const TmpfsPlan& tmpfs) {
    hash.add("tmpfs", tmpfs.size ? std::to_string(*tmpfs.size) : "");
  }

  static void add_mount(KeyHash& hash, const SecretPlan& secret) {
    hash.add("secret", secret.id).add("variable", secret.variable.value_or(""));
    hash.add("file", look(secret.file));
  }

  static void add_mount(KeyHash& hash, const SshPlan& ssh) {
    hash.add("ssh", ssh.id).add("socket", look(ssh.socket));
  }

  static std::string look(const SecretFile& file) {
    return fmt::format("{:o} {}:{}", file.mode, file.uid, file.gid);
  }

  /// What an origin is, when that can be said without looking at its files.
  std::optional<std::string> identity(const FileOrigin& from) {
    if (const auto* stage = std::get_if<StageSource>(&from))
      return "stage " + keys_.at(stage->index).files.hex;
    if (const auto* image = std::get_if<ImageSource>(&from))
      return "image " + services_.images.get(*image)->manifest.digest().str();
    if (std::holds_alternative<EmptyFilesystem>(from))
      return "nothing";
    if (const auto* git = std::get_if<GitSource>(&from))
      return identity(*git);
    if (const auto* url = std::get_if<UrlSource>(&from))
      return "download " + services_.files.downloads.get(*url)->digest.str();
    return std::nullopt;
  }

  std::string identity(const GitSource& git) {
    return git.identity(services_.files.repositories.commit(git));
  }

  std::string content_of(const FileOrigin& from, const std::string& source) {
    return content_digest(subtree(from, source, services_.files), services_.digests);
  }

  const Plan& plan_;
  const KeyServices& services_;
  std::vector<StageKeys> keys_;
};

} // namespace

std::vector<StageKeys> plan_keys(const Plan& plan, const KeyServices& services) {
  return PlanKeys(plan, services).all();
}

} // namespace cairn
