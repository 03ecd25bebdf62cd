// The one home of libarchive: tar streams are read, and rare compressions undone, by it.
#include "fs/archive/entry_name.hpp"
#include "fs/archive/filter.hpp"
#include "fs/archive/name_budget.hpp"
#include "fs/archive/tar.hpp"
#include "fs/archive/xattr.hpp"
#include "util/error.hpp"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>
#include <vector>

namespace cairn {

namespace {

/// Feeds a Source to libarchive, and carries what it throws past the C code.
class ArchiveInput {
public:
  ArchiveInput(Source& from, std::uint64_t limit) : from_(from), left_(limit), limit_(limit) {}

  void open(archive* reader) {
    check(reader, ::archive_read_open(reader, this, nullptr, &ArchiveInput::read, nullptr));
  }

  /// Throws what happened if `result` says that something did.
  void check(archive* reader, la_ssize_t result) {
    if (failure_)
      std::rethrow_exception(std::exchange(failure_, nullptr));
    if (result >= ARCHIVE_OK || result == ARCHIVE_EOF)
      return;
    if (result == ARCHIVE_WARN && is_harmless(reader))
      return;
    const char* text = ::archive_error_string(reader);
    throw Error("archive is damaged: {}", text == nullptr ? "no reason given" : text);
  }

  std::size_t read_block() {
    const auto count = from_.read(buffer_);
    if (count > left_)
      throw Error("archive is larger than {} bytes", limit_);
    left_ -= count;
    if (count > patience_)
      throw Error("headers of an entry are larger than {} bytes", patient_with_);
    patience_ -= count;
    return count;
  }

  /// The next call of the library may read so many bytes, and any number after that.
  void be_patient(std::uint64_t bytes) noexcept { patience_ = patient_with_ = bytes; }

  /// How many bytes were read so far.
  std::uint64_t total() const noexcept { return limit_ - left_; }

private:
  static la_ssize_t read(archive* reader, void* self, const void** bytes) {
    auto& input = *static_cast<ArchiveInput*>(self);
    try {
      *bytes = input.buffer_.data();
      return static_cast<la_ssize_t>(input.read_block());
    } catch (...) {
      input.failure_ = std::current_exception();
      ::archive_set_error(reader, EIO, "read error");
      return ARCHIVE_FATAL;
    }
  }

  // Names that are not in the character set of the locale are kept as the bytes they are, which
  // is what a file system wants. POSIX.1e ACLs as text are not used.
  static bool is_harmless(archive* reader) {
    const char* text = ::archive_error_string(reader);
    return ::archive_errno(reader) == EILSEQ ||
           (text != nullptr && std::strstr(text, "SCHILY.acl") != nullptr);
  }

  Source& from_;
  std::vector<std::byte> buffer_ = std::vector<std::byte>(stream_block);
  std::uint64_t left_;
  std::uint64_t limit_;
  std::uint64_t patience_ = UINT64_MAX;
  std::uint64_t patient_with_ = UINT64_MAX;
  std::exception_ptr failure_;
};

using Reader = std::unique_ptr<archive, decltype([](archive* a) { ::archive_read_free(a); })>;

Reader make_reader() {
  Reader reader(::archive_read_new());
  if (!reader)
    throw std::bad_alloc();
  return reader;
}

/// What libarchive makes of one compressed stream.
class FilterSource final : public Source {
public:
  explicit FilterSource(Source& from) : input_(from, UINT64_MAX), reader_(make_reader()) {
    ::archive_read_support_filter_bzip2(reader_.get());
    ::archive_read_support_filter_xz(reader_.get());
    ::archive_read_support_format_raw(reader_.get());
  }

  std::size_t read(std::span<std::byte> buffer) override {
    if (!begun_)
      begin();
    if (ended_)
      return 0;
    const auto count = ::archive_read_data(reader_.get(), buffer.data(), buffer.size());
    input_.check(reader_.get(), count);
    ended_ = count == 0;
    return static_cast<std::size_t>(count);
  }

private:
  void begin() {
    begun_ = true;
    input_.open(reader_.get());
    archive_entry* entry = nullptr;
    const int result = ::archive_read_next_header(reader_.get(), &entry);
    input_.check(reader_.get(), result);
    ended_ = result == ARCHIVE_EOF;
  }

  ArchiveInput input_;
  Reader reader_;
  bool begun_ = false;
  bool ended_ = false;
};

FileType file_type(archive_entry* entry) {
  switch (::archive_entry_filetype(entry)) {
  case AE_IFREG:
    return FileType::regular;
  case AE_IFDIR:
    return FileType::directory;
  case AE_IFLNK:
    return FileType::symlink;
  case AE_IFCHR:
    return FileType::char_device;
  case AE_IFBLK:
    return FileType::block_device;
  case AE_IFIFO:
    return FileType::fifo;
  default:
    // The header of a hard link does not say what it is a link to.
    if (::archive_entry_hardlink(entry) != nullptr)
      return FileType::regular;
    throw Error("file is of an unknown type");
  }
}

std::uint32_t owner_id(la_int64_t id) {
  // The last one means "no change" to chown(2).
  if (id < 0 || id >= UINT32_MAX)
    throw Error("owner {} is out of range", id);
  return static_cast<std::uint32_t>(id);
}

Time mtime_of(archive_entry* entry) {
  constexpr la_int64_t most = INT64_MAX / 1'000'000'000 - 1;
  return from_unix(std::clamp<la_int64_t>(::archive_entry_mtime(entry), -most, most),
                   ::archive_entry_mtime_nsec(entry));
}

std::vector<Xattr> xattrs_of(archive_entry* entry, std::uint64_t limit) {
  std::vector<Xattr> xattrs;
  std::uint64_t total = 0;
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  ::archive_entry_xattr_reset(entry);
  while (::archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK) {
    if (name == nullptr || !xattr_may_be_unpacked(name))
      continue;
    total += std::strlen(name) + size;
    if (total > limit)
      throw Error("extended attributes are larger than {} bytes", limit);
    xattrs.push_back({name, std::string(static_cast<const char*>(value), size)});
  }
  // bsdtar writes each in two forms.
  std::stable_sort(xattrs.begin(), xattrs.end(),
                   [](const Xattr& a, const Xattr& b) { return a.name < b.name; });
  const auto same_name = [](const Xattr& a, const Xattr& b) { return a.name == b.name; };
  xattrs.erase(std::unique(xattrs.begin(), xattrs.end(), same_name), xattrs.end());
  return xattrs;
}

std::string_view text_of(const char* name) {
  return name == nullptr ? std::string_view() : name;
}

/// A name as messages show it: what comes from outside may be of any length.
std::string shown_name(const char* name) {
  constexpr std::size_t most = 200;
  const auto text = text_of(name);
  return text.size() <= most ? std::string(text) : std::string(text.substr(0, most)) + "...";
}

} // namespace

std::unique_ptr<Source> make_filter_source(Source& from) {
  return std::make_unique<FilterSource>(from);
}

struct TarReader::State {
  // For headers, and whatever follows the end.
  static constexpr std::uint64_t headroom = std::uint64_t{16} << 20;

  ArchiveInput input;
  TarLimits limits;
  TarNames names;
  Reader reader = make_reader();
  bool begun = false;
  bool ended = false;
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;
  std::uint64_t xattr_bytes = 0;
  std::uint64_t size = 0;     ///< Of the current entry.
  std::uint64_t end = 0;      ///< Of the part of its content that was read.
  std::uint64_t holes = 0;    ///< In sparse files: bytes that are in no stream.
  std::uint64_t position = 0; ///< In the stream, of the current entry's header.
  NameBudget name_budget;

  State(Source& from, TarLimits chosen, TarNames how)
      : input(from, 2 * chosen.bytes + headroom), limits(chosen), names(how) {
    ::archive_read_support_format_tar(reader.get());
    // An archive without a single block has no entries.
    ::archive_read_support_format_empty(reader.get());
  }

  archive_entry* next_header();
  void count_holes_of_last();
  void check_expansion(std::uint64_t more) const;
  LayerEntry convert(archive_entry* entry);
  Metadata metadata(archive_entry* entry);
};

TarReader::TarReader(Source& from, TarLimits limits, TarNames names)
    : state_(std::make_unique<State>(from, limits, names)) {}

TarReader::~TarReader() = default;

std::optional<LayerEntry> TarReader::next() {
  auto& state = *state_;
  if (state.ended)
    return std::nullopt;
  auto* const entry = state.next_header();
  state.count_holes_of_last();
  if (entry == nullptr) {
    state.ended = true;
    return std::nullopt;
  }
  if (++state.entries > state.limits.entries)
    throw Error("archive has more than {} entries", state.limits.entries);
  return state.convert(entry);
}

/// Null at the end.
archive_entry* TarReader::State::next_header() {
  input.be_patient(limits.header_bytes);
  if (!std::exchange(begun, true))
    input.open(reader.get());
  if (entries > 0) {
    input.be_patient(UINT64_MAX);
    input.check(reader.get(), ::archive_read_data_skip(reader.get()));
    input.be_patient(limits.header_bytes);
  }
  archive_entry* entry = nullptr;
  const int result = ::archive_read_next_header(reader.get(), &entry);
  input.check(reader.get(), result);
  return result == ARCHIVE_EOF ? nullptr : entry;
}

/// What of a file was not between its header and the next one is a hole, whether it was read or
/// not.
void TarReader::State::count_holes_of_last() {
  const auto here = static_cast<std::uint64_t>(
      std::max<la_int64_t>(::archive_read_header_position(reader.get()), 0));
  const auto stored = here > position ? here - position : input.total() - position;
  if (size > stored)
    holes += size - stored;
  position = here;
  size = end = 0;
  check_expansion(0);
}

void TarReader::State::check_expansion(std::uint64_t more) const {
  if (limits.expansion != nullptr)
    limits.expansion->check(input.total() + holes + more);
}

LayerEntry TarReader::State::convert(archive_entry* entry) {
  const char* name = ::archive_entry_pathname(entry);
  return within(
      [&] {
        LayerEntry out{parse_entry_name(text_of(name), limits.path_length, names), metadata(entry),
                       std::nullopt};
        if (const char* target = ::archive_entry_hardlink(entry)) {
          out.hard_link = parse_entry_name(target, limits.path_length, names);
          // Some writers repeat the content, which belongs to the first name.
          out.meta.size = 0;
        }
        size = out.meta.size;
        bytes += size;
        if (bytes > limits.bytes)
          throw Error("contents of the archive are larger than {} bytes", limits.bytes);
        name_budget.add(out);
        return out;
      },
      "entry '{}'", shown_name(name));
}

Metadata TarReader::State::metadata(archive_entry* entry) {
  Metadata meta;
  meta.type = file_type(entry);
  meta.mode = ::archive_entry_perm(entry) & 07777U;
  meta.uid = owner_id(::archive_entry_uid(entry));
  meta.gid = owner_id(::archive_entry_gid(entry));
  meta.mtime = mtime_of(entry);
  if (meta.type == FileType::regular) {
    const auto length = ::archive_entry_size(entry);
    if (length < 0)
      throw Error("size is negative");
    meta.size = static_cast<std::uint64_t>(length);
  }
  if (meta.type == FileType::symlink) {
    const char* target = ::archive_entry_symlink(entry);
    if (target == nullptr || *target == '\0')
      throw Error("symbolic link has no target");
    if (std::strlen(target) > limits.path_length)
      throw Error("target of the symbolic link is longer than {} bytes", limits.path_length);
    meta.link_target = target;
  }
  if (meta.type == FileType::char_device || meta.type == FileType::block_device) {
    meta.device_major = static_cast<std::uint32_t>(::archive_entry_rdevmajor(entry));
    meta.device_minor = static_cast<std::uint32_t>(::archive_entry_rdevminor(entry));
  }
  meta.xattrs = xattrs_of(entry, limits.xattr_bytes);
  for (const auto& xattr : meta.xattrs)
    xattr_bytes += xattr.name.size() + xattr.value.size();
  if (xattr_bytes > limits.all_xattr_bytes)
    throw Error("extended attributes of the archive are larger than {} bytes",
                limits.all_xattr_bytes);
  return meta;
}

std::optional<TarReader::Block> TarReader::read_block() {
  auto& state = *state_;
  if (state.size == 0)
    return std::nullopt;
  const void* bytes = nullptr;
  std::size_t count = 0;
  la_int64_t offset = 0;
  state.input.be_patient(state.limits.header_bytes);
  const int result = ::archive_read_data_block(state.reader.get(), &bytes, &count, &offset);
  state.input.be_patient(UINT64_MAX);
  state.input.check(state.reader.get(), result);
  if (result == ARCHIVE_EOF) {
    state.check_expansion(state.size - state.end);
    return std::nullopt;
  }
  const auto start = static_cast<std::uint64_t>(offset);
  if (offset < 0 || start > state.size || count > state.size - start)
    throw Error("archive is damaged: content lies outside of its file");
  if (start > state.end)
    state.check_expansion(start - state.end);
  state.end = start + count;
  return Block{start, {static_cast<const std::byte*>(bytes), count}};
}

void TarReader::copy_to(Sink& to) {
  std::vector<std::byte> zeros;
  std::uint64_t at = 0;
  const auto fill_to = [&](std::uint64_t end) {
    if (at > end)
      throw Error("archive is damaged: blocks of a sparse file overlap");
    while (at < end) {
      zeros.resize(stream_block);
      const auto part = std::span(zeros).first(std::min<std::uint64_t>(end - at, zeros.size()));
      to.write(part);
      at += part.size();
    }
  };
  while (const auto block = read_block()) {
    fill_to(block->offset);
    to.write(block->bytes);
    at += block->bytes.size();
  }
  fill_to(state_->size);
}

void TarReader::drain() {
  while (next()) {
  }
  state_->input.be_patient(UINT64_MAX);
  while (state_->input.read_block() != 0) {
  }
}

} // namespace cairn
