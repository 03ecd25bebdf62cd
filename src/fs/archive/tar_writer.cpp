// Written by hand, because the bytes of a layer are its name: they must not change with the
// version of a library.
#include "fs/archive/tar.hpp"
#include "util/error.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

namespace cairn {

namespace {

constexpr std::size_t record = 512;
constexpr std::array<std::byte, 2 * record> zeros{};

/// The header of POSIX.1-1988 (pax(1), ustar Interchange Format): all text.
struct Header {
  char name[100];
  char mode[8];
  char uid[8];
  char gid[8];
  char size[12];
  char mtime[12];
  char checksum[8];
  char type;
  char link[100];
  char magic[8];
  char user[32];
  char group[32];
  char device_major[8];
  char device_minor[8];
  char prefix[155];
  char padding[12];
};
static_assert(sizeof(Header) == record);

/// Octal digits that fill the field up to its closing NUL. False when they do not fit.
template<std::size_t N>
bool put_number(char (&field)[N], std::uint64_t number) {
  for (std::size_t i = N - 1; i-- > 0; number >>= 3)
    field[i] = static_cast<char>('0' + (number & 7));
  return number == 0;
}

template<std::size_t N>
bool put_text(char (&field)[N], std::string_view text) {
  const auto count = std::min(N, text.size());
  if (count != 0)
    std::memcpy(field, text.data(), count);
  return text.size() <= N;
}

/// Splits a long name at a slash into prefix and name. False when no slash is in the right place.
bool put_name(Header& header, std::string_view name) {
  if (name.size() <= sizeof header.name)
    return put_text(header.name, name);
  // The slash between the two is not written.
  const auto earliest = name.size() - sizeof header.name - 1;
  const auto slash = name.find('/', earliest);
  const bool fits = slash != std::string_view::npos && slash != 0 &&
                    slash <= sizeof header.prefix && slash + 1 < name.size();
  if (!fits)
    return put_text(header.name, name);
  put_text(header.prefix, name.substr(0, slash));
  return put_text(header.name, name.substr(slash + 1));
}

void put_checksum(Header& header) {
  std::memset(header.checksum, ' ', sizeof header.checksum);
  std::uint64_t sum = 0;
  for (const auto byte : std::as_bytes(std::span(&header, 1)))
    sum += std::to_integer<unsigned>(byte);
  // Six digits, NUL, blank.
  char digits[7] = {};
  put_number(digits, sum);
  std::memcpy(header.checksum, digits, sizeof digits);
}

Header blank_header(char type) {
  Header header{};
  header.type = type;
  std::memcpy(header.magic, "ustar\00000", sizeof header.magic);
  return header;
}

/// "LENGTH key=value\n", the length counting itself.
void add_pax(std::string& records, std::string_view key, std::string_view value) {
  const auto rest = key.size() + value.size() + 3;
  auto length = rest + 1;
  while (std::to_string(length).size() + rest != length)
    length = std::to_string(length).size() + rest;
  records += fmt::format("{} {}={}\n", length, key, value);
}

/// Seconds with as many decimals as it takes.
std::string pax_time(Time time) {
  const auto total = time.time_since_epoch().count();
  const bool negative = total < 0;
  const auto size = negative ? 0 - static_cast<std::uint64_t>(total) //
                             : static_cast<std::uint64_t>(total);
  auto text = fmt::format("{}{}", negative ? "-" : "", size / 1'000'000'000);
  if (const auto fraction = size % 1'000'000'000) {
    text += fmt::format(".{:09}", fraction);
    text.erase(text.find_last_not_of('0') + 1);
  }
  return text;
}

char type_flag(const LayerEntry& entry) {
  if (entry.hard_link)
    return '1';
  switch (entry.meta.type) {
  case FileType::regular:
    return '0';
  case FileType::symlink:
    return '2';
  case FileType::char_device:
    return '3';
  case FileType::block_device:
    return '4';
  case FileType::directory:
    return '5';
  case FileType::fifo:
    return '6';
  }
  throw Error("entry '{}' is of an unknown type", entry.path.str());
}

/// Without the leading slash; directories end in one.
std::string member_name(const LayerEntry& entry) {
  if (entry.path.is_root())
    return "./";
  std::string name = entry.path.relative();
  if (entry.meta.type == FileType::directory && !entry.hard_link)
    name += '/';
  return name;
}

struct EncodedEntry {
  Header header;
  std::string pax; ///< Records for what the header cannot hold.
};

EncodedEntry encode(const LayerEntry& entry, std::uint64_t size) {
  EncodedEntry out{blank_header(type_flag(entry)), {}};
  auto& header = out.header;
  const auto& meta = entry.meta;
  const auto number = [&](auto& field, std::string_view key, std::uint64_t value) {
    if (put_number(field, value))
      return;
    put_number(field, 0);
    add_pax(out.pax, key, std::to_string(value));
  };

  const auto name = member_name(entry);
  if (!put_name(header, name))
    add_pax(out.pax, "path", name);
  const std::string link = entry.hard_link ? entry.hard_link->relative() : meta.link_target;
  if (!put_text(header.link, link))
    add_pax(out.pax, "linkpath", link);
  put_number(header.mode, meta.mode & 07777U);
  number(header.uid, "uid", meta.uid);
  number(header.gid, "gid", meta.gid);
  number(header.size, "size", size);
  const auto seconds = unix_seconds(meta.mtime);
  const bool plain_time = seconds >= 0 && unix_nanoseconds(meta.mtime) == 0 &&
                          put_number(header.mtime, static_cast<std::uint64_t>(seconds));
  if (!plain_time) {
    put_number(header.mtime, static_cast<std::uint64_t>(std::max<std::int64_t>(seconds, 0)));
    add_pax(out.pax, "mtime", pax_time(meta.mtime));
  }
  if (header.type == '3' || header.type == '4') {
    const bool fits = put_number(header.device_major, meta.device_major) &&
                      put_number(header.device_minor, meta.device_minor);
    if (!fits)
      throw Error("entry '{}': device number is too large", entry.path.str());
  }
  for (const auto& xattr : meta.xattrs) {
    if (xattr.name.find('=') != std::string::npos)
      throw Error("entry '{}': extended attribute '{}' has '=' in its name", entry.path.str(),
                  xattr.name);
    add_pax(out.pax, "SCHILY.xattr." + xattr.name, xattr.value);
  }
  put_checksum(header);
  return out;
}

} // namespace

struct TarWriter::State {
  Sink& to;
  // Headers are small and so are most files; what hashes and compresses wants long runs.
  std::vector<std::byte> buffer = std::vector<std::byte>(stream_block);
  std::size_t used = 0;

  void flush() {
    if (used != 0)
      to.write(std::span(buffer).first(used));
    used = 0;
  }

  void put(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      if (used == buffer.size())
        flush();
      const auto count = std::min(bytes.size(), buffer.size() - used);
      std::memcpy(buffer.data() + used, bytes.data(), count);
      used += count;
      bytes = bytes.subspan(count);
    }
  }

  void pad(std::uint64_t size) {
    if (const auto beyond = size % record)
      put(std::span(zeros).first(record - beyond));
  }

  void put_pax(const LayerEntry& entry, const std::string& records) {
    auto header = blank_header('x');
    const auto name = fmt::format("PaxHeaders.0/{}", entry.path.name());
    put_text(header.name, std::string_view(name).substr(0, sizeof header.name));
    put_number(header.mode, 0644);
    put_number(header.uid, 0);
    put_number(header.gid, 0);
    put_number(header.mtime, 0);
    if (!put_number(header.size, records.size()))
      throw Error("entry '{}': extended attributes are too large", entry.path.str());
    put_checksum(header);
    put(std::as_bytes(std::span(&header, 1)));
    put(std::as_bytes(std::span(records)));
    pad(records.size());
  }

  void put_content(const LayerEntry& entry, std::uint64_t size, Source* content) {
    for (std::uint64_t left = size; left != 0;) {
      if (used == buffer.size())
        flush();
      const auto room = std::min<std::uint64_t>(left, buffer.size() - used);
      const auto count =
          content == nullptr
              ? 0
              : content->read(std::span(buffer).subspan(used, static_cast<std::size_t>(room)));
      if (count == 0)
        throw Error("read '{}': the file has {} bytes instead of {}", entry.path.str(), size - left,
                    size);
      used += count;
      left -= count;
    }
    pad(size);
  }
};

TarWriter::TarWriter(Sink& to) : state_(std::make_unique<State>(State{to})) {}

TarWriter::~TarWriter() = default;

void TarWriter::add(const LayerEntry& entry, Source* content) {
  const bool has_content = entry.meta.type == FileType::regular && !entry.hard_link;
  const auto size = has_content ? entry.meta.size : 0;
  const auto encoded = encode(entry, size);
  if (!encoded.pax.empty())
    state_->put_pax(entry, encoded.pax);
  state_->put(std::as_bytes(std::span(&encoded.header, 1)));
  state_->put_content(entry, size, content);
}

void TarWriter::finish() {
  state_->put(zeros);
  state_->flush();
}

} // namespace cairn
