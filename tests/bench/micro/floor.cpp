// Measures what a build on a base image has to do at least, each step alone and on one thread:
// reads the blob of a layer, hashes it, decompresses it, hashes the archive and writes its files.
//
//   floor BLOB DIRECTORY    DIRECTORY is empty, and full of files afterwards
//
// Prints a line "NAME SECONDS CPU_SECONDS" for each step.

#include "fs/archive/compress.hpp"
#include "fs/archive/tar.hpp"
#include "fs/tree/unpack.hpp"
#include "util/crypto.hpp"
#include "util/fd.hpp"
#include "util/file.hpp"
#include "util/stream.hpp"

#include <fmt/format.h>

#include <fcntl.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <exception>
#include <functional>
#include <span>
#include <string>

using namespace cairn;

namespace {

class NullSink final : public Sink {
public:
  void write(std::span<const std::byte> bytes) override { count_ += bytes.size(); }

private:
  std::uint64_t count_ = 0;
};

double seconds(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

void step(const char* name, const std::function<void()>& work) {
  const auto wall = seconds(CLOCK_MONOTONIC);
  const auto cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
  work();
  fmt::print("{} {:.3f} {:.3f}\n", name, seconds(CLOCK_MONOTONIC) - wall,
             seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu);
}

FileSource file(const std::string& path) {
  return FileSource(open_at(current_directory(), path, O_RDONLY));
}

void unpack(const std::string& archive, const std::string& directory) {
  make_directories(directory);
  const auto root = open_directory(directory);
  auto source = file(archive);
  TarReader reader(source);
  Unpacker unpacker(root, {});
  while (const auto entry = reader.next())
    unpacker.add(*entry, reader);
  unpacker.finish();
}

void measure(const std::string& blob, const std::string& directory) {
  NullSink nowhere;
  step("read", [&] {
    auto source = file(blob);
    copy(source, nowhere);
  });
  step("hash_blob", [&] {
    auto source = file(blob);
    sha256_hex(source);
  });
  step("decompress", [&] {
    auto source = file(blob);
    copy(*make_decompressor(source), nowhere);
  });
  const auto archive = directory + "/layer.tar";
  {
    auto source = file(blob);
    const auto target = open_at(current_directory(), archive, O_WRONLY | O_CREAT | O_EXCL, 0600);
    FileSink sink(target);
    copy(*make_decompressor(source), sink);
  }
  step("hash_archive", [&] {
    auto source = file(archive);
    sha256_hex(source);
  });
  step("write_files", [&] { unpack(archive, directory + "/root"); });
}

} // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    fmt::print(stderr, "usage: floor BLOB DIRECTORY\n");
    return 2;
  }
  try {
    measure(argv[1], argv[2]);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "error: {}\n", error.what());
    return 1;
  }
}
