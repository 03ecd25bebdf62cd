#include "fs/archive/read_layer.hpp"

#include "fs/archive/compress.hpp"
#include "util/crypto.hpp"
#include "util/error.hpp"
#include "util/stream.hpp"

#include <span>
#include <vector>

namespace cairn {

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

Digest read_layer(Source& blob, const std::optional<Digest>& diff_id, const EntryVisitor& visit,
                  ExpansionLimit limit) {
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
