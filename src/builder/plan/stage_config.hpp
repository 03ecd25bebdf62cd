#pragma once

#include "builder/plan/plan.hpp"
#include "dockerfile/syntax/instruction.hpp"
#include "dockerfile/syntax/words.hpp"

#include <atomic>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cairn {

/// The values that `ARG` can take without a default in the stage, by precedence.
struct ArgumentValues {
  std::map<std::string, std::string> build_args; ///< --build-arg
  std::map<std::string, std::string> global;     ///< ARGs before FROM and platform arguments.
};

/// The arguments that a stage declares, for RUN's history entries: each name once, where it was
/// first, with the value of its last ARG.
class DeclaredArguments {
public:
  using Argument = std::pair<std::string, std::optional<std::string>>;

  void declare(const std::string& name, const std::optional<std::string>& value);
  bool contains(std::string_view name) const { return places_.contains(name); }
  const std::vector<Argument>& in_order() const noexcept { return arguments_; }

private:
  std::vector<Argument> arguments_;
  std::map<std::string, std::size_t, std::less<>> places_;
};

/// A stage's configuration as it grows from instruction to instruction.
struct StageConfig {
  ImageConfig image;
  /// What expansions and commands see: the image's environment, ENV and ARG, the later one wins.
  Environment variables;
  DeclaredArguments arguments;
  bool cmd_is_own = false;   ///< CMD was set in this stage: ENTRYPOINT leaves it alone.
  bool base_is_known = true; ///< False: checked without the base image's configuration.
  bool has_workdir = false;  ///< A WORKDIR of this Dockerfile came before.
  /// Told about names without a value that are looked up while an instruction is expanded.
  std::function<void(std::string_view name)> on_unset;
  const std::atomic<bool>* cancel = nullptr; ///< Ends an expansion when it becomes true.

  VariableLookup lookup() const;
  VariableLookup quiet_lookup() const; ///< Tells nobody.
  /// SHELL, or the default one.
  std::vector<std::string> shell() const;
  /// WORKDIR, or "/".
  std::string working_directory() const;
};

/// Applies an instruction that changes the configuration alone and returns its history entry; ""
/// for ONBUILD, which has none.
/// @throws Error without a place
std::string apply_config(StageConfig& state, const Instruction& instruction,
                         const ArgumentValues& arguments, char escape);

/// True for the instructions that apply_config() takes.
bool is_config_only(const Instruction& instruction);

/// argv of a command: exec form as it is, shell form behind the SHELL.
std::vector<std::string> command_line(const StageConfig& state,
                                      const instruction::CommandForm& command);

/// `["a" "b"]`, see quoted(), as BuildKit writes it into history.
std::string quoted_list(const std::vector<std::string>& words);

/// "RUN |1 A=b /bin/sh -c …" without the "RUN ".
std::string run_history(const StageConfig& state, const std::vector<std::string>& argv);

} // namespace cairn
