#pragma once

#include "run/process/runner.hpp"
#include "util/fd.hpp"

#include <string>
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
  FdRef errors() const { return streams_[errors_].pipe.write; }

  /// Makes FIFOs that lead where output and errors do, for whoever comes by a path. @throws
  /// SysError
  void add_names(const std::string& output, const std::string& errors);

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

  Stream make_stream(FdRef target) const;
  Stream make_named(const std::string& path, FdRef target) const;
  /// One read and its writes; false when there was nothing to read.
  bool pass_on(const Stream& stream);

  uid_t owner_;
  std::vector<Stream> streams_;
  std::size_t errors_ = 0; ///< Which stream is that of errors; the first is that of output.
  std::vector<char> buffer_;
};

} // namespace cairn
