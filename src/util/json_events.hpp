#pragma once

#include "util/stream.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace cairn {

/// Is told what a JSON document holds while it is read, in its order: for documents too large to
/// be kept. Any call may throw, which ends the reading. Texts are valid during the call.
class JsonEvents {
public:
  virtual ~JsonEvents() = default;
  virtual void begin_object() = 0;
  virtual void key(std::string_view name) = 0;
  virtual void end_object() = 0;
  virtual void begin_array() = 0;
  virtual void end_array() = 0;
  virtual void text(std::string_view value) = 0;
  virtual void integer(std::int64_t value) = 0;
  /// null, true, false, and numbers that are no integers of 64 bits.
  virtual void other() = 0;
};

/// What a document may ask for. Its size is its Source's to limit.
struct JsonLimits {
  std::size_t depth = 64;
  /// Bytes of one text, name or number with what stands before it; up to stream_block more may do.
  std::uint64_t token_bytes = std::uint64_t{1} << 20;
};

/// Reads one document to the end of `from` in bounded memory. @throws Error with the byte offset
/// when it is no JSON in UTF-8 (RFC 8259) or beyond the limits; what `to` and `from` throw
void read_json(Source& from, JsonEvents& to, JsonLimits limits = {});

} // namespace cairn
