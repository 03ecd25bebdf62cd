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

namespace {

void write_entries(const std::vector<LayerEntry>& entries, const ContentOpener& open,
                   const TimeRule& times, Sink& to) {
  TarWriter tar(to);
  for (std::size_t n = 0; n < entries.size(); ++n) {
    auto entry = entries[n];
    entry.meta.mtime = times.apply(entry.meta.mtime);
    const bool has_content =
        entry.meta.type == FileType::regular && !entry.hard_link && entry.meta.size != 0;
    const auto content = has_content ? open(n) : nullptr;
    tar.add(entry, content.get());
  }
  tar.finish();
}

} // namespace

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
  write_entries(entries, open, times, both);
  compressed.finish();

  const auto digest = blob.commit();
  return {Digest::from_hex(diff_hash.hex()), digest, blob.count(), choice.method};
}

Digest read_layer(Source& blob, Compression /*claimed*/, const std::optional<Digest>& diff_id,
                  const EntryVisitor& visit, ExpansionLimit limit) {
  ExpansionGauge expansion(limit);
  MeasuredSource measured(blob, expansion);
  // Three threads: to decompress, to hash, and to do what the visitor wants, which may be to
  // write files. Any two of them together take longer than the third.
  ThreadSource tar([&](Sink& to) {
    const auto plain = make_decompressor(measured);
    copy(*plain, to);
  });
  Sha256 hash;
  ThreadSink hashing([&](Source& bytes) { copy(bytes, hash); });
  TeeSource hashed(tar, hashing);
  TarLimits limits;
  limits.expansion = &expansion;
  TarReader reader(hashed, limits);
  while (const auto entry = reader.next())
    visit(*entry, reader);
  reader.drain();
  hashing.finish();

  auto found = Digest::from_hex(hash.hex());
  if (diff_id && *diff_id != found)
    throw Error("layer has diff id {} instead of {}", found.str(), diff_id->str());
  return found;
}

} // namespace cairn
