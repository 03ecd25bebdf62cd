// Says what a layer holds, for tests/functional/layer_tables.py:
//
//   layer_tool BLOB               as its tar stream says
//   layer_tool BLOB [NAME=VALUE]… as its table of contents says, of which these annotations speak
//
// One line for each entry, with the digest of what it holds.

#include "fs/archive/read_layer.hpp"
#include "fs/chunked/chunk_reader.hpp"
#include "fs/chunked/table_of_contents.hpp"
#include "util/clock.hpp"
#include "util/crypto.hpp"
#include "util/error.hpp"
#include "util/fd.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cstdio>
#include <string>
#include <vector>

using namespace cairn;

namespace {

void show(const LayerEntry& entry, const std::string& content) {
  const auto& meta = entry.meta;
  std::string xattrs;
  for (const auto& xattr : meta.xattrs)
    xattrs += " " + xattr.name + "=" + hex_encode(xattr.value);
  fmt::print("{} type {} mode {:o} of {}:{} at {} size {} to '{}' device {}:{} link '{}'{} {}\n",
             entry.path.str(), static_cast<int>(meta.type), meta.mode, meta.uid, meta.gid,
             rfc3339(meta.mtime), meta.size, meta.link_target, meta.device_major, meta.device_minor,
             entry.hard_link ? entry.hard_link->str() : "", xattrs, content);
}

void show_stream(FdRef file, std::uint64_t size) {
  RangeSource blob(file, 0, size);
  read_layer(blob, std::nullopt, [](const LayerEntry& entry, TarReader& reader) {
    Sha256 hash;
    reader.copy_to(hash);
    show(entry, hash.hex());
  });
}

void show_table(FdRef file, std::uint64_t size, Annotations annotations) {
  const Descriptor layer{"", Digest::of(""), size, std::nullopt, std::move(annotations)};
  const auto hint = find_table(layer);
  if (!hint)
    throw Error("no table");
  const RangeOpener open = [file](ByteRange range) {
    return std::make_unique<RangeSource>(file, range.offset, range.size);
  };
  TableLimits limits;
  limits.blob_size = size;
  const auto table = std::make_shared<const LayerTable>(read_table(*hint, open, limits));
  const ChunkReader reader(table, open, "layer");
  for (std::uint32_t i = 0; i < table->index.entries.size(); ++i)
    show(table->index.entries[i], sha256_hex(*reader.open(i)));
}

void run(const std::vector<std::string>& words) {
  const Fd file(::open(words.at(0).c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info {};
  if (::fstat(file.get(), &info) != 0)
    throw Error("no size");
  const auto size = static_cast<std::uint64_t>(info.st_size);
  Annotations annotations;
  for (std::size_t i = 1; i < words.size(); ++i) {
    const auto sign = words[i].find('=');
    annotations[words[i].substr(0, sign)] = words[i].substr(sign + 1);
  }
  if (annotations.empty())
    show_stream(file.ref(), size);
  else
    show_table(file.ref(), size, std::move(annotations));
}

} // namespace

int main(int argc, char** argv) {
  try {
    run({argv + 1, argv + argc});
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "error: {}\n", error.what());
    return 1;
  }
}
