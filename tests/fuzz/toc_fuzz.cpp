#include "fs/chunked/chunk_reader.hpp"
#include "fs/chunked/table_of_contents.hpp"
#include "fs/tree/tree.hpp"
#include "util/error.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

using namespace cairn;

namespace {

/// A blob with whatever table, of which the manifest says that it is the right one.
class Blob {
public:
  explicit Blob(std::string bytes) : bytes_(std::move(bytes)) {}

  RangeOpener opener() const {
    return [this](ByteRange range) -> std::unique_ptr<Source> {
      if (range.size == 0 || range.offset > bytes_.size() ||
          range.size > bytes_.size() - range.offset)
        std::abort(); // Nobody asks for what cannot be there.
      return std::make_unique<OwnedTextSource>(bytes_.substr(range.offset, range.size));
    };
  }

  std::size_t size() const noexcept { return bytes_.size(); }

private:
  std::string bytes_;
};

void check(const LayerTable& table, std::size_t blob_size) {
  const auto& entries = table.index.entries;
  if (table.first_chunks.size() != entries.size() + 1)
    std::abort();
  for (std::uint32_t i = 0; i < entries.size(); ++i) {
    std::uint64_t size = 0;
    for (const auto& chunk : table.chunks_of(i)) {
      if (chunk.file_offset != size || chunk.size == 0 || chunk.blob_end > blob_size ||
          chunk.blob_offset >= chunk.blob_end)
        std::abort();
      size += chunk.size;
    }
    if (size != entries[i].meta.size)
      std::abort();
  }
}

void read(const TableHint& hint, const Blob& blob) {
  TableLimits limits;
  limits.blob_size = blob.size();
  limits.plain_bytes = 1 << 20;
  auto table = std::make_shared<const LayerTable>(read_table(hint, blob.opener(), limits));
  check(*table, blob.size());
  Tree tree;
  tree.apply(table->index);
  const ChunkReader reader(table, blob.opener(), "layer", 16);
  std::set<std::uint32_t> files;
  for (std::uint32_t i = 0; i < table->index.entries.size(); ++i)
    if (table->index.entries[i].has_content() && table->index.entries[i].meta.size < (1 << 20))
      files.insert(i);
  reader.read(files, [](std::uint32_t, Source& content) { read_all(content, 1 << 20); });
}

std::string footer(std::uint64_t offset) {
  return std::string("\x1f\x8b\x08\x04\0\0\0\0\0\xff\x1a\0SG\x16\0", 16) +
         fmt::format("{:016x}STARGZ", offset) + std::string("\x01\0\0\xff\xff\0\0\0\0\0\0\0\0", 13);
}

/// JSON in a tar in a gzip member that is not compressed would take a compressor in here; zstd has
/// frames of raw blocks that are easily written.
std::string raw_frame(std::string_view content) {
  std::string frame("\x28\xb5\x2f\xfd\xa0", 5); // Single segment, four bytes of size.
  const auto number = [&](std::uint64_t value, unsigned bytes) {
    for (unsigned i = 0; i < bytes; ++i)
      frame += static_cast<char>(value >> (8 * i));
  };
  number(content.size(), 4);
  constexpr std::size_t most = 65536;
  do {
    const auto part = content.substr(0, most);
    content.remove_prefix(part.size());
    number((part.size() << 3) | (content.empty() ? 1U : 0U), 3);
    frame += part;
  } while (!content.empty());
  return frame;
}

} // namespace

// The first byte chooses: a table of zstd:chunked as JSON, the same compressed, a blob of eStargz
// whose end is made to fit, or a blob of it as it is. The digests cannot be guessed, so they are
// made to fit as well; those of eStargz are not, which ends after the table was parsed.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2)
    return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 2, size - 2);
  const std::uint64_t place = data[1];
  try {
    if (data[0] % 4 < 2) {
      const auto table = data[0] % 4 == 0 ? raw_frame(input) : std::string(input);
      const auto before = std::string(place + 1, 'x') + raw_frame("abcabcabc");
      Descriptor layer{"", Digest::of(""), before.size() + table.size()};
      layer.annotations["io.github.containers.zstd-chunked.manifest-checksum"] =
          Digest::of(table).str();
      layer.annotations["io.github.containers.zstd-chunked.manifest-position"] =
          fmt::format("{}:{}:{}:1", before.size(), table.size(), input.size() * 4);
      if (const auto hint = find_table(layer))
        read(*hint, Blob(before + table));
    } else {
      const auto blob = std::string(input) + (data[0] % 4 == 2 ? footer(place) : "");
      Descriptor layer{"", Digest::of(""), blob.size()};
      layer.annotations["containerd.io/snapshot/stargz/toc.digest"] = Digest::of(blob).str();
      read(*find_table(layer), Blob(blob));
    }
  } catch (const Error&) {
    // Refusing is fine; crashing is not.
  }
  return 0;
}
