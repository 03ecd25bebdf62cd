#include "apps/executor/login_command.hpp"

#include "apps/shared/common_flags.hpp"
#include "apps/shared/credentials.hpp"
#include "apps/shared/help.hpp"
#include "apps/shared/streams.hpp"
#include "creds/docker/login.hpp"
#include "util/error.hpp"
#include "util/file.hpp"
#include "util/text.hpp"

#include <unistd.h>

namespace cairn {

namespace {

using enum FlagType;

constexpr std::string_view login_group = "Login";
constexpr std::uint64_t longest_password = std::uint64_t{1} << 18;

/// The command as its flags alone describe it.
struct ParsedLoginFlags {
  LoginCommand command;
  bool password_stdin = false;
  bool help = false;
};

// clang-format would give every member of a row its own line.
// clang-format off
Flags<ParsedLoginFlags> credential_flags() {
  return {
    {{.name = "username", .shorthand = "u", .group = login_group, .help = "The user"},
     [](ParsedLoginFlags& d, const FlagValue& v) { d.command.username = v.text(); }},
    {{.name = "password", .shorthand = "p", .group = login_group,
      .help = "The password, for all to see who can list processes"},
     [](ParsedLoginFlags& d, const FlagValue& v) { d.command.password = v.text(); }},
    {{.name = "password-stdin", .type = boolean, .group = login_group, .preset = "false",
      .help = "Read the password from stdin"},
     [](ParsedLoginFlags& d, const FlagValue& v) { d.password_stdin = v.boolean(); }},
  };
}
// clang-format on

LogOptions& login_log(ParsedLoginFlags& given) {
  return given.command.log;
}

bool& login_help(ParsedLoginFlags& given) {
  return given.help;
}

Flags<ParsedLoginFlags> login_flags() {
  return together<ParsedLoginFlags>(
      {credential_flags(), lift(logging_flags(), login_log), help_flag(login_help)});
}

/// Any image of the registry that is called `name`.
ImageRef image_of(const std::string& name) {
  const auto key = normalise_credential_key(name);
  auto ref = ImageRef::parse(key + "/image");
  if (ref.repository() != "image" && ref.repository() != "library/image")
    throw Error("login: '{}' is not the name of a registry", printable(name));
  return ref;
}

std::string required_folder(const ProcessEnvironment& environment) {
  auto folder = docker_folder(environment);
  if (folder.empty())
    throw Error("login: neither DOCKER_CONFIG nor HOME says where config.json is");
  return folder;
}

} // namespace

std::variant<LoginCommand, HelpCommand> parse_login(const std::vector<std::string>& arguments) {
  const auto flags = login_flags();
  ParsedLoginFlags given;
  const auto parsed = read_flags(flags, arguments, given);
  if (given.help)
    return HelpCommand{"Keeps a user and password for a registry in Docker's config.json.\n\n"
                       "Usage:\n"
                       "  executor login REGISTRY --username USER --password-stdin\n" +
                       flag_help(specs_of(flags))};
  auto& command = given.command;
  if (parsed.words.size() != 1)
    throw Error("login: name one registry");
  command.registry = parsed.words.front();
  if (!command.password.empty() && given.password_stdin)
    throw Error("login: --password and --password-stdin exclude each other");
  if (!command.password.empty())
    command.warnings.emplace_back("--password can be seen in the list of processes; "
                                  "use --password-stdin");
  if (given.password_stdin)
    command.password = without_last_newline(read_file(FdRef(STDIN_FILENO), longest_password));
  if (command.username.empty() || command.password.empty())
    throw with_hint(Error("login: it lacks a {}", command.username.empty() ? "user" : "password"),
                    "--username, and --password-stdin or --password");
  return std::move(command);
}

std::vector<FlagSpec> login_flag_specs() {
  return specs_of(login_flags());
}

void run_login(const LoginCommand& command, const ProcessEnvironment& environment,
               Progress& progress) {
  for (const auto& warning : command.warnings)
    progress.warn("{}", warning);
  save_login({image_of(command.registry), command.username, command.password},
             {.path = required_folder(environment), .disk = DiskRule::allow},
             helper_environment(environment), progress);
}

} // namespace cairn
