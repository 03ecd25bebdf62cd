#include "fs/tree/layer_index.hpp"

#include "fs/archive/name_budget.hpp"
#include "fs/archive/tar.hpp"
#include "util/crypto.hpp"
#include "util/error.hpp"

#include <algorithm>
#include <limits>
#include <vector>

namespace cairn {

namespace {

constexpr std::string_view magic = "cairn layer index 1\n";
constexpr std::size_t hash_size = 64; // in hex
constexpr unsigned payload_bits = 7;
constexpr std::uint64_t payload_mask = 0x7f;
constexpr std::uint64_t more_bit = 0x80;
constexpr std::size_t longest_path = std::size_t{64} << 10;
constexpr auto last_type = FileType::fifo;

/// Numbers take as many bytes as they need, seven bits each; texts are led by their length.
class Encoder {
public:
  /// `to` may be null, where only the hash is wanted.
  explicit Encoder(Sink* to) : to_(to) {}

  void number(std::uint64_t value) {
    while (value > payload_mask) {
      buffer_ += static_cast<char>((value & payload_mask) | more_bit);
      value >>= payload_bits;
    }
    buffer_ += static_cast<char>(value);
    if (buffer_.size() >= stream_block)
      flush();
  }

  void text(std::string_view value) {
    number(value.size());
    raw(value);
  }

  void raw(std::string_view value) {
    buffer_ += value;
    if (buffer_.size() >= stream_block)
      flush();
  }

  /// The hash of all that was given. Nothing may be given after it.
  std::string hash() {
    flush();
    return hash_.hex();
  }

private:
  void flush() {
    write_text(hash_, buffer_);
    if (to_ != nullptr)
      write_text(*to_, buffer_);
    buffer_.clear();
  }

  Sink* to_;
  Sha256 hash_;
  std::string buffer_;
};

class Decoder {
public:
  explicit Decoder(Source& from) : from_(from), buffer_(stream_block) {}

  std::uint64_t number() {
    constexpr unsigned bits = std::numeric_limits<std::uint64_t>::digits;
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < bits; shift += payload_bits) {
      const auto byte = static_cast<std::uint64_t>(next());
      value |= (byte & payload_mask) << shift;
      if ((byte & more_bit) == 0)
        return value;
    }
    throw Error("a number is too large");
  }

  std::uint32_t small() {
    const auto value = number();
    if (value > std::numeric_limits<std::uint32_t>::max())
      throw Error("a number is too large");
    return static_cast<std::uint32_t>(value);
  }

  std::string text() {
    auto left = number();
    std::string value;
    while (left > 0) {
      const auto part = some(left);
      value += part;
      left -= part.size();
    }
    return value;
  }

  std::string raw(std::size_t size) {
    std::string value;
    while (value.size() < size)
      value += some(size - value.size());
    return value;
  }

  /// Compares what was read so far with the hash that follows, and wants nothing behind it.
  void finish() {
    hash_used();
    const auto wanted = hash_.hex();
    hashing_ = false;
    if (raw(hash_size) != wanted || at_ != end_ || !fill_is_end())
      throw Error("its checksum is wrong");
  }

private:
  std::byte next() {
    need();
    return buffer_[at_++];
  }

  /// At least one byte of the `limit` that are wanted.
  std::string_view some(std::uint64_t limit) {
    need();
    const auto count = std::min<std::uint64_t>(limit, end_ - at_);
    const auto* begin = reinterpret_cast<const char*>(buffer_.data()) + at_;
    at_ += static_cast<std::size_t>(count);
    return {begin, static_cast<std::size_t>(count)};
  }

  void need() {
    if (at_ < end_)
      return;
    if (fill_is_end())
      throw Error("it ends too early");
  }

  bool fill_is_end() {
    hash_used();
    at_ = hashed_ = 0;
    end_ = from_.read(buffer_);
    return end_ == 0;
  }

  void hash_used() {
    if (hashing_)
      hash_.write(std::span(buffer_).subspan(hashed_, at_ - hashed_));
    hashed_ = at_;
  }

  Source& from_;
  std::vector<std::byte> buffer_;
  std::size_t at_ = 0;
  std::size_t end_ = 0;
  std::size_t hashed_ = 0;
  bool hashing_ = true;
  Sha256 hash_;
};

/// A path as write_index() has written it. @throws Error for another spelling, as with ".."
RootedPath clean_rooted(const std::string& text) {
  auto path = RootedPath::parse(text);
  if (path.str() != text)
    throw Error("a path is not written as it should be");
  return path;
}

/// Paths share most of their beginning with the one before.
class PathCoder {
public:
  void write(Encoder& to, const std::string& path) {
    if (path.size() > longest_path)
      throw Error("a path is too long");
    const auto limit = std::min(path.size(), last_.size());
    const auto shared = static_cast<std::size_t>(
        std::mismatch(path.begin(), path.begin() + static_cast<std::ptrdiff_t>(limit),
                      last_.begin())
            .first -
        path.begin());
    to.number(shared);
    to.text(std::string_view(path).substr(shared));
    last_ = path;
  }

  RootedPath read(Decoder& from) {
    const auto shared = from.number();
    if (shared > last_.size())
      throw Error("a path goes on from more than there is");
    last_ = last_.substr(0, static_cast<std::size_t>(shared)) + from.text();
    if (last_.size() > longest_path)
      throw Error("a path is too long");
    return clean_rooted(last_);
  }

private:
  std::string last_;
};

void write_metadata(Encoder& to, const Metadata& meta) {
  to.number(static_cast<std::uint64_t>(meta.type));
  to.number(meta.mode);
  to.number(meta.uid);
  to.number(meta.gid);
  to.number(static_cast<std::uint64_t>(meta.mtime.time_since_epoch().count()));
  to.number(meta.size);
  to.text(meta.link_target);
  to.number(meta.device_major);
  to.number(meta.device_minor);
  to.number(meta.xattrs.size());
  for (const auto& xattr : meta.xattrs) {
    to.text(xattr.name);
    to.text(xattr.value);
  }
}

Metadata read_metadata(Decoder& from) {
  Metadata meta;
  const auto type = from.number();
  if (type > static_cast<std::uint64_t>(last_type))
    throw Error("{} is no type of file", type);
  meta.type = static_cast<FileType>(type);
  meta.mode = from.small();
  meta.uid = from.small();
  meta.gid = from.small();
  meta.mtime = Time(std::chrono::nanoseconds(static_cast<std::int64_t>(from.number())));
  meta.size = from.number();
  meta.link_target = from.text();
  if (meta.type != FileType::symlink && !meta.link_target.empty())
    throw Error("the target of what is no link");
  meta.device_major = from.small();
  meta.device_minor = from.small();
  for (auto left = from.number(); left > 0; --left) {
    auto name = from.text();
    meta.xattrs.push_back({std::move(name), from.text()});
  }
  return meta;
}

void write_entry(Encoder& to, PathCoder& paths, const LayerEntry& entry) {
  paths.write(to, entry.path.str());
  to.text(entry.hard_link ? entry.hard_link->str() : "");
  write_metadata(to, entry.meta);
}

} // namespace

struct EntriesDigest::State {
  Encoder encoder{nullptr};
  PathCoder paths;
};

EntriesDigest::EntriesDigest() : state_(std::make_unique<State>()) {}
EntriesDigest::EntriesDigest(EntriesDigest&&) noexcept = default;
EntriesDigest::~EntriesDigest() = default;

void EntriesDigest::add(const LayerEntry& entry) {
  write_entry(state_->encoder, state_->paths, entry);
}

Digest EntriesDigest::finish() {
  return Digest::from_hex(state_->encoder.hash());
}

void write_index(const IndexedLayer& layer, Sink& to) {
  Encoder encoder(&to);
  encoder.raw(magic);
  encoder.number(layer.index.entries.size());
  PathCoder paths;
  for (const auto& entry : layer.index.entries)
    write_entry(encoder, paths, entry);
  encoder.number(layer.texts.size());
  for (const auto& [position, text] : layer.texts) {
    encoder.number(position);
    encoder.text(text);
  }
  write_text(to, encoder.hash());
}

IndexedLayer read_index(Source& from) {
  Decoder decoder(from);
  if (decoder.raw(magic.size()) != magic)
    throw Error("it has another form");
  IndexedLayer layer;
  PathCoder paths;
  NameBudget names; // paths are short in the file when they share their beginnings
  auto left = decoder.number();
  if (left > TarLimits().entries)
    throw Error("it has more than {} entries", TarLimits().entries);
  for (; left > 0; --left) {
    LayerEntry entry;
    entry.path = paths.read(decoder);
    if (const auto target = decoder.text(); !target.empty())
      entry.hard_link = clean_rooted(target);
    entry.meta = read_metadata(decoder);
    names.add(entry);
    layer.index.entries.push_back(entry);
  }
  for (left = decoder.number(); left > 0; --left) {
    const auto position = decoder.small();
    layer.texts[position] = decoder.text();
  }
  decoder.finish();
  return layer;
}

} // namespace cairn
