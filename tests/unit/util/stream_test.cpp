#include "util/error.hpp"
#include "util/stream.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace cairn;

TEST_SUITE_BEGIN("util/stream");

namespace {

std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i)
    text[i] = static_cast<char>('a' + i % 23);
  return text;
}

} // namespace

TEST_CASE("bytes arrive as they were sent") {
  const auto text = pattern(1'000'000);
  TextSource source(text);
  TextSink sink;
  CountingSink counting(sink);
  CHECK(copy(source, counting) == text.size());
  CHECK(sink.text() == text);
  CHECK(counting.count() == text.size());
}

TEST_CASE("a limit ends what is too long") {
  TextSource source("12345");
  CHECK_THROWS_AS(read_all(source, 4), Error);
}

TEST_CASE("a thread reads what is written, however it is cut") {
  const auto text = pattern(3'000'000);
  for (const std::size_t piece : {std::size_t{7}, std::size_t{4096}, text.size()}) {
    std::string seen;
    ThreadSink sink([&](Source& source) { seen = read_all(source, text.size()); });
    for (std::size_t at = 0; at < text.size(); at += piece)
      write_text(sink, std::string_view(text).substr(at, piece));
    sink.finish();
    CHECK(seen == text);
  }
}

TEST_CASE("an error of the reading thread reaches the writer") {
  ThreadSink sink([](Source&) { throw Error("cannot read this"); });
  CHECK_THROWS_WITH_AS(
      [&] {
        for (int i = 0; i < 1000; ++i)
          write_text(sink, pattern(100'000));
        sink.finish();
      }(),
      "cannot read this", Error);
}

TEST_CASE("a writer that gives up is an error for the reading thread") {
  std::string seen;
  {
    ThreadSink sink([&](Source& source) {
      try {
        read_all(source, 1000);
      } catch (const Error& error) {
        seen = error.what();
      }
    });
    write_text(sink, "half");
  }
  CHECK(seen == "read: the writer gave up");
}

TEST_CASE("a thread produces what is read, and its error comes after its bytes") {
  const auto text = pattern(1'000'000);
  ThreadSource source([&](Sink& sink) {
    write_text(sink, text);
    throw Error("broken off");
  });
  std::string seen;
  std::byte buffer[1000];
  CHECK_THROWS_WITH_AS(
      [&] {
        while (const auto count = source.read(buffer))
          seen.append(reinterpret_cast<const char*>(buffer), count);
      }(),
      "broken off", Error);
  CHECK(seen == text);
}

TEST_CASE("a source that nobody reads to its end stops") {
  const auto text = pattern(10'000'000);
  ThreadSource source([&](Sink& sink) { write_text(sink, text); });
  std::byte buffer[10];
  CHECK(source.read(buffer) == 10);
}

TEST_SUITE_END();
