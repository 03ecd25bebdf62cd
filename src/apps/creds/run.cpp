#include "apps/creds/run.hpp"

#include "apps/creds/actions.hpp"
#include "apps/creds/helper_program.hpp"
#include "apps/creds/parse_command.hpp"
#include "apps/shared/signals.hpp"
#include "util/error.hpp"

#include <atomic>

namespace cairn {

namespace {

class CredsProgram {
public:
  CredsProgram(const ProcessEnvironment& environment, StandardStreams streams,
               const std::atomic<bool>& cancel)
      : environment_(environment), streams_(streams), cancel_(cancel) {}

  int operator()(const InjectCommand& command) const {
    inject(command, environment_, streams_, cancel_);
    return 0;
  }
  int operator()(const CheckCommand& command) const {
    return check(command, environment_, streams_, cancel_);
  }
  int operator()(const EraseCommand& command) const {
    erase(command, streams_);
    return 0;
  }
  int operator()(const PrintEnvCommand& command) const {
    print(streams_.out, environment_lines(command.directory));
    return 0;
  }
  int operator()(const HelperCommand& command) const {
    return run_credential_helper("docker-credential-cairn", command.words, environment_, streams_);
  }
  int operator()(const TextCommand& command) const {
    print(streams_.out, command.text);
    return 0;
  }

private:
  const ProcessEnvironment& environment_;
  StandardStreams streams_;
  const std::atomic<bool>& cancel_;
};

int supervised(const std::vector<std::string>& arguments, const ProcessEnvironment& environment,
               StandardStreams streams) {
  std::atomic<bool> cancel = false;
  const SignalWatch signals([&](int) { cancel = true; });
  try {
    return std::visit(CredsProgram(environment, streams, cancel),
                      parse_creds(arguments, environment));
  } catch (...) {
    return signals.exit_status(print_exception(streams.err));
  }
}

} // namespace

int run_creds(const std::vector<std::string>& arguments, const ProcessEnvironment& environment,
              StandardStreams streams) {
  try {
    return supervised(arguments, environment, streams);
  } catch (...) {
    return print_exception(streams.err);
  }
}

} // namespace cairn
