#pragma once

#include "dockerfile/syntax/heredoc.hpp"
#include "dockerfile/syntax/mount.hpp"
#include "dockerfile/syntax/source.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace cairn {

/// The instructions of a Dockerfile, typed and unexpanded: every string may still hold variables,
/// quotes and escapes for expand_word(), unless it says "literal".
/// They have a namespace of their own because their names (Run, User, Copy) are everybody's.
namespace instruction {

/// What every instruction has.
struct Common {
  SourceRange range;                 ///< From the instruction's name to its last line or heredoc.
  std::string text;                  ///< The logical line: continuations joined, trimmed.
  std::vector<std::string> comments; ///< The comment lines right above, without "#" and blanks.
};

enum class Form {
  shell, ///< One word, to be handed to the SHELL; no word when nothing was written.
  exec   ///< The words of a JSON array, which may be empty.
};

/// Literal: RUN, CMD, ENTRYPOINT and HEALTHCHECK leave variables to the shell.
struct CommandForm {
  std::vector<std::string> words;
  Form form = Form::shell;

  bool operator==(const CommandForm&) const = default;
};

/// `FROM [--platform=P] image [AS name]`. Sees only the global arguments.
struct From : Common {
  std::string image; ///< Reference, earlier stage, named context, or "scratch".
  std::optional<std::string> platform;
  std::optional<std::string> name;        ///< Literal, in lower case.
  std::optional<std::string> description; ///< From a comment `# <name> description`.
};

struct Argument {
  std::string name;
  std::optional<std::string> value;       ///< The default, if any.
  std::optional<std::string> description; ///< From a comment `# <name> description`.
};

/// `ARG name[=default] ...`; each sees the earlier ones.
struct Arg : Common {
  std::vector<Argument> arguments;
};

enum class RunNetwork { standard, none, host };
enum class RunSecurity { sandbox, insecure };

struct Device {
  std::string name;
  bool required = false;
};

/// Content that stands in the Dockerfile itself.
struct InlineFile {
  std::string name;
  std::string content; ///< Leading tabs already removed where `<<-` asks for it.
  bool expand = true;  ///< Whether expand_heredoc() applies. Never for RUN.
};

struct Run : Common {
  /// In shell form with heredocs the word is what the shell is to get: the body alone for
  /// `RUN <<EOF`, otherwise the line followed by the bodies and their terminators.
  CommandForm command;
  /// `RUN <<EOF` whose body starts with "#!": the file to put at /dev/pipes/<name> with mode 0755
  /// for the time of the command, which is then that path.
  std::optional<InlineFile> script;
  std::vector<Heredoc> heredocs; ///< As written.
  std::vector<MountSpec> mounts;
  RunNetwork network = RunNetwork::standard;
  RunSecurity security = RunSecurity::sandbox;
  std::vector<Device> devices;
};

/// What COPY and ADD share. At least one of `sources` and `files` is not empty.
struct Transfer : Common {
  std::vector<std::string> sources;
  std::vector<InlineFile> files; ///< Heredocs, in order; they come after the sources.
  std::string destination;
  std::optional<std::string> chown;
  std::optional<std::string> chmod;
  bool link = false;
  std::vector<std::string> excludes;
};

struct Copy : Transfer {
  std::optional<std::string> from; ///< Stage name, stage index, named context or image.
  bool parents = false;
};

struct Add : Transfer {
  std::optional<std::string> checksum;
  std::optional<bool> keep_git_dir;
  std::optional<bool> unpack; ///< Absent: local archives are unpacked, remote ones are not.
};

struct NameValue {
  std::string name;
  std::string value;
  bool legacy = false; ///< Written `name value` without "=".
};

struct Env : Common {
  std::vector<NameValue> variables;
};

struct Label : Common {
  std::vector<NameValue> labels;
};

struct Expose : Common {
  std::vector<std::string> ports; ///< Bytewise sorted; for expand_words().
};

struct Volume : Common {
  std::vector<std::string> paths; ///< For expand_words().
};

struct User : Common {
  std::string user;
};

struct Workdir : Common {
  std::string path;
};

struct Cmd : Common {
  CommandForm command;
};

struct Entrypoint : Common {
  CommandForm command;
};

struct Shell : Common {
  std::vector<std::string> words; ///< Literal, at least one.
};

struct Healthcheck : Common {
  std::optional<CommandForm> command; ///< Absent for HEALTHCHECK NONE.
  // Zero when not given: whoever runs the image applies the defaults.
  std::chrono::nanoseconds interval{0};
  std::chrono::nanoseconds timeout{0};
  std::chrono::nanoseconds start_period{0};
  std::chrono::nanoseconds start_interval{0};
  int retries = 0;
};

struct Stopsignal : Common {
  std::string signal;
};

struct Onbuild : Common {
  /// Literal: what the image's config gets, heredocs included. It may be one that cannot be
  /// understood, which whoever builds on the image is told.
  std::string trigger;
};

struct Maintainer : Common {
  std::string name; ///< Literal.
};

} // namespace instruction

using Instruction =
    std::variant<instruction::From, instruction::Arg, instruction::Run, instruction::Copy,
                 instruction::Add, instruction::Env, instruction::Label, instruction::Expose,
                 instruction::Volume, instruction::User, instruction::Workdir, instruction::Cmd,
                 instruction::Entrypoint, instruction::Shell, instruction::Healthcheck,
                 instruction::Stopsignal, instruction::Onbuild, instruction::Maintainer>;

/// What all instructions share.
const instruction::Common& common(const Instruction& instruction);

/// "RUN", "COPY"...
std::string_view instruction_name(const Instruction& instruction);

/// The same in the case that the file has it in.
std::string_view name_as_written(const instruction::Common& instruction);

} // namespace cairn
