#include "fs/chunked/table_of_contents.hpp"

#include "fs/archive/compress.hpp"
#include "fs/archive/tar.hpp"
#include "fs/chunked/toc_json.hpp"
#include "util/crypto.hpp"
#include "util/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <string_view>
#include <utility>

namespace cairn {

namespace {

constexpr std::string_view estargz_digest = "containerd.io/snapshot/stargz/toc.digest";
/// What zstd:chunked is announced by: as containers/storage does, and as the stargz-snapshotter
/// does.
struct ZstdNames {
  std::string_view digest;
  std::string_view position;
};
constexpr std::array<ZstdNames, 2> zstd_names = {{
    {"io.github.containers.zstd-chunked.manifest-checksum",
     "io.github.containers.zstd-chunked.manifest-position"},
    {"io.containers.zstd-chunked.manifest-checksum",
     "io.containers.zstd-chunked.manifest-position"},
}};

constexpr std::string_view toc_name = "/stargz.index.json";
constexpr std::uint64_t footer_size = 51;
/// Read with the footer: most tables are smaller.
constexpr std::uint64_t usual_tail = std::uint64_t{64} << 10;
constexpr std::uint64_t tar_block = 512;

const std::string* annotation(const Descriptor& layer, std::string_view name) {
  const auto found = layer.annotations.find(std::string(name));
  return found == layer.annotations.end() ? nullptr : &found->second;
}

/// "<offset>:<length>:<length when decompressed>:<type, which is 1>"
std::optional<TableHint> zstd_hint(const Descriptor& layer, const Digest& digest,
                                   std::string_view position) {
  std::array<std::uint64_t, 4> numbers{};
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const auto end = std::min(position.find(':'), position.size());
    const bool is_last = i + 1 == numbers.size();
    const auto number = parse_unsigned(position.substr(0, end));
    if (!number || is_last != (end == position.size()))
      return std::nullopt;
    numbers[i] = *number;
    position.remove_prefix(is_last ? end : end + 1);
  }
  const auto [offset, size, plain_size, type] = numbers;
  if (type != 1 || size == 0 || offset > layer.size || size > layer.size - offset)
    return std::nullopt;
  return TableHint{TableHint::Form::zstd_chunked, digest, {offset, size}, plain_size};
}

/// What the footer of an eStargz blob is, with sixteen digits for where the table begins.
constexpr std::string_view footer_start{"\x1f\x8b\x08\x04", 4};
constexpr std::string_view footer_extra{"\x1a\x00SG\x16\x00", 6};
constexpr std::size_t extra_at = 10;
constexpr std::size_t digits_at = extra_at + footer_extra.size();
constexpr std::size_t digits = 16;
constexpr std::string_view footer_mark = "STARGZ";

std::uint64_t table_offset(std::string_view footer) {
  const bool is_one = footer.starts_with(footer_start) &&
                      footer.substr(extra_at).starts_with(footer_extra) &&
                      footer.substr(digits_at + digits).starts_with(footer_mark);
  std::uint64_t offset = 0;
  const auto* begin = footer.data() + digits_at;
  const auto [end, error] = std::from_chars(begin, begin + digits, offset, 16);
  if (!is_one || error != std::errc{} || end != begin + digits)
    throw TableUnusable("the blob does not end with the footer of eStargz");
  return offset;
}

/// Keeps the first bytes that come through.
class HeadSink final : public Sink {
public:
  void write(std::span<const std::byte> bytes) override {
    const auto count = std::min(bytes.size(), static_cast<std::size_t>(tar_block) - head_.size());
    head_.append(reinterpret_cast<const char*>(bytes.data()), count);
  }
  const std::string& head() const noexcept { return head_; }

private:
  std::string head_;
};

/// The table as bytes of the blob, in memory.
std::string read_part(const RangeOpener& open, ByteRange range) {
  const auto source = open(range);
  return read_all(*source, range.size);
}

void drain(Source& source) {
  std::array<std::byte, 4096> waste{};
  while (source.read(waste) != 0) {
  }
}

class EstargzTable {
public:
  EstargzTable(const TableHint& hint, const RangeOpener& open, const TableLimits& limits)
      : hint_(hint), limits_(limits), blob_end_(limits.blob_size) {
    fetch(open);
  }

  LayerTable parse() const {
    TextSource compressed(bytes_);
    const auto plain = make_decompressor(compressed, Compression::gzip);
    HeadSink head;
    TeeSource tar(*plain, head);
    LimitSource limited(tar, limits_.plain_bytes, "the table");
    TarReader reader(limited);
    const auto entry = reader.next();
    if (!entry || entry->path.str() != toc_name || entry->meta.type != FileType::regular ||
        entry->hard_link)
      throw Error("the table is not the file that it should be");
    LayerTableBuilder builder(Compression::gzip, limits_);
    Sha256 hash;
    {
      ThreadSource content([&](Sink& to) { reader.copy_to(to); });
      TeeSource hashed(content, hash);
      read_toc_json(hashed, [&](TocEntry&& row) { builder.add(std::move(row)); });
      drain(hashed);
    }
    if (Digest::from_hex(hash.hex()) != hint_.digest)
      throw Error("the table has another digest than {}", hint_.digest.str());
    if (reader.next())
      throw Error("the table is not the last file");
    return builder.finish(offset_, TableFile{*entry, own_content(head.head(), entry->meta.size)});
  }

private:
  void fetch(const RangeOpener& open) {
    if (blob_end_ <= footer_size)
      throw TableUnusable("the blob is too small for a table");
    const auto tail_size = std::min(blob_end_, usual_tail);
    const ByteRange tail{blob_end_ - tail_size, tail_size};
    bytes_ = read_part(open, tail);
    offset_ = table_offset(std::string_view(bytes_).substr(bytes_.size() - footer_size));
    bytes_.resize(bytes_.size() - footer_size);
    blob_end_ -= footer_size;
    if (offset_ >= blob_end_ || blob_end_ - offset_ > limits_.compressed_bytes)
      throw TableUnusable("the table has no place that it can be in");
    if (offset_ >= tail.offset)
      bytes_.erase(0, static_cast<std::size_t>(offset_ - tail.offset));
    else
      bytes_.insert(0, read_part(open, {offset_, tail.offset - offset_}));
  }

  /// The table is a file of the layer like any other, which it does not say of itself.
  LayerChunk own_content(std::string_view header, std::uint64_t size) const {
    constexpr std::size_t type_at = 156;
    if (header.size() < tar_block || (header[type_at] != '0' && header[type_at] != '\0'))
      throw Error("the table's header has more than one block");
    LayerChunk chunk;
    chunk.blob_offset = offset_;
    chunk.blob_end = blob_end_;
    chunk.inner_offset = tar_block;
    chunk.size = size;
    chunk.sha256 = LayerChunk::hash_of(hint_.digest);
    return chunk;
  }

  const TableHint& hint_;
  const TableLimits& limits_;
  std::uint64_t blob_end_;
  std::uint64_t offset_ = 0;
  std::string bytes_;
};

LayerTable parse_zstd(const TableHint& hint, const std::string& bytes, const TableLimits& limits) {
  if (Digest::of(bytes) != hint.digest)
    throw Error("the table has another digest than {}", hint.digest.str());
  TextSource compressed(bytes);
  const auto plain = make_decompressor(compressed, Compression::zstd);
  LimitSource limited(*plain, hint.plain_size, "the table");
  LayerTableBuilder builder(Compression::zstd, limits);
  read_toc_json(limited, [&](TocEntry&& row) { builder.add(std::move(row)); });
  return builder.finish(hint.place.offset);
}

/// Whatever is wrong with what was read is wrong with the table.
template<class Body>
LayerTable unusable_if_wrong(const Body& parse) {
  try {
    return parse();
  } catch (const TableUnusable&) {
    throw;
  } catch (const Error& error) {
    throw TableUnusable("{}", error.what());
  }
}

} // namespace

std::optional<TableHint> find_table(const Descriptor& layer) {
  // The stargz-snapshotter says of zstd:chunked that it is eStargz as well.
  for (const auto& names : zstd_names)
    if (const auto* position = annotation(layer, names.position)) {
      const auto* checksum = annotation(layer, names.digest);
      const auto digest = checksum == nullptr ? std::nullopt : Digest::try_parse(*checksum);
      return digest ? zstd_hint(layer, *digest, *position) : std::nullopt;
    }
  const auto* text = annotation(layer, estargz_digest);
  const auto digest = text == nullptr ? std::nullopt : Digest::try_parse(*text);
  if (!digest)
    return std::nullopt;
  return TableHint{TableHint::Form::estargz, *digest, {}, 0};
}

LayerTable read_table(const TableHint& hint, const RangeOpener& open, const TableLimits& limits) {
  if (hint.form == TableHint::Form::estargz) {
    const EstargzTable table(hint, open, limits);
    return unusable_if_wrong([&] { return table.parse(); });
  }
  if (hint.place.size > limits.compressed_bytes || hint.plain_size > limits.plain_bytes)
    throw TableUnusable("the table is larger than one may be");
  const auto bytes = read_part(open, hint.place);
  return unusable_if_wrong([&] { return parse_zstd(hint, bytes, limits); });
}

} // namespace cairn
