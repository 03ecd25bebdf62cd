#include "builder/store/context_digests.hpp"

#include "util/crypto.hpp"
#include "util/error.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

namespace cairn {

namespace {

constexpr std::string_view magic = "cairn context digests 1\n";
constexpr std::size_t most_rows = 2'000'000;
constexpr std::size_t numbers = 5;
constexpr std::size_t number_bytes = 8;
constexpr std::size_t digest_bytes = 32;
constexpr std::size_t row_bytes = numbers * number_bytes + digest_bytes;
constexpr std::size_t hash_size = 64; // in hex
constexpr std::size_t rows_at_a_time = 1024;

/// File systems stamp files with the time of a tick, or of two seconds.
constexpr std::chrono::seconds longest_tick(2);

std::int64_t count_of(Time time) {
  return time.time_since_epoch().count();
}

Time time_of(std::uint64_t count) {
  return Time(std::chrono::nanoseconds(static_cast<std::int64_t>(count)));
}

std::array<std::uint64_t, numbers> numbers_of(const FileStamp& stamp) {
  return {stamp.device, stamp.inode, static_cast<std::uint64_t>(count_of(stamp.ctime)),
          static_cast<std::uint64_t>(count_of(stamp.mtime)), stamp.size};
}

void append(std::string& text, std::uint64_t number) {
  for (std::size_t i = 0; i < number_bytes; ++i)
    text += static_cast<char>(number >> (8 * i));
}

std::uint64_t take_number(std::string_view& text) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < number_bytes; ++i)
    number |= std::uint64_t{static_cast<unsigned char>(text[i])} << (8 * i);
  text.remove_prefix(number_bytes);
  return number;
}

/// Fills the text, or as much as there is.
std::string read_up_to(Source& from, std::size_t size) {
  std::string text(size, '\0');
  std::size_t have = 0;
  while (have < size) {
    const auto rest = std::as_writable_bytes(std::span(text).subspan(have));
    const auto count = from.read(rest);
    if (count == 0)
      break;
    have += count;
  }
  text.resize(have);
  return text;
}

std::string read_exactly(Source& from, std::size_t size) {
  auto text = read_up_to(from, size);
  if (text.size() != size)
    throw Error("it ends too early");
  return text;
}

} // namespace

ContextDigests::ContextDigests(Source& from) {
  Sha256 hash;
  auto head = read_exactly(from, magic.size() + number_bytes);
  if (!head.starts_with(magic))
    throw Error("it has another form");
  write_text(hash, head);
  auto rest = std::string_view(head).substr(magic.size());
  const auto count = take_number(rest);
  if (count > most_rows)
    throw Error("it has more than {} files", most_rows);
  while (rows_.size() < count) {
    const auto some = std::min<std::size_t>(rows_at_a_time, count - rows_.size());
    const auto text = read_exactly(from, some * row_bytes);
    write_text(hash, text);
    for (std::string_view left = text; !left.empty();) {
      Row row;
      row.stamp.device = take_number(left);
      row.stamp.inode = take_number(left);
      row.stamp.ctime = time_of(take_number(left));
      row.stamp.mtime = time_of(take_number(left));
      row.stamp.size = take_number(left);
      std::memcpy(row.digest.data(), left.data(), digest_bytes);
      left.remove_prefix(digest_bytes);
      if (!rows_.empty() && !(rows_.back().stamp < row.stamp))
        throw Error("its files are in no order");
      rows_.push_back(row);
    }
  }
  if (read_up_to(from, hash_size + 1) != hash.hex())
    throw Error("its checksum is wrong");
  used_.resize(rows_.size());
}

std::optional<ContextDigests::Digest> ContextDigests::find(const FileStamp& stamp) {
  const auto row =
      std::lower_bound(rows_.begin(), rows_.end(), stamp,
                       [](const Row& a, const FileStamp& wanted) { return a.stamp < wanted; });
  if (row == rows_.end() || row->stamp != stamp)
    return std::nullopt;
  used_[static_cast<std::size_t>(row - rows_.begin())] = true;
  return row->digest;
}

void ContextDigests::add(const FileStamp& stamp, const Digest& digest, Time seen) {
  if (stamp.ctime + longest_tick < seen && added_.size() < most_rows)
    added_.push_back({stamp, digest});
}

void ContextDigests::merge() {
  if (rows_.size() + added_.size() > most_rows) {
    std::size_t at = 0;
    std::erase_if(rows_, [&](const Row&) { return !used_[at++]; });
  }
  if (rows_.empty())
    rows_.swap(added_);
  rows_.insert(rows_.end(), added_.begin(), added_.end());
  added_ = {};
  std::sort(rows_.begin(), rows_.end(),
            [](const Row& a, const Row& b) { return a.stamp < b.stamp; });
  const auto twice = std::unique(rows_.begin(), rows_.end(),
                                 [](const Row& a, const Row& b) { return a.stamp == b.stamp; });
  rows_.erase(twice, rows_.end());
  if (rows_.size() > most_rows)
    rows_.resize(most_rows);
  used_.assign(rows_.size(), true);
}

void ContextDigests::write(Sink& to) {
  merge();
  Sha256 hash;
  std::string text(magic);
  append(text, rows_.size());
  const auto flush = [&] {
    write_text(hash, text);
    write_text(to, text);
    text.clear();
  };
  for (const auto& row : rows_) {
    for (const auto number : numbers_of(row.stamp))
      append(text, number);
    text.append(reinterpret_cast<const char*>(row.digest.data()), row.digest.size());
    if (text.size() >= stream_block)
      flush();
  }
  flush();
  write_text(to, hash.hex());
}

} // namespace cairn
