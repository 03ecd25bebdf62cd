#pragma once

#include "run/process/runner.hpp"
#include "util/fd.hpp"

#include <vector>

namespace cairn {

/// What a command writes, on its way to the executor's output. In between are pipes that belong to
/// the command's user, who may open them by /dev/stdout, and that the command can truncate, change
/// or give away without doing so to a log of the executor's. Output and errors that end in one file
/// share a pipe, and so keep their order.
class CommandOutput {
public:
  /// @throws SysError
  explicit CommandOutput(const Invocation& invocation);

  /// The ends that are the command's.
  FdRef output() const { return streams_.front().pipe.write; }
  FdRef errors() const { return streams_.back().pipe.write; }

  /// Passes on what comes until `other` can be read. @throws SysError when the executor's output
  /// takes no more
  void pass_on_until(FdRef other);
  /// Passes on what is left, when nobody writes any more. @throws SysError as above
  void finish();

private:
  struct Stream {
    Pipe pipe; ///< Reading does not block.
    FdRef target;
  };

  static Stream make_stream(FdRef target, uid_t owner);
  /// One read and its writes; false when there was nothing to read.
  bool pass_on(const Stream& stream);

  std::vector<Stream> streams_;
  std::vector<char> buffer_;
};

} // namespace cairn
