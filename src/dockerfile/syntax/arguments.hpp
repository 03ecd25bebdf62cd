#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cairn {

/// The parts of a logical line: `COMMAND --flag... rest`.
struct InstructionLine {
  std::string command;            ///< As written.
  std::vector<std::string> flags; ///< With their dashes, without quotes and escapes.
  std::string rest;               ///< Trimmed.
};

InstructionLine split_command(std::string_view line, char escape);

/// How the rest of an instruction's line is split.
enum class ArgumentStyle {
  none,            ///< Not at all: an unknown instruction.
  text,            ///< One argument: USER, WORKDIR, STOPSIGNAL, MAINTAINER.
  blanks,          ///< At blanks, quotes mean nothing: FROM, EXPOSE.
  words,           ///< At blanks outside quotes, which stay: ARG.
  pairs,           ///< `name=value ...` or `name value`: ENV, LABEL.
  command,         ///< A JSON array, else one argument: RUN, CMD, ENTRYPOINT, SHELL.
  list,            ///< A JSON array, else at blanks: COPY, ADD, VOLUME.
  typed_command,   ///< A word before a command: HEALTHCHECK.
  sub_instruction, ///< Another instruction: ONBUILD.
};

struct InstructionArguments {
  std::vector<std::string> values; ///< For pairs: name, value, "=" or "" and so on.
  bool json = false;               ///< They were written as a JSON array.
};

/// @throws Error without a place
InstructionArguments split_arguments(std::string_view rest, ArgumentStyle style, char escape);

} // namespace cairn
