#include "builder/plan/stage_config.hpp"

#include "builder/plan/plan_limits.hpp"
#include "builder/plan/ports.hpp"
#include "dockerfile/syntax/quote.hpp"
#include "util/clock.hpp"
#include "util/error.hpp"
#include "util/rooted_path.hpp"
#include "util/text.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>

namespace cairn {

namespace {

namespace in = instruction;

/// Arguments that configure the build and never reach a command.
constexpr std::array silent_arguments = {"BUILDKIT_SBOM_SCAN_CONTEXT", "BUILDKIT_SBOM_SCAN_STAGE"};

std::optional<std::string> argument_value(const std::string& name,
                                          const std::optional<std::string>& own,
                                          const ArgumentValues& values) {
  if (const auto given = values.build_args.find(name); given != values.build_args.end())
    return given->second;
  if (own)
    return own;
  if (const auto global = values.global.find(name); global != values.global.end())
    return global->second;
  return std::nullopt;
}

/// Go's time.Duration.String().
std::string go_duration(std::chrono::nanoseconds duration) {
  const auto count = duration.count();
  if (count == 0)
    return "0s";
  if (count < 1'000'000'000) {
    const auto [unit, size] = count < 1000        ? std::pair("ns", 1.0)
                              : count < 1'000'000 ? std::pair("\xc2\xb5s", 1e3)
                                                  : std::pair("ms", 1e6);
    return fmt::format("{:g}{}", static_cast<double>(count) / size, unit);
  }
  const auto minutes = count / 60'000'000'000;
  const auto seconds = static_cast<double>(count % 60'000'000'000) / 1e9;
  auto text = fmt::format("{:.9g}s", seconds);
  if (minutes > 0)
    text = fmt::format("{}m{}", minutes % 60, text);
  if (minutes >= 60)
    text = fmt::format("{}h{}", minutes / 60, text);
  return text;
}

class ConfigWriter {
public:
  ConfigWriter(StageConfig& state, const ArgumentValues& arguments, char escape)
      : state_(state), config_(state.image.config), arguments_(arguments), escape_(escape) {}

  std::string operator()(const in::Arg& arg) {
    std::vector<std::string> shown;
    for (const auto& argument : arg.arguments) {
      const auto& name = argument.name; // literal: names of arguments are not expanded
      std::optional<std::string> own;
      if (argument.value && !arguments_.build_args.contains(name))
        own = word(*argument.value);
      const auto value = argument_value(name, own, arguments_);
      if (value)
        check_variable(name, *value);
      shown.push_back(value ? name + "=" + *value : name);
      const bool silent = std::find(silent_arguments.begin(), silent_arguments.end(), name) !=
                          silent_arguments.end();
      if (value && !silent)
        state_.variables.set(name, *value);
      state_.arguments.declare(name, value);
    }
    return "ARG " + join(shown, " ");
  }

  std::string operator()(const in::Env& env) {
    std::vector<std::string> shown;
    // Every value sees the environment from before the instruction.
    std::vector<NamedText> values;
    for (const auto& variable : env.variables) {
      values.push_back({word(variable.name), word(variable.value)});
      check_variable(values.back().name, values.back().value);
    }
    for (const auto& [name, value] : values) {
      state_.variables.set(name, value);
      config_.env.set(name, value);
      shown.push_back(fmt::format("{}={}", name, value));
    }
    return "ENV " + join(shown, " ");
  }

  std::string operator()(const in::Label& label) {
    std::vector<std::string> shown;
    for (const auto& entry : label.labels) {
      const auto name = word(entry.name);
      config_.labels[name] = word(entry.value);
      shown.push_back(name + "=" + config_.labels[name]);
    }
    return "LABEL " + join(shown, " ");
  }

  std::string operator()(const in::Expose& expose) {
    std::vector<std::string> all;
    for (const auto& port : expose.ports)
      for (const auto& text : words(port))
        for (auto& parsed : parse_ports(text))
          all.push_back(std::move(parsed));
    config_.exposed_ports.insert(all.begin(), all.end());
    return fmt::format("EXPOSE [{}]", join(all, " "));
  }

  std::string operator()(const in::Volume& volume) {
    std::vector<std::string> all;
    for (const auto& path : volume.paths) {
      const auto expanded = word(path);
      if (expanded.empty())
        throw Error("VOLUME: a path cannot be empty");
      config_.volumes.insert(expanded);
      all.push_back(expanded);
    }
    return fmt::format("VOLUME [{}]", join(all, " "));
  }

  std::string operator()(const in::User& user) {
    config_.user = word(user.user);
    return "USER " + config_.user;
  }

  std::string operator()(const in::Cmd& cmd) {
    config_.cmd = command_line(state_, cmd.command);
    config_.args_escaped = true;
    state_.cmd_is_own = true;
    return "CMD " + quoted_list(*config_.cmd);
  }

  std::string operator()(const in::Entrypoint& entrypoint) {
    config_.entrypoint = command_line(state_, entrypoint.command);
    if (!state_.cmd_is_own)
      config_.cmd.reset();
    return "ENTRYPOINT " + quoted_list(*config_.entrypoint);
  }

  std::string operator()(const in::Shell& shell) {
    config_.shell = shell.words;
    return fmt::format("SHELL [{}]", join(shell.words, " "));
  }

  std::string operator()(const in::Healthcheck& check) {
    Healthcheck health{
        {}, check.interval, check.timeout, check.start_period, check.start_interval, check.retries};
    if (!check.command)
      health.test = {"NONE"};
    else if (check.command->form == in::Form::exec)
      health.test = {"CMD"};
    else
      health.test = {"CMD-SHELL"};
    if (check.command)
      health.test.insert(health.test.end(), check.command->words.begin(),
                         check.command->words.end());
    auto text = fmt::format("HEALTHCHECK {{Test:[{}] Interval:{} Timeout:{} StartPeriod:{} "
                            "StartInterval:{} Retries:{}}}",
                            join(health.test, " "), go_duration(health.interval),
                            go_duration(health.timeout), go_duration(health.start_period),
                            go_duration(health.start_interval), health.retries);
    config_.healthcheck = std::move(health);
    return text;
  }

  std::string operator()(const in::Stopsignal& stop) {
    const auto signal = word(stop.signal);
    check_signal(signal);
    config_.stop_signal = signal;
    return "STOPSIGNAL " + signal;
  }

  std::string operator()(const in::Onbuild& onbuild) {
    config_.on_build.push_back(onbuild.trigger);
    return {};
  }

  std::string operator()(const in::Maintainer& maintainer) {
    state_.image.author = maintainer.name;
    return "MAINTAINER " + maintainer.name;
  }

  // The others write files, run commands or begin a stage; the planner has them.
  std::string operator()(const in::From&) { throw Error("FROM cannot stand here"); }
  std::string operator()(const in::Run&) { throw Error("RUN is no configuration"); }
  std::string operator()(const in::Copy&) { throw Error("COPY is no configuration"); }
  std::string operator()(const in::Add&) { throw Error("ADD is no configuration"); }
  std::string operator()(const in::Workdir&) { throw Error("WORKDIR is no configuration"); }

private:
  struct NamedText {
    std::string name, value;
  };

  std::string word(const std::string& text) const {
    return expand_word(text, state_.lookup(), escape_);
  }
  std::vector<std::string> words(const std::string& text) const {
    return expand_words(text, state_.quiet_lookup(), escape_);
  }

  StageConfig& state_;
  RunConfig& config_;
  const ArgumentValues& arguments_;
  char escape_;
};

} // namespace

void DeclaredArguments::declare(const std::string& name, const std::optional<std::string>& value) {
  const auto [place, is_new] = places_.try_emplace(name, arguments_.size());
  if (is_new)
    arguments_.emplace_back(name, value);
  else
    arguments_[place->second].second = value;
}

VariableLookup StageConfig::lookup() const {
  return interruptible(
      [this](std::string_view name) {
        auto value = variables.get(name);
        if (!value && on_unset)
          on_unset(name);
        return value;
      },
      cancel);
}

VariableLookup StageConfig::quiet_lookup() const {
  return interruptible([this](std::string_view name) { return variables.get(name); }, cancel);
}

std::vector<std::string> StageConfig::shell() const {
  return image.config.shell.empty() ? std::vector<std::string>{"/bin/sh", "-c"}
                                    : image.config.shell;
}

std::string StageConfig::working_directory() const {
  return image.config.working_dir.empty() ? "/" : join_path("/", image.config.working_dir);
}

std::string apply_config(StageConfig& state, const Instruction& instruction,
                         const ArgumentValues& arguments, char escape) {
  return std::visit(ConfigWriter(state, arguments, escape), instruction);
}

bool is_config_only(const Instruction& instruction) {
  return !std::holds_alternative<in::From>(instruction) &&
         !std::holds_alternative<in::Run>(instruction) &&
         !std::holds_alternative<in::Copy>(instruction) &&
         !std::holds_alternative<in::Add>(instruction) &&
         !std::holds_alternative<in::Workdir>(instruction);
}

std::vector<std::string> command_line(const StageConfig& state, const in::CommandForm& command) {
  if (command.form == in::Form::exec)
    return command.words;
  auto argv = state.shell();
  argv.push_back(join(command.words, " "));
  return argv;
}

std::string quoted_list(const std::vector<std::string>& words) {
  std::vector<std::string> shown;
  shown.reserve(words.size());
  for (const auto& word : words)
    shown.push_back(quoted(word));
  return "[" + join(shown, " ") + "]";
}

std::string run_history(const StageConfig& state, const std::vector<std::string>& argv) {
  std::vector<std::string> shown;
  for (const auto& [name, value] : state.arguments.in_order())
    shown.push_back(name + "=" + state.variables.get(name).value_or(value.value_or("")));
  if (!shown.empty())
    shown.insert(shown.begin(), fmt::format("|{}", shown.size()));
  shown.insert(shown.end(), argv.begin(), argv.end());
  return join(shown, " ");
}

} // namespace cairn
