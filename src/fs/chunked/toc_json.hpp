#pragma once

#include "fs/archive/entry.hpp"
#include "util/stream.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace cairn {

/// A member of "entries" as a table of contents has it: a file, or one more chunk of the file
/// before it. What is absent is empty or 0. The names are those of the JSON; the stargz-snapshotter
/// (docs/estargz.md) and containers/storage (pkg/chunked) say what they mean.
struct TocEntry {
  std::string type;
  std::string name;
  std::string link_name;
  std::string modtime;
  std::string digest;
  std::string chunk_digest;
  std::int64_t mode = 0;
  std::int64_t size = 0;
  std::int64_t uid = 0;
  std::int64_t gid = 0;
  std::int64_t dev_major = 0;
  std::int64_t dev_minor = 0;
  std::int64_t offset = 0;
  std::int64_t end_offset = 0;
  std::int64_t inner_offset = 0;
  std::int64_t chunk_offset = 0;
  std::int64_t chunk_size = 0;
  std::vector<Xattr> xattrs; ///< Decoded, in the order of the JSON.
};

/// Reads the JSON of a table of version 1, an entry at a time, in bounded memory.
/// @throws Error when it is none, or says something twice; what `visit` throws
void read_toc_json(Source& json, const std::function<void(TocEntry&&)>& visit);

} // namespace cairn
