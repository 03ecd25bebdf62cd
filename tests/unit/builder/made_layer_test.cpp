#include "builder/layers/layer_factory.hpp"
#include "builder/layers/made_layer.hpp"
#include "support/gate.hpp"
#include "support/layer_files.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

#include <doctest/doctest.h>

#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <thread>

using namespace cairn;
using namespace cairn::test;

TEST_SUITE_BEGIN("builder/made_layer");

namespace {

/// Where layers are written, and how often their files were opened.
struct Making {
  LayerContent counted(const Files& files) {
    return with_opener(content_of(files), [this](ContentOpener open) {
      return [this, open = std::move(open)](std::size_t n) {
        ++opened;
        return open(n);
      };
    });
  }

  /// Content that is read when the gate is open.
  LayerContent behind(Gate& gate, const Files& files) {
    return with_opener(content_of(files), [&gate](ContentOpener open) {
      return [&gate, open = std::move(open)](std::size_t n) {
        CHECK(gate.pass());
        return open(n);
      };
    });
  }

  bool is_nothing_written() const {
    return std::filesystem::is_empty(directory.path() + "/blobs/sha256");
  }

  std::atomic<int> opened = 0;
  TempDir directory{"/tmp"};
  BlobStore store{directory.path()};
  std::atomic<bool> cancel = false;
  LayerFactory factory{store, {}, cancel};
};

Files files_in(const StageLayer& layer) {
  Files files;
  layer.read([&](const LayerEntry& entry, EntryContent& content) {
    if (!entry.has_content())
      return;
    TextSink text;
    content.copy_to(text);
    files[entry.path.relative()] = text.text();
  });
  return files;
}

LayerContent on_a_full_disk() {
  LayerContent content = content_of({{"f", "text"}});
  content.step = "COPY f /";
  content.begin = shared_opener(
      [](std::size_t) -> std::unique_ptr<Source> { throw SysError(ENOSPC, "write"); });
  return content;
}

} // namespace

TEST_CASE_FIXTURE(Making, "a layer that nobody exports is read from its files, and never written") {
  const MadeLayer layer(counted({{"a/f", "text"}, {"g", "more"}}), factory);
  CHECK(files_in(layer) == Files{{"a/f", "text"}, {"g", "more"}});
  CHECK(files_in(layer) == Files{{"a/f", "text"}, {"g", "more"}});
  CHECK(opened == 4);
  REQUIRE(layer.files() != nullptr);
  CHECK(is_nothing_written());
}

TEST_CASE_FIXTURE(Making, "entries whose content nobody asks for open no file") {
  const MadeLayer layer(counted({{"f", "text"}}), factory);
  int entries = 0;
  layer.read([&](const LayerEntry&, EntryContent&) { ++entries; });
  CHECK(entries == 1);
  CHECK(opened == 0);
}

TEST_CASE_FIXTURE(Making, "whoever asks what an image says of a layer has it written, once") {
  const MadeLayer layer(counted({{"f", "text"}}), factory);
  std::vector<Digest> seen(2, Digest::of(""));
  {
    const std::jthread one([&] { seen[0] = layer.diff_id(); });
    const std::jthread two([&] { seen[1] = layer.diff_id(); });
  }
  CHECK(seen[0] == seen[1]);
  CHECK(opened == 1);
  CHECK(layer.compression() == Compression::gzip);
  CHECK(store.has(layer.descriptor(ImageFormat::oci).digest));
  CHECK(layer.base() == nullptr);
}

TEST_CASE_FIXTURE(Making, "a layer that is being written can be read all the same") {
  Gate gate;
  std::atomic<int> calls = 0;
  const auto content = with_opener(content_of({{"f", "text"}}), [&](ContentOpener open) {
    return [&, open = std::move(open)](std::size_t n) {
      if (calls++ == 0)
        CHECK(gate.pass());
      return open(n);
    };
  });
  const MadeLayer layer(content, factory);
  layer.write();
  while (calls == 0)
    std::this_thread::yield();
  CHECK(files_in(layer) == Files{{"f", "text"}});
  gate.open();
  CHECK(store.has(layer.descriptor(ImageFormat::oci).digest));
}

TEST_CASE_FIXTURE(Making, "a layer that is set aside is read without its files from then on") {
  const MadeLayer layer(counted({{"f", "text"}}), factory);
  layer.set_aside();
  CHECK(opened == 1);
  CHECK(layer.files() == nullptr);
  CHECK(files_in(layer) == Files{{"f", "text"}});
  CHECK(opened == 1);
  // Nobody waits for a compressor that the image has no use for.
  CHECK(layer.compression() == Compression::none);
}

TEST_CASE_FIXTURE(Making, "a layer of the image that is set aside is compressed once") {
  const MadeLayer layer(counted({{"f", "text"}}), factory);
  layer.write();
  layer.set_aside();
  CHECK(layer.compression() == Compression::gzip);
  CHECK(files_in(layer) == Files{{"f", "text"}});
  CHECK(opened == 1);
}

TEST_CASE_FIXTURE(Making, "setting aside returns when the files have been read") {
  Gate gate;
  const MadeLayer layer(behind(gate, {{"f", "text"}}), factory);
  layer.write();
  std::atomic<bool> done = false;
  const std::jthread waiter([&] {
    layer.set_aside();
    done = true;
  });
  CHECK_FALSE(done);
  gate.open();
  layer.diff_id();
}

TEST_CASE_FIXTURE(Making, "a layer that fails is told to each who waits, as an error of its own") {
  const MadeLayer layer(on_a_full_disk(), factory);
  const auto ask = [&](const std::string& who, const std::function<void()>& question) {
    CHECK_THROWS_WITH_AS(within(question, "{}", who),
                         (who + ": COPY f /: write: No space left on device").c_str(), SysError);
  };
  ask("diff id", [&] { (void)layer.diff_id(); });
  ask("descriptor", [&] { (void)layer.descriptor(ImageFormat::oci); });
  ask("bytes", [&] { (void)layer.open(); });
  ask("files", [&] { layer.set_aside(); });
  const std::jthread one([&] { ask("one", [&] { (void)layer.diff_id(); }); });
  const std::jthread two([&] { ask("two", [&] { (void)layer.diff_id(); }); });
}

TEST_CASE_FIXTURE(Making, "a layer that was set aside and has been removed since is an error") {
  const MadeLayer layer(content_of({{"f", "text"}}), factory);
  layer.write();
  layer.set_aside();
  const auto blob = layer.descriptor(ImageFormat::oci).digest;
  REQUIRE(::unlink(store.path(blob).c_str()) == 0);
  CHECK_THROWS_AS(layer.open(), Error);
  CHECK_THROWS_AS(files_in(layer), Error);
}

TEST_SUITE_END();
