#include "fs/chunked/layer_table.hpp"

#include "fs/archive/entry_name.hpp"
#include "fs/archive/tar.hpp"
#include "fs/archive/whiteout.hpp"
#include "fs/archive/xattr.hpp"
#include "util/clock.hpp"
#include "util/crypto.hpp"
#include "util/error.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>
#include <string_view>
#include <tuple>
#include <utility>

namespace cairn {

namespace {

const TarLimits tar_limits;

/// What encoders of JSON write where a name is not UTF-8.
constexpr std::string_view replacement = "\xef\xbf\xbd";

std::string shown(const std::string& name) {
  constexpr std::size_t most = 200;
  return name.size() <= most ? name : name.substr(0, most) + "...";
}

std::uint64_t natural(std::int64_t number, std::string_view what) {
  if (number < 0)
    throw Error("its {} is negative", what);
  return static_cast<std::uint64_t>(number);
}

std::uint32_t small(std::int64_t number, std::uint32_t most, std::string_view what) {
  if (number < 0 || number > static_cast<std::int64_t>(most))
    throw Error("its {} is out of range", what);
  return static_cast<std::uint32_t>(number);
}

void check_whole(std::string_view name) {
  if (name.find(replacement) != std::string_view::npos)
    throw Error("its name or target is not as it was");
}

FileType type_of(const TocEntry& entry) {
  static const std::map<std::string_view, FileType> types = {
      {"reg", FileType::regular},      {"hardlink", FileType::regular},
      {"dir", FileType::directory},    {"symlink", FileType::symlink},
      {"char", FileType::char_device}, {"block", FileType::block_device},
      {"fifo", FileType::fifo},
  };
  const auto found = types.find(entry.type);
  if (found == types.end())
    throw Error("it is of an unknown type");
  return found->second;
}

/// Absent is 1970; so is Go's zero time, which some writers spell out.
Time time_of(const std::string& text) {
  if (text.empty() || text.starts_with("0001-01-01T"))
    return {};
  const auto time = parse_rfc3339(text);
  if (!time)
    throw Error("its time makes no sense");
  return *time;
}

LayerChunk::Hash chunk_hash(const std::string& text) {
  if (text.empty())
    throw Error("a chunk has no digest");
  const auto digest = Digest::try_parse(text);
  if (!digest)
    throw Error("the digest of a chunk is not one of SHA-256");
  return LayerChunk::hash_of(*digest);
}

auto place_of(const LayerChunk& chunk) {
  return std::tuple(chunk.blob_offset, chunk.inner_offset);
}

} // namespace

LayerChunk::Hash LayerChunk::hash_of(const Digest& digest) {
  const auto value = [](char digit) { return digit <= '9' ? digit - '0' : digit - 'a' + 10; };
  Hash hash{};
  for (std::size_t i = 0; i < hash.size(); ++i)
    hash[i] =
        static_cast<std::uint8_t>(value(digest.hex()[2 * i]) * 16 + value(digest.hex()[2 * i + 1]));
  return hash;
}

std::string LayerChunk::digest() const {
  return "sha256:" + hex_encode({reinterpret_cast<const char*>(sha256.data()), sha256.size()});
}

std::span<const LayerChunk> LayerTable::chunks_of(std::uint32_t position) const {
  const auto first = first_chunks.at(position);
  return std::span(chunks).subspan(first, first_chunks.at(position + 1) - first);
}

LayerTableBuilder::LayerTableBuilder(Compression compression, TableLimits limits)
    : limits_(limits) {
  table_.compression = compression;
}

void LayerTableBuilder::add(TocEntry&& entry) {
  within(
      [&] {
        if (++rows_ > limits_.rows)
          throw Error("the table has more than {} rows", limits_.rows);
        if (entry.type == "chunk")
          return add_chunk(entry);
        push(convert(entry));
        const auto& meta = table_.index.entries.back().meta;
        has_file_ = entry.type == "reg" && meta.size > 0;
        if (!has_file_)
          return;
        file_end_ = natural(entry.end_offset, "end in the blob");
        first_has_digest_ = !entry.chunk_digest.empty();
        if (!first_has_digest_)
          entry.chunk_digest = std::move(entry.digest);
        file_name_ = std::move(entry.name);
        entry.name.clear();
        add_chunk(entry);
      },
      "entry '{}'", shown(entry.name.empty() ? file_name_ : entry.name));
}

/// The entry becomes the last one, without chunks.
void LayerTableBuilder::push(LayerEntry entry) {
  finish_file();
  bytes_ += entry.meta.size;
  if (bytes_ > tar_limits.bytes)
    throw Error("contents of the layer are larger than {} bytes", tar_limits.bytes);
  names_.add(entry);
  static_cast<void>(parse_whiteout(entry.path));
  table_.index.entries.push_back(std::move(entry));
  table_.first_chunks.push_back(static_cast<std::uint32_t>(table_.chunks.size()));
}

LayerEntry LayerTableBuilder::convert(const TocEntry& entry) {
  check_whole(entry.name);
  check_whole(entry.link_name);
  LayerEntry out;
  out.path = parse_entry_name(entry.name, tar_limits.path_length, TarNames::strict);
  auto& meta = out.meta;
  meta.type = type_of(entry);
  meta.mode = static_cast<std::uint32_t>(natural(entry.mode, "mode") & 07777U);
  // The last one means "no change" to chown(2).
  constexpr auto most_id = std::numeric_limits<std::uint32_t>::max() - 1;
  meta.uid = small(entry.uid, most_id, "owner");
  meta.gid = small(entry.gid, most_id, "group");
  meta.mtime = time_of(entry.modtime);
  if (entry.type == "reg")
    meta.size = natural(entry.size, "size");
  if (entry.type == "hardlink")
    out.hard_link = parse_entry_name(entry.link_name, tar_limits.path_length, TarNames::strict);
  if (meta.type == FileType::symlink) {
    if (entry.link_name.empty() || entry.link_name.size() > tar_limits.path_length ||
        entry.link_name.find('\0') != std::string::npos)
      throw Error("its target makes no sense");
    meta.link_target = entry.link_name;
  }
  if (meta.type == FileType::char_device || meta.type == FileType::block_device) {
    constexpr auto most = std::numeric_limits<std::uint32_t>::max();
    meta.device_major = small(entry.dev_major, most, "device number");
    meta.device_minor = small(entry.dev_minor, most, "device number");
  }
  meta.xattrs = convert_xattrs(entry);
  return out;
}

std::vector<Xattr> LayerTableBuilder::convert_xattrs(const TocEntry& entry) {
  std::vector<Xattr> xattrs;
  std::uint64_t total = 0;
  for (const auto& xattr : entry.xattrs) {
    check_whole(xattr.name);
    if (!xattr_may_be_unpacked(xattr.name))
      continue;
    total += xattr.name.size() + xattr.value.size();
    xattrs.push_back(xattr);
  }
  xattr_bytes_ += total;
  if (total > tar_limits.xattr_bytes || xattr_bytes_ > tar_limits.all_xattr_bytes)
    throw Error("extended attributes are too large");
  std::sort(xattrs.begin(), xattrs.end());
  return xattrs;
}

void LayerTableBuilder::add_chunk(const TocEntry& entry) {
  if (!has_file_ || (!entry.name.empty() && entry.name != file_name_))
    throw Error("a chunk follows no file of its name");
  LayerChunk chunk;
  chunk.blob_offset = natural(entry.offset, "offset");
  chunk.inner_offset = natural(entry.inner_offset, "inner offset");
  chunk.file_offset = natural(entry.chunk_offset, "chunk's offset");
  chunk.size = natural(entry.chunk_size, "chunk's size");
  chunk.sha256 = chunk_hash(entry.chunk_digest);
  const auto size = table_.index.entries.back().meta.size;
  if (chunk.file_offset >= size)
    throw Error("a chunk lies behind the end of its file");
  if (chunk.size == 0) // To the end of the file.
    chunk.size = size - chunk.file_offset;
  table_.chunks.push_back(chunk);
}

/// Holds the chunks of the last file against its size.
void LayerTableBuilder::finish_file() {
  if (!std::exchange(has_file_, false))
    return;
  const auto chunks = std::span(table_.chunks).subspan(table_.first_chunks.back());
  const auto size = table_.index.entries.back().meta.size;
  if (chunks.size() > 1 && !first_has_digest_)
    throw Error("entry '{}': a chunk has no digest", shown(file_name_));
  std::uint64_t end = 0;
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    if (chunks[i].file_offset != end || chunks[i].size > size - end)
      throw Error("entry '{}': its chunks do not add up to its size", shown(file_name_));
    if (i > 0 && place_of(chunks[i]) <= place_of(chunks[i - 1]))
      throw Error("entry '{}': its chunks are not in order", shown(file_name_));
    end += chunks[i].size;
  }
  if (end != size)
    throw Error("entry '{}': its chunks do not add up to its size", shown(file_name_));
  if (file_end_ != 0)
    chunks.back().blob_end = file_end_;
}

LayerTable LayerTableBuilder::finish(std::uint64_t table_offset, std::optional<TableFile> own) {
  finish_file();
  place_chunks(table_offset);
  if (own) {
    push(std::move(own->entry));
    table_.chunks.push_back(own->content);
  }
  table_.first_chunks.push_back(static_cast<std::uint32_t>(table_.chunks.size()));
  ExpansionGauge gauge(limits_.expansion);
  gauge.note_read(limits_.blob_size);
  gauge.check(bytes_);
  check_names();
  return std::move(table_);
}

/// Each chunk ends where the next one begins, if not before.
void LayerTableBuilder::place_chunks(std::uint64_t table_offset) {
  auto& chunks = table_.chunks;
  std::vector<std::uint32_t> order(chunks.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return place_of(chunks[a]) < place_of(chunks[b]);
  });
  std::uint64_t next = table_offset; // What begins after the chunk that is looked at.
  const LayerChunk* later = nullptr;
  for (auto at = order.rbegin(); at != order.rend(); ++at) {
    auto& chunk = chunks[*at];
    const bool shares = later != nullptr && later->blob_offset == chunk.blob_offset;
    if (later != nullptr && !shares)
      next = later->blob_offset;
    if (chunk.blob_offset == 0 || chunk.blob_offset >= next)
      throw Error("a chunk lies outside of the layer's files");
    if (shares && (chunk.inner_offset > later->inner_offset ||
                   chunk.size > later->inner_offset - chunk.inner_offset))
      throw Error("two chunks overlap");
    if (chunk.blob_end > next || (chunk.blob_end != 0 && chunk.blob_end <= chunk.blob_offset))
      throw Error("two chunks overlap");
    if (chunk.blob_end == 0)
      chunk.blob_end = next;
    later = &chunk;
  }
}

void LayerTableBuilder::check_names() const {
  const auto& entries = table_.index.entries;
  std::vector<std::uint32_t> order(entries.size());
  std::iota(order.begin(), order.end(), 0U);
  std::vector<std::string> texts;
  texts.reserve(entries.size());
  for (std::size_t n = 0; n < entries.size(); ++n)
    texts.push_back(entries.path(n).str());
  const auto text = [&](std::uint32_t n) -> const std::string& { return texts[n]; };
  std::sort(order.begin(), order.end(),
            [&](std::uint32_t a, std::uint32_t b) { return text(a) < text(b); });
  const auto twice = std::adjacent_find(order.begin(), order.end(),
                                        [&](auto a, auto b) { return text(a) == text(b); });
  if (twice != order.end())
    throw Error("entry '{}' is there twice", shown(text(*twice)));
  for (std::uint32_t n = 0; n < entries.size(); ++n) {
    const auto entry = entries[n];
    if (!entry.hard_link)
      continue;
    const auto& target = entry.hard_link->str();
    const auto found =
        std::lower_bound(order.begin(), order.end(), target,
                         [&](std::uint32_t a, const std::string& b) { return text(a) < b; });
    if (found == order.end() || text(*found) != target || *found >= n ||
        is_directory(entries[*found].meta))
      throw Error("entry '{}' is a hard link to no file before it", shown(text(n)));
  }
}

} // namespace cairn
