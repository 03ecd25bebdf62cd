#include "dockerfile/syntax/parse_instruction_run.hpp"

#include "dockerfile/syntax/flags.hpp"
#include "dockerfile/syntax/values.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

#include <algorithm>
#include <utility>

namespace cairn {

namespace {

using namespace instruction;

Device parse_device(std::string_view text) {
  Device device;
  for (const auto& field : parse_csv_record(text)) {
    const auto parts = cut(field, '=');
    const auto key = to_lower(parts ? parts->first : field);
    if (key == "required") {
      const auto value = parse_bool(parts ? parts->second : "true");
      if (!value)
        throw Error("'{}': must be true or false", printable(field));
      device.required = *value;
    } else if (key == "name" && parts && device.name.empty()) {
      device.name = parts->second;
    } else if (device.name.empty()) {
      device.name = field;
    } else {
      throw Error("unknown key in '{}'{}", printable(field),
                  did_you_mean(key, {"name", "required"}));
    }
  }
  return device;
}

RunNetwork network_of(const InstructionFlags& flags) {
  const auto text = flags.given("network").value_or("default");
  if (text == "default")
    return RunNetwork::standard;
  if (text == "none")
    return RunNetwork::none;
  if (text == "host")
    return RunNetwork::host;
  throw Error("--network={}: must be one of default, none, host{}", printable(text),
              did_you_mean(text, {"default", "none", "host"}));
}

RunSecurity security_of(const InstructionFlags& flags) {
  const auto text = flags.given("security").value_or("sandbox");
  if (text == "sandbox")
    return RunSecurity::sandbox;
  if (text == "insecure")
    return RunSecurity::insecure;
  throw Error("--security={}: must be one of sandbox, insecure{}", printable(text),
              did_you_mean(text, {"sandbox", "insecure"}));
}

/// Turns the command line into what the shell is to get.
void put_heredocs_in(Run& run) {
  if (run.heredocs.empty() || run.command.words.empty())
    return;
  auto& line = run.command.words[0];
  if (!parse_heredoc_word(line)) {
    // The shell reads heredocs itself when there is more than one, or a command before it.
    for (const auto& heredoc : run.heredocs)
      line += "\n" + heredoc.content + heredoc.name;
    return;
  }
  const auto& heredoc = run.heredocs[0];
  line = heredoc_body(heredoc);
  if (line.starts_with("#!"))
    run.script = InlineFile{heredoc.name, std::exchange(line, "/dev/pipes/" + heredoc.name), false};
}

} // namespace

CommandForm command_form(const SyntaxNode& node) {
  return {node.arguments, node.json ? Form::exec : Form::shell};
}

Instruction parse_run(const SyntaxNode& node, Common common) {
  const InstructionFlags flags(node.flags, {{"mount", FlagKind::list},
                                            {"network", FlagKind::text},
                                            {"security", FlagKind::text},
                                            {"device", FlagKind::list}});
  Run run;
  static_cast<Common&>(run) = std::move(common);
  for (const auto& text : flags.list("mount"))
    run.mounts.push_back(within([&] { return parse_mount(text); }, "--mount={}", printable(text)));
  for (const auto& text : flags.list("device"))
    run.devices.push_back(
        within([&] { return parse_device(text); }, "--device={}", printable(text)));
  run.network = network_of(flags);
  run.security = security_of(flags);
  run.command = command_form(node);
  run.heredocs = node.heredocs;
  put_heredocs_in(run);
  return run;
}

} // namespace cairn
