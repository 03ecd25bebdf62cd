#include "fs/layer_writer.hpp"

#include "util/error.hpp"

#include <algorithm>

namespace cairn {

Time TimeRule::apply(Time mtime) const {
  switch (kind) {
  case Kind::keep:
    return mtime;
  case Kind::clamp:
    return std::min(mtime, epoch);
  case Kind::set:
    return epoch;
  }
  return mtime;
}

void write_tar(const std::vector<LayerEntry>& entries, const ContentOpener& open,
               const TimeRule& times, Sink& to) {
  TarWriter tar(to);
  for (std::size_t n = 0; n < entries.size(); ++n) {
    auto entry = entries[n];
    entry.meta.mtime = times.apply(entry.meta.mtime);
    const auto content = entry.has_content() ? open(n) : nullptr;
    tar.add(entry, content.get());
  }
  tar.finish();
}

Layer write_layer(const std::vector<LayerEntry>& entries, const ContentOpener& open,
                  const BlobStore& store, const CompressionChoice& choice, const TimeRule& times) {
  BlobStore::Writer blob(store);
  Sha256 diff_hash;
  // Here files are read and the tar stream is hashed; there its blocks are compressed and stored.
  ThreadSink compressed([&](Source& tar) {
    const auto compressor = make_compressor(blob, choice);
    copy(tar, *compressor);
    compressor->finish();
  });
  TeeSink both(diff_hash, compressed);
  write_tar(entries, open, times, both);
  compressed.finish();

  const auto digest = blob.commit();
  return {Digest::from_hex(diff_hash.hex()), digest, blob.count(), choice.method};
}

namespace {

/// Reads a blob, and knows whether that has failed.
class WatchedSource final : public Source {
public:
  explicit WatchedSource(Source& from) : from_(from) {}

  std::size_t read(std::span<std::byte> buffer) override {
    has_failed_ = true;
    const auto count = from_.read(buffer);
    has_failed_ = false;
    return count;
  }

  bool has_failed() const noexcept { return has_failed_; }

private:
  Source& from_;
  bool has_failed_ = false;
};

void drain(Source& source, const ExpansionGauge& expansion) {
  ExpandedSource rest(source, expansion);
  std::vector<std::byte> waste(stream_block);
  while (rest.read(waste) > 0) {
  }
}

/// Runs `body`, which reads `from`. When it cannot make sense of the bytes, the rest is read all
/// the same: a source that verifies what it gives can say that they are others than those promised.
/// Not so when there is too much of it.
template<class Body>
auto explained_by(WatchedSource& from, const ExpansionGauge& expansion, Body&& body) {
  try {
    return body();
  } catch (const ExpansionExceeded&) {
    throw;
  } catch (const Error&) {
    if (!from.has_failed())
      drain(from, expansion);
    throw;
  }
}

void decompress(Source& blob, Sink& to, const ExpansionGauge& expansion) {
  WatchedSource watched(blob);
  const auto plain = explained_by(watched, expansion, [&] { return make_decompressor(watched); });
  std::vector<std::byte> block(stream_block);
  while (const auto count = explained_by(watched, expansion, [&] { return plain->read(block); }))
    to.write(std::span(block).first(count));
}

} // namespace

Digest read_layer(Source& blob, Compression /*claimed*/, const std::optional<Digest>& diff_id,
                  const EntryVisitor& visit, ExpansionLimit limit) {
  ExpansionGauge expansion(limit);
  MeasuredSource measured(blob, expansion);
  // Three threads: to decompress, to hash, and to do what the visitor wants, which may be to
  // write files. Any two of them together take longer than the third.
  ThreadSource tar([&](Sink& to) { decompress(measured, to, expansion); });
  Sha256 hash;
  ThreadSink hashing([&](Source& bytes) { copy(bytes, hash); });
  TeeSource hashed(tar, hashing);
  TarLimits limits;
  limits.expansion = &expansion;
  WatchedSource watched(hashed);
  TarReader reader(watched, limits);
  const auto next = [&] { return explained_by(watched, expansion, [&] { return reader.next(); }); };
  while (const auto entry = next())
    visit(*entry, reader);
  explained_by(watched, expansion, [&] { reader.drain(); });
  hashing.finish();

  auto found = Digest::from_hex(hash.hex());
  if (diff_id && *diff_id != found)
    throw Error("layer has diff id {} instead of {}", found.str(), diff_id->str());
  return found;
}

} // namespace cairn
