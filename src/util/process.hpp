#pragma once

#include "util/fd.hpp"

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace cairn {

struct ProcessResult {
  int exit_status = 0; ///< 128 + N when signal N ended it.
  std::string output;  ///< stdout, at most `ProcessSpec::output_limit` bytes.
  std::string errors;  ///< stderr, cut at 64 KiB.
};

struct ProcessSpec {
  std::vector<std::string> argv; ///< argv[0] is looked up on `path` unless it holds a slash.
  /// The program itself, open, in place of what argv[0] leads to. It stays open in the process.
  std::optional<FdRef> program = std::nullopt;
  std::vector<std::string> environment;              ///< "NAME=value"
  std::string path = "/usr/local/bin:/usr/bin:/bin"; ///< Where programs are found.
  std::string input;                                 ///< Given on stdin.
  std::size_t output_limit = std::size_t{1} << 20;
  std::optional<std::chrono::seconds> time_limit = std::nullopt;
  const std::atomic<bool>* cancel = nullptr; ///< Ends it when it becomes true; borrowed.
};

/// The file that `name` means: itself when it holds a slash, else the first on `path`.
/// @throws SysError
std::string find_program(const std::string& name, const std::string& path);

/// Runs a program to its end; it need not read its input, if this one ignores SIGPIPE. Its
/// descriptors are stdin, stdout and stderr alone. It has a process group of its own, which is
/// killed when this call ends early. What it leaves running is not waited for.
/// @throws SysError when it cannot be started; Error when it prints more or takes longer than it
/// may, or is cancelled
ProcessResult run_process(const ProcessSpec& spec);

} // namespace cairn
