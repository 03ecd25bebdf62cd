#include "../../support/no_threads.hpp"
#include "errors.hpp"
#include "fs/archive/compress.hpp"
#include "fs/archive/deflate.hpp"
#include "fs/archive/gzip_sink.hpp"
#include "fs/archive/zstd.hpp"
#include "util/crypto.hpp"
#include "util/error.hpp"
#include "util/process.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

using namespace cairn;
using test::error_of;

TEST_SUITE_BEGIN("fs/compress");

namespace {

/// Text that compresses, and noise that does not, the same on every machine.
std::string sample(std::size_t size) {
  std::string text;
  std::uint32_t state = 1;
  while (text.size() < size) {
    state = state * 1664525 + 1013904223;
    if ((text.size() / 300'000) % 3 == 2)
      text += static_cast<char>(state >> 24);
    else
      text += "line " + std::to_string(state >> 22) + " of the sample\n";
  }
  text.resize(size);
  return text;
}

void write_in_parts(Sink& to, std::string_view text, std::size_t part) {
  for (std::size_t at = 0; at < text.size(); at += part)
    write_text(to, text.substr(at, part));
}

std::string compressed(std::string_view text, const CompressionChoice& choice,
                       std::size_t part = 100'000) {
  TextSink out;
  const auto sink = make_compressor(out, choice);
  write_in_parts(*sink, text, part);
  sink->finish();
  return out.text();
}

/// Gives few bytes at a time, as a network may.
class SlowSource final : public Source {
public:
  SlowSource(std::string_view text, std::size_t step) : rest_(text), step_(step) {}
  std::size_t read(std::span<std::byte> buffer) override {
    return rest_.read(buffer.first(std::min(step_, buffer.size())));
  }

private:
  TextSource rest_;
  std::size_t step_;
};

std::string plain(std::string_view bytes, Compression method, std::size_t step = 1 << 20) {
  SlowSource source(bytes, step);
  const auto from = make_decompressor(source, method);
  return read_all(*from, 1 << 26);
}

const std::string hello_gzip("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcb\x48\xcd\xc9\xc9\x07\x00"
                             "\x86\xa6\x10\x36\x05\x00\x00\x00",
                             25);

} // namespace

TEST_CASE("what is compressed is decompressed again") {
  for (const std::size_t size : {0UL, 1UL, 1000UL, 524'288UL, 524'289UL, 3'000'000UL}) {
    const auto text = sample(size);
    for (const auto method : {Compression::none, Compression::gzip, Compression::zstd}) {
      CAPTURE(size);
      CAPTURE(static_cast<int>(method));
      CHECK(plain(compressed(text, {method, {}}), method) == text);
    }
  }
}

TEST_CASE("every level that a user may ask for works") {
  const auto text = sample(1'200'000);
  for (int level = -1; level <= 9; ++level) {
    CAPTURE(level);
    CHECK(plain(compressed(text, {Compression::gzip, level}), Compression::gzip) == text);
  }
  for (const int level : {-1, 0, 1, 3, 19, 22}) {
    CAPTURE(level);
    CHECK(plain(compressed(text, {Compression::zstd, level}), Compression::zstd) == text);
  }
  CHECK(error_of([&] {
          compressed("", {Compression::gzip, 10});
        }) == "gzip has no compression level 10: use 0 to 9");
  CHECK(error_of([&] {
          compressed("", {Compression::zstd, 23});
        }) == "zstd has no compression level 23: use 1 to 22");
}

TEST_CASE("neither the sizes of writes nor the number of threads show in the result") {
  const auto text = sample(3'000'000);
  for (const auto method : {Compression::gzip, Compression::zstd}) {
    const auto whole = compressed(text, {method, {}}, text.size());
    CHECK(compressed(text, {method, {}}, 4096) == whole);
    CHECK(compressed(text, {method, {}}, 77'777) == whole);
  }
  const auto with_threads = [&](std::size_t threads) {
    TextSink gzip;
    GzipSink gzip_sink(
        gzip, [] { return make_fast_deflate(2); }, threads);
    write_in_parts(gzip_sink, text, 100'000);
    gzip_sink.finish();
    TextSink zstd;
    const auto zstd_sink = make_zstd_sink(zstd, 3, threads);
    write_in_parts(*zstd_sink, text, 100'000);
    zstd_sink->finish();
    return sha256_hex(gzip.text()) + sha256_hex(zstd.text());
  };
  CHECK(with_threads(1) == with_threads(4));
}

TEST_CASE("a gzip header tells neither name nor time") {
  const auto bytes = compressed("x", {Compression::gzip, {}});
  CHECK(bytes.substr(0, 10) == std::string("\x1f\x8b\x08\0\0\0\0\0\0\xff", 10));
}

TEST_CASE("other tools read what is written") {
  const auto text = sample(2'000'000);
  for (const int level : {1, 6}) {
    ProcessSpec spec;
    spec.argv = {"gzip", "-dc"};
    spec.input = compressed(text, {Compression::gzip, level});
    spec.output_limit = 1 << 24;
    ProcessResult result;
    try {
      result = run_process(spec);
    } catch (const Error&) {
      MESSAGE("skipped: no gzip here");
      return;
    }
    CHECK(result.exit_status == 0);
    CHECK(result.output == text);
  }
}

TEST_CASE("gzip streams of any shape are read, whatever the size of reads") {
  const std::string with_everything = std::string("\x1f\x8b\x08\x1e\x01\x02\x03\x04\x00\x03\x04\x00"
                                                  "ABCDname\0comment\0",
                                                  29);
  struct Row {
    std::string bytes;
    std::string text;
    std::string why;
  };
  std::string named = with_everything;
  const auto crc = gzip_crc(0, std::as_bytes(std::span(named)));
  named += static_cast<char>(crc & 0xff);
  named += static_cast<char>((crc >> 8) & 0xff);
  named += hello_gzip.substr(10);
  const auto long_text = sample(700'000);
  const Row rows[] = {
      {hello_gzip, "hello", "one member"},
      {hello_gzip + hello_gzip, "hellohello", "two members"},
      {named, "hello", "extra field, name, comment and header checksum"},
      {hello_gzip + named + hello_gzip, "hellohellohello", "a mixture"},
      {compressed("", {Compression::gzip, {}}) + hello_gzip, "hello", "an empty member first"},
      {compressed(long_text, {Compression::gzip, {}}) + hello_gzip, long_text + "hello", "long"},
      {compressed(long_text, {Compression::gzip, 0}), long_text, "stored blocks"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    for (const std::size_t step : {1UL, 2UL, 7UL, 100'000UL}) {
      if (step == 1 && row.bytes.size() > 1000)
        continue; // slow, and no other place is left to split
      CAPTURE(step);
      CHECK(plain(row.bytes, Compression::gzip, step) == row.text);
    }
  }
}

TEST_CASE("damaged streams are errors") {
  auto bad_sum = hello_gzip;
  bad_sum[18] = 'x';
  auto bad_length = hello_gzip;
  bad_length[21] = 'x';
  auto bad_data = hello_gzip;
  bad_data[10] = '\xff';
  const auto zstd = compressed("hello", {Compression::zstd, {}});
  auto bad_zstd = zstd;
  bad_zstd.back() = static_cast<char>(bad_zstd.back() ^ 1);
  struct Row {
    Compression method;
    std::string bytes;
    std::string message;
  };
  const Row rows[] = {
      {Compression::gzip, "", "gzip stream is empty"},
      {Compression::gzip, "hello hello hello", "gzip stream has no valid header"},
      {Compression::gzip, hello_gzip.substr(0, 5), "gzip stream is truncated"},
      {Compression::gzip, hello_gzip.substr(0, 12), "gzip stream is truncated"},
      {Compression::gzip, hello_gzip.substr(0, 24), "gzip stream is truncated"},
      {Compression::gzip, hello_gzip + "garbage at the end",
       "gzip stream is followed by something else"},
      {Compression::gzip, hello_gzip + hello_gzip.substr(0, 20), "gzip stream is truncated"},
      {Compression::gzip, bad_sum, "gzip stream is damaged: its checksum differs"},
      {Compression::gzip, bad_length, "gzip stream is damaged: its checksum differs"},
      {Compression::gzip, bad_data, "gzip stream is damaged"},
      {Compression::zstd, "", "zstd stream is empty"},
      {Compression::zstd, zstd.substr(0, zstd.size() - 1), "zstd stream is truncated"},
      {Compression::zstd, zstd + zstd.substr(0, 9), "zstd stream is truncated"},
      {Compression::zstd, bad_zstd, "zstd stream is damaged: Restored data doesn't match checksum"},
      {Compression::zstd, "hello hello", "zstd stream is damaged: Unknown frame descriptor"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.message);
    CHECK(error_of([&] { plain(row.bytes, row.method, 3); }) == row.message);
  }
}

TEST_CASE("zstd frames in a row are one stream, skippable ones apart") {
  const auto frame = compressed("hello", {Compression::zstd, {}});
  const std::string skippable("\x50\x2a\x4d\x18\x03\x00\x00\x00xyz", 11);
  CHECK(plain(frame + frame, Compression::zstd, 3) == "hellohello");
  CHECK(plain(skippable + frame + skippable, Compression::zstd, 3) == "hello");
}

TEST_CASE("a stream tells by its first bytes how it is compressed") {
  const std::string hello_bzip2(
      "BZh91AY&SY\x19\x31\x65\x3d\x00\x00\x00\x81\x00\x02\x44\xa0\x00\x21\x9a\x68\x33\x4d\x07\x33"
      "\x8b\xb9\x22\x9c\x28\x48\x0c\x98\xb2\x9e\x80",
      41);
  struct Row {
    std::string bytes;
    std::string text;
    std::string why;
  };
  const std::string skippable("\x5f\x2a\x4d\x18\x00\x00\x00\x00", 8);
  const Row rows[] = {
      {hello_gzip, "hello", "gzip"},
      {compressed("hello", {Compression::zstd, {}}), "hello", "zstd"},
      {skippable + compressed("hello", {Compression::zstd, {}}), "hello", "zstd, skippable first"},
      {hello_bzip2, "hello", "bzip2"},
      {"hello", "hello", "anything else"},
      {"BZhello world", "BZhello world", "a name that begins as bzip2 does"},
      {"h", "h", "less than any magic"},
      {"BZh", "BZh", "the beginning of one"},
      {"", "", "nothing"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    SlowSource source(row.bytes, 2);
    const auto from = make_decompressor(source);
    CHECK(read_all(*from, 1000) == row.text);
  }
}

TEST_CASE("where no thread can be started the writer's own makes the same gzip stream") {
  const auto text = sample(3'000'000);
  const auto expected = compressed(text, {Compression::gzip, {}});
  const test::NoThreads none;
  CHECK(compressed(text, {Compression::gzip, {}}) == expected);
}

TEST_CASE("where no thread can be started zstd says so, or makes the same stream") {
  const auto text = sample(3'000'000);
  const auto expected = compressed(text, {Compression::zstd, {}});
  const test::NoThreads none;
  std::string found;
  const auto error = error_of([&] { found = compressed(text, {Compression::zstd, {}}); });
  if (error.empty())
    CHECK(found == expected);
  else
    CHECK(error == "compress with zstd: there is no memory or no thread for it");
}
