#include "fs/tree/packed_index.hpp"

#include "fs/archive/tar.hpp"
#include "fs/archive/zstd.hpp"
#include "util/error.hpp"

#include <algorithm>
#include <limits>

namespace cairn {

namespace {

// Whoever has read a layer does this before it goes on: a hundredth of the time that reading took.
constexpr int level = 3;

/// Whether a text can be that of its entry.
bool is_of_entry(const IndexedLayer& layer, std::uint32_t position, std::string_view text) {
  if (position >= layer.index.entries.size())
    return false;
  const auto& entry = layer.index.entries[position];
  return entry.meta.type == FileType::regular && !entry.hard_link && entry.meta.size == text.size();
}

void require_length(const std::string& path) {
  if (path.size() > TarLimits().path_length + 1)
    throw Error("a name is longer than {} bytes", TarLimits().path_length);
}

bool is_device_type(FileType type) {
  return type == FileType::char_device || type == FileType::block_device;
}

/// The attributes that an archive's entry can have, and their bytes.
std::uint64_t require_possible(const std::vector<Xattr>& xattrs) {
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < xattrs.size(); ++i) {
    if (i > 0 && xattrs[i].name <= xattrs[i - 1].name)
      throw Error("extended attributes are not in their order");
    bytes += xattrs[i].name.size() + xattrs[i].value.size();
  }
  if (bytes > TarLimits().xattr_bytes)
    throw Error("extended attributes are larger than {} bytes", TarLimits().xattr_bytes);
  return bytes;
}

/// What fs/archive/archive.cpp makes of a header, whatever is in it.
void require_possible(const LayerEntry& entry) {
  constexpr std::uint32_t permissions = 07777;
  constexpr auto nobody = std::numeric_limits<std::uint32_t>::max();
  constexpr auto largest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  const auto& meta = entry.meta;
  require_length(entry.path.str());
  if (entry.hard_link)
    require_length(entry.hard_link->str());
  if ((meta.mode & ~permissions) != 0)
    throw Error("the mode {:o} is none", meta.mode);
  if (meta.uid == nobody || meta.gid == nobody)
    throw Error("an owner is out of range");
  const bool has_bytes = meta.type == FileType::regular && !entry.hard_link;
  if (meta.size > (has_bytes ? largest : 0))
    throw Error("the size {} is out of range", meta.size);
  if ((meta.type == FileType::symlink) == meta.link_target.empty() ||
      meta.link_target.size() > TarLimits().path_length ||
      meta.link_target.find('\0') != std::string::npos)
    throw Error("the target of a link is none");
  if (!is_device_type(meta.type) && (meta.device_major != 0 || meta.device_minor != 0))
    throw Error("something that is no device has a device's number");
}

void require_possible(const IndexedLayer& layer) {
  std::uint64_t xattr_bytes = 0;
  for (const auto& entry : layer.index.entries)
    within(
        [&] {
          require_possible(entry);
          xattr_bytes += require_possible(entry.meta.xattrs);
        },
        "entry '{}'", entry.path.str().substr(0, 200));
  if (xattr_bytes > TarLimits().all_xattr_bytes)
    throw Error("all extended attributes are larger than {} bytes", TarLimits().all_xattr_bytes);
  for (const auto& [position, text] : layer.texts)
    if (!is_of_entry(layer, position, text))
      throw Error("a text is not that of its entry");
}

/// Throws when more comes through than an index may have.
class IndexLimit final : public Sink {
public:
  IndexLimit(Sink& next, std::uint64_t limit) : next_(next), left_(limit) {}

  void write(std::span<const std::byte> bytes) override {
    if (bytes.size() > left_)
      throw Error("the index is too large to be kept");
    left_ -= bytes.size();
    next_.write(bytes);
  }

private:
  Sink& next_;
  std::uint64_t left_;
};

} // namespace

PackedIndex pack_index(const IndexedLayer& layer) {
  TextSink text;
  IndexLimit packed(text, most_packed_bytes);
  const auto zstd = make_zstd_sink(packed, level, 1);
  IndexLimit plain(*zstd, most_index_bytes);
  const bool all_fit = std::all_of(layer.texts.begin(), layer.texts.end(), [&](const auto& item) {
    return is_of_entry(layer, item.first, item.second);
  });
  if (all_fit) {
    write_index(layer, plain);
  } else {
    auto without = layer;
    std::erase_if(without.texts,
                  [&](const auto& item) { return !is_of_entry(layer, item.first, item.second); });
    write_index(without, plain);
  }
  zstd->finish();
  return {text.text()};
}

IndexedLayer unpack_index(Source& from) {
  LimitSource packed(from, most_packed_bytes, "the index");
  const auto plain = make_unzstd(packed);
  LimitSource limited(*plain, most_index_bytes, "the index");
  auto layer = read_index(limited);
  require_possible(layer);
  return layer;
}

} // namespace cairn
