#include "fs/archive/archive_file.hpp"

#include "fs/archive/compress.hpp"
#include "fs/archive/filter.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

#include <array>
#include <optional>
#include <string_view>

namespace cairn {

namespace {

constexpr std::size_t tar_block = 512;
using Block = std::array<std::byte, tar_block>;

std::size_t fill(Source& from, std::span<std::byte> buffer) {
  std::size_t filled = 0;
  while (filled < buffer.size()) {
    const auto count = from.read(buffer.subspan(filled));
    if (count == 0)
      break;
    filled += count;
  }
  return filled;
}

bool begins_with(const Block& block, std::string_view magic) {
  return std::string_view(reinterpret_cast<const char*>(block.data()), magic.size()) == magic;
}

/// The checksum of a header counts its own field as blanks (POSIX ustar).
bool is_tar_header(const Block& block) {
  constexpr std::size_t field = 148;
  constexpr std::size_t width = 8;
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < tar_block; ++i)
    sum += i >= field && i < field + width ? ' ' : std::to_integer<std::uint32_t>(block[i]);
  std::string_view text(reinterpret_cast<const char*>(block.data()) + field, width);
  text = trim(text.substr(0, text.find('\0')));
  return parse_octal(text) == sum;
}

enum class Filter { none, gzip, zstd, other };

Filter filter_by_magic(const Block& block) {
  using namespace std::string_view_literals;
  if (begins_with(block, "\x1f\x8b"sv))
    return Filter::gzip;
  if (begins_with(block, "\x28\xb5\x2f\xfd"sv))
    return Filter::zstd;
  if (begins_with(block, "BZh"sv) || begins_with(block, "\xfd\x37zXZ\0"sv))
    return Filter::other;
  return Filter::none;
}

std::unique_ptr<Source> unfiltered(Source& from, Filter filter) {
  switch (filter) {
  case Filter::gzip:
    return make_decompressor(from, Compression::gzip);
  case Filter::zstd:
    return make_decompressor(from, Compression::zstd);
  case Filter::other:
    return make_filter_source(from);
  case Filter::none:
    break;
  }
  return make_decompressor(from, Compression::none);
}

/// How the archive is compressed; nothing when it is no archive.
std::optional<Filter> filter_of(const std::function<std::unique_ptr<Source>()>& open) {
  Block block{};
  const auto first = open();
  fill(*first, block);
  const auto filter = filter_by_magic(block);
  if (filter != Filter::none) {
    try {
      const auto filtered = open();
      const auto plain = unfiltered(*filtered, filter);
      block = {};
      fill(*plain, block);
    } catch (const Error&) {
      // What only looks compressed is copied as it is.
      return std::nullopt;
    }
  }
  return is_tar_header(block) ? std::optional(filter) : std::nullopt;
}

} // namespace

bool is_archive(const std::function<std::unique_ptr<Source>()>& open) {
  return filter_of(open).has_value();
}

bool read_archive(const std::function<std::unique_ptr<Source>()>& open, const EntryVisitor& visit,
                  ExpansionLimit limit) {
  const auto filter = filter_of(open);
  if (!filter)
    return false;
  const auto filtered = open();
  ExpansionGauge expansion(limit);
  MeasuredSource measured(*filtered, expansion);
  const auto plain = unfiltered(measured, *filter);
  TarLimits limits;
  limits.expansion = &expansion;
  TarReader reader(*plain, limits, TarNames::rooted);
  while (const auto entry = reader.next())
    visit(*entry, reader);
  return true;
}

} // namespace cairn
