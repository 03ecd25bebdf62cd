#include "fs/tree/layer_writer.hpp"

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

void write_tar(const LayerEntries& entries, const ContentOpener& open, const TimeRule& times,
               Sink& to) {
  TarWriter tar(to);
  for (std::size_t n = 0; n < entries.size(); ++n) {
    auto entry = entries[n];
    entry.meta.mtime = times.apply(entry.meta.mtime);
    const auto content = entry.has_content() ? open(n) : nullptr;
    tar.add(entry, content.get());
  }
  tar.finish();
}

Layer write_layer(const LayerEntries& entries, const ContentOpener& open, const BlobStore& store,
                  const CompressionChoice& choice, const TimeRule& times) {
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

} // namespace cairn
