#include "creds/docker/helper.hpp"

#include "util/error.hpp"
#include "util/json.hpp"
#include "util/process.hpp"
#include "util/text.hpp"

#include <algorithm>
#include <array>

namespace cairn {

namespace {

constexpr std::size_t max_helper_answer = std::size_t{256} * 1024;
constexpr std::size_t longest_message = 300;

/// What helpers print when there is nothing to tell; clients compare the text.
constexpr std::array<std::string_view, 2> nothing_found = {
    "credentials not found in native keychain", "no credentials server URL"};

bool says_not_found(std::string_view output) {
  const auto text = trim(output);
  return std::find(nothing_found.begin(), nothing_found.end(), text) != nothing_found.end() ||
         text.find("credentials not found") != std::string_view::npos;
}

/// The name becomes part of a program's name: no path may come in with it.
void check_name(const std::string& name) {
  if (name.empty() || name.find('/') != std::string::npos || name.find('\0') != std::string::npos)
    throw Error("credential helper '{}': not a valid name", printable(name));
}

Credential read_answer(const std::string& output, const std::string& server) {
  const auto answer = Json::parse(output);
  Credential credential;
  credential.key = server;
  credential.username = answer.string_or("Username", "");
  auto secret = answer.string_or("Secret", "");
  if (credential.username == "<token>")
    credential.identity_token = std::move(secret);
  else
    credential.password = std::move(secret);
  return credential;
}

std::string program_name(const std::string& helper) {
  return "docker-credential-" + helper;
}

/// One call of a helper: what it is to do, and what it reads from stdin, which may be secret.
struct HelperCall {
  const std::string& name;
  std::string action;
  std::string input;
};

ProcessResult run_helper(const HelperCall& call, const HelperEnvironment& environment) {
  check_name(call.name);
  ProcessSpec spec;
  spec.argv = {program_name(call.name), call.action};
  const auto pinned = environment.programs.find(call.name);
  if (pinned != environment.programs.end()) {
    if (!pinned->second)
      throw Error("there is no such program in PATH");
    if (!pinned->second->is_unchanged())
      throw Error("{} has changed since the work began, and is not run", pinned->second->path());
    spec.argv.front() = pinned->second->path();
    spec.program = pinned->second->file();
  }
  spec.time_limit = environment.time_limit;
  spec.cancel = environment.cancel;
  spec.environment = environment.environment;
  spec.path = environment.path;
  spec.input = call.input;
  spec.output_limit = max_helper_answer;
  return run_process(spec);
}

[[noreturn]] void fail(const ProcessResult& result) {
  // The protocol puts messages on stdout; many helpers use stderr all the same.
  const auto said = trim(trim(result.output).empty() ? result.errors : result.output);
  throw Error("exit status {}: {}", result.exit_status, printable(said.substr(0, longest_message)));
}

} // namespace

void HelperEnvironment::pin(const std::vector<std::string>& names) {
  for (const auto& name : names) {
    auto& program = programs[name];
    try {
      check_name(name);
      program = std::make_shared<const HeldProgram>(program_name(name), path);
    } catch (const Error&) {
      // It matters to those alone who ask for it.
      program.reset();
    }
  }
}

bool HelperEnvironment::is_unchanged(const std::string& name) const {
  const auto pinned = programs.find(name);
  return pinned == programs.end() || !pinned->second || pinned->second->is_unchanged();
}

std::optional<Credential> ask_helper(const std::string& name, const std::string& server,
                                     const HelperEnvironment& environment) {
  return within(
      [&]() -> std::optional<Credential> {
        const auto result = run_helper({name, "get", server}, environment);
        if (result.exit_status != 0) {
          if (says_not_found(result.output) || says_not_found(result.errors))
            return std::nullopt;
          fail(result);
        }
        auto credential = read_answer(result.output, server);
        credential.source = program_name(name);
        if (credential.password.empty() && credential.identity_token.empty())
          return std::nullopt;
        return credential;
      },
      "{} get {}", printable(program_name(name)), printable(server));
}

void store_in_helper(const std::string& name, const Credential& login,
                     const HelperEnvironment& environment) {
  within(
      [&] {
        Json entry = Json::object();
        entry.set("ServerURL", login.key)
            .set("Username", login.username)
            .set("Secret", login.password);
        const auto result = run_helper({name, "store", entry.compact()}, environment);
        if (result.exit_status != 0)
          fail(result);
      },
      "{} store {}", printable(program_name(name)), printable(login.key));
}

} // namespace cairn
