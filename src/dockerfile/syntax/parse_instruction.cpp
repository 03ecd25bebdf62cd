#include "dockerfile/syntax/parse_instruction.hpp"

#include "dockerfile/syntax/flags.hpp"
#include "dockerfile/syntax/parse_instruction_files.hpp"
#include "dockerfile/syntax/parse_instruction_run.hpp"
#include "dockerfile/syntax/unicode.hpp"
#include "dockerfile/syntax/values.hpp"
#include "util/clock.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace cairn {

namespace {

using namespace instruction;

void refuse_flags(const SyntaxNode& node) {
  InstructionFlags(node.flags, {});
}

void require_arguments(const SyntaxNode& node) {
  if (node.arguments.empty())
    throw Error("needs at least one argument");
}

const std::string& one_argument(const SyntaxNode& node) {
  if (node.arguments.size() != 1)
    throw Error("needs exactly one argument");
  return node.arguments[0];
}

const std::string& only_argument(const SyntaxNode& node) {
  refuse_flags(node);
  return one_argument(node);
}

std::optional<std::string> description_of(const SyntaxNode& node, const std::string& name) {
  for (const auto& comment : node.comments)
    if (comment.starts_with(name + " "))
      return comment.substr(name.size() + 1);
  return std::nullopt;
}

std::string stage_name(const std::string& written) {
  auto name = to_lower(written);
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  };
  if (name.empty() || !(name[0] >= 'a' && name[0] <= 'z') ||
      !std::all_of(name.begin(), name.end(), allowed))
    throw with_hint(Error("'{}' cannot be the name of a stage", printable(written)),
                    "a name starts with a letter and goes on with letters, digits and -_.");
  return name;
}

Instruction parse_from(const SyntaxNode& node, Common common) {
  const InstructionFlags flags(node.flags, {{"platform", FlagKind::text}});
  const auto& words = node.arguments;
  const bool named = words.size() == 3 && equals_ignoring_case(words[1], "as");
  if (words.size() != 1 && !named)
    throw Error("must be of the form FROM image or FROM image AS name");
  From from{std::move(common), words[0], flags.text("platform"), std::nullopt, std::nullopt};
  if (named) {
    from.name = stage_name(words[2]);
    from.description = description_of(node, *from.name);
  }
  return from;
}

// Flags are not looked at, which is how the frontend has it for ARG and STOPSIGNAL.
Instruction parse_arg(const SyntaxNode& node, Common common) {
  require_arguments(node);
  Arg arg{std::move(common), {}};
  for (const auto& word : node.arguments) {
    const auto parts = cut(word, '=');
    Argument argument;
    argument.name = parts ? parts->first : word;
    if (argument.name.empty())
      throw Error("'{}' has no name", printable(word));
    if (parts)
      argument.value = parts->second;
    argument.description = description_of(node, argument.name);
    arg.arguments.push_back(std::move(argument));
  }
  return arg;
}

std::vector<NameValue> pairs_of(const SyntaxNode& node) {
  refuse_flags(node);
  require_arguments(node);
  std::vector<NameValue> pairs;
  for (std::size_t i = 0; i + 2 < node.arguments.size(); i += 3) {
    if (node.arguments[i].empty())
      throw Error("'={}' has no name", printable(node.arguments[i + 1]));
    pairs.push_back({node.arguments[i], node.arguments[i + 1], node.arguments[i + 2].empty()});
  }
  return pairs;
}

Instruction parse_expose(const SyntaxNode& node, Common common) {
  refuse_flags(node);
  require_arguments(node);
  Expose expose{std::move(common), node.arguments};
  std::sort(expose.ports.begin(), expose.ports.end());
  return expose;
}

Instruction parse_volume(const SyntaxNode& node, Common common) {
  refuse_flags(node);
  require_arguments(node);
  Volume volume{std::move(common), {}};
  for (const auto& path : node.arguments) {
    volume.paths.emplace_back(trim_space(path));
    if (volume.paths.back().empty())
      throw Error("a path is empty");
  }
  return volume;
}

Instruction parse_shell(const SyntaxNode& node, Common common) {
  refuse_flags(node);
  if (!node.json && !node.arguments.empty())
    throw with_hint(Error("must be a JSON array"), R"(SHELL ["/bin/sh", "-c"])");
  require_arguments(node);
  return Shell{std::move(common), node.arguments};
}

std::chrono::nanoseconds interval(const InstructionFlags& flags, std::string_view name) {
  const auto text = flags.text(name);
  const auto value = parse_duration(text.value_or("0"));
  if (!value)
    throw Error("--{}={}: must be a duration such as 30s or 1m30s", name, printable(*text));
  if (*value != std::chrono::nanoseconds(0) && *value < std::chrono::milliseconds(1))
    throw Error("--{}={}: must be 0 or at least 1ms", name, printable(*text));
  return *value;
}

int retries(const InstructionFlags& flags) {
  const auto text = flags.text("retries");
  const auto value = parse_go_integer(text.value_or("0"));
  if (!value || *value < 0 || *value > std::numeric_limits<std::int32_t>::max())
    throw Error("--retries={}: must be a number, and not negative", printable(*text));
  return static_cast<int>(*value);
}

Instruction parse_healthcheck(const SyntaxNode& node, Common common) {
  require_arguments(node);
  Healthcheck check;
  static_cast<Common&>(check) = std::move(common);
  const auto& type = node.arguments[0];
  if (equals_ignoring_case(type, "none")) {
    if (node.arguments.size() > 1)
      throw Error("NONE takes no arguments");
    return check; // whatever its flags are
  }
  const InstructionFlags flags(node.flags, {{"interval", FlagKind::text},
                                            {"timeout", FlagKind::text},
                                            {"start-period", FlagKind::text},
                                            {"start-interval", FlagKind::text},
                                            {"retries", FlagKind::text}});
  if (!equals_ignoring_case(type, "cmd"))
    throw Error("'{}' must be CMD or NONE", printable(type));
  if (node.arguments.size() < 2)
    throw Error("CMD needs a command");
  check.command = CommandForm{{node.arguments.begin() + 1, node.arguments.end()},
                              node.json ? Form::exec : Form::shell};
  check.interval = interval(flags, "interval");
  check.timeout = interval(flags, "timeout");
  check.start_period = interval(flags, "start-period");
  check.start_interval = interval(flags, "start-interval");
  check.retries = retries(flags);
  return check;
}

Instruction parse_onbuild(const SyntaxNode& node, Common common) {
  refuse_flags(node);
  if (node.children.empty())
    throw Error("needs an instruction");
  const auto& trigger = node.children[0];
  const auto command = to_upper(trigger.command);
  if (command == "ONBUILD" || command == "FROM" || command == "MAINTAINER")
    throw Error("{} cannot be a trigger", command);
  Onbuild onbuild;
  static_cast<Common&>(onbuild) = std::move(common);
  // Trailing blanks stay, as the frontend has it.
  constexpr std::size_t own_name = std::string_view("ONBUILD").size();
  onbuild.trigger = node.text.substr(node.text.find_first_not_of("\t\n\f\r ", own_name));
  for (const auto& heredoc : node.heredocs)
    onbuild.trigger += "\n" + heredoc.content + heredoc.name;
  return onbuild;
}

Instruction parse_env(const SyntaxNode& node, Common common) {
  return Env{std::move(common), pairs_of(node)};
}

Instruction parse_label(const SyntaxNode& node, Common common) {
  return Label{std::move(common), pairs_of(node)};
}

Instruction parse_user(const SyntaxNode& node, Common common) {
  return User{std::move(common), only_argument(node)};
}

Instruction parse_workdir(const SyntaxNode& node, Common common) {
  return Workdir{std::move(common), only_argument(node)};
}

Instruction parse_stopsignal(const SyntaxNode& node, Common common) {
  return Stopsignal{std::move(common), one_argument(node)};
}

Instruction parse_maintainer(const SyntaxNode& node, Common common) {
  return Maintainer{std::move(common), only_argument(node)};
}

Instruction parse_cmd(const SyntaxNode& node, Common common) {
  refuse_flags(node);
  return Cmd{std::move(common), command_form(node)};
}

Instruction parse_entrypoint(const SyntaxNode& node, Common common) {
  refuse_flags(node);
  return Entrypoint{std::move(common), command_form(node)};
}

struct Known {
  std::string_view name;
  Instruction (*parse)(const SyntaxNode&, Common);
};

// In the order of the alternatives of Instruction.
constexpr std::array<Known, 18> known_instructions = {{
    {"FROM", parse_from},
    {"ARG", parse_arg},
    {"RUN", parse_run},
    {"COPY", parse_copy},
    {"ADD", parse_add},
    {"ENV", parse_env},
    {"LABEL", parse_label},
    {"EXPOSE", parse_expose},
    {"VOLUME", parse_volume},
    {"USER", parse_user},
    {"WORKDIR", parse_workdir},
    {"CMD", parse_cmd},
    {"ENTRYPOINT", parse_entrypoint},
    {"SHELL", parse_shell},
    {"HEALTHCHECK", parse_healthcheck},
    {"STOPSIGNAL", parse_stopsignal},
    {"ONBUILD", parse_onbuild},
    {"MAINTAINER", parse_maintainer},
}};
static_assert(known_instructions.size() == std::variant_size_v<Instruction>);

[[noreturn]] void refuse_unknown(const std::string& command) {
  std::vector<std::string> names(known_instructions.size());
  std::transform(known_instructions.begin(), known_instructions.end(), names.begin(),
                 [](const Known& known) { return std::string(known.name); });
  throw Error("unknown instruction {}{}", printable(command), did_you_mean(command, names));
}

} // namespace

const instruction::Common& common(const Instruction& instruction) {
  return std::visit([](const auto& each) -> const Common& { return each; }, instruction);
}

std::string_view instruction_name(const Instruction& instruction) {
  return known_instructions[instruction.index()].name;
}

std::string_view name_as_written(const instruction::Common& instruction) {
  const std::string_view text = instruction.text;
  return text.substr(0, text.find_first_of("\t\v\f\r "));
}

Instruction parse_instruction(const SyntaxNode& node) {
  const auto known =
      std::find_if(known_instructions.begin(), known_instructions.end(), [&](const Known& each) {
        return equals_ignoring_case(each.name, node.command);
      });
  if (known == known_instructions.end())
    refuse_unknown(node.command);
  return within(
      [&] {
        return known->parse(node, {node.range, std::string(trim_space(node.text)), node.comments});
      },
      "{}", known->name);
}

} // namespace cairn
