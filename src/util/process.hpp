#pragma once

#include <string>
#include <vector>

namespace cairn {

struct ProcessResult {
  int exit_status = 0; ///< 128 + N when signal N ended it.
  std::string output;  ///< stdout, at most `ProcessSpec::output_limit` bytes.
  std::string errors;  ///< stderr, cut at 64 KiB.
};

struct ProcessSpec {
  std::vector<std::string> argv;        ///< argv[0] is looked up on `path` unless it holds a slash.
  std::vector<std::string> environment; ///< "NAME=value"
  std::string path = "/usr/local/bin:/usr/bin:/bin"; ///< Where programs are found.
  std::string input;                                 ///< Given on stdin.
  std::size_t output_limit = std::size_t{1} << 20;
};

/// The file that `name` means: itself when it holds a slash, else the first on `path`.
/// @throws SysError
std::string find_program(const std::string& name, const std::string& path);

/// Runs a program to its end; it need not read its input, if this one ignores SIGPIPE. Its
/// descriptors are stdin, stdout and stderr alone.
/// @throws SysError when it cannot be started; Error when it prints more than the limit.
ProcessResult run_process(const ProcessSpec& spec);

} // namespace cairn
