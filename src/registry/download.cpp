#include "registry/download.hpp"

#include "registry/error.hpp"
#include "registry/paths.hpp"
#include "util/crypto.hpp"

namespace cairn {

namespace {

constexpr std::uint64_t real_progress = std::uint64_t{1} << 20;

/// Hashes and counts a blob, and drops the beginning of an answer that repeats what is there.
class BlobSink final : public Sink {
public:
  BlobSink(const Descriptor& blob, Sink& next) : blob_(blob), next_(next) {}

  std::uint64_t received() const noexcept { return received_; }
  /// The answer begins that many bytes before the place where the last one broke.
  void skip(std::uint64_t count) noexcept { skip_ = count; }

  void write(std::span<const std::byte> bytes) override {
    const auto repeated = std::min<std::uint64_t>(skip_, bytes.size());
    skip_ -= repeated;
    bytes = bytes.subspan(static_cast<std::size_t>(repeated));
    if (bytes.size() > blob_.size - received_)
      throw DigestMismatch("more than the {} bytes it should have came", blob_.size);
    received_ += bytes.size();
    hash_.write(bytes);
    next_.write(bytes);
  }

  /// What is there from an earlier download counts, and is not written again.
  void begin_with(Source& begun) {
    CountingSink counted(hash_);
    copy(begun, counted);
    received_ = counted.count();
    if (received_ > blob_.size)
      throw DigestMismatch("{} bytes of its {} are there", received_, blob_.size);
  }

  void verify() {
    if (received_ != blob_.size)
      throw DigestMismatch("{} bytes came instead of {}", received_, blob_.size);
    if (const auto digest = Digest::from_hex(hash_.hex()); digest != blob_.digest)
      throw DigestMismatch("the bytes that came have the digest {}, not {}", digest.str(),
                           blob_.digest.str());
  }

private:
  const Descriptor& blob_;
  Sink& next_;
  Sha256 hash_;
  std::uint64_t received_ = 0;
  std::uint64_t skip_ = 0;
};

/// Counts what has come of a part of a blob.
class PartSink final : public Sink {
public:
  PartSink(ByteRange part, Sink& next) : part_(part), next_(next) {}

  /// What is missing.
  ByteRange rest() const noexcept { return {part_.offset + received_, part_.size - received_}; }

  void write(std::span<const std::byte> bytes) override {
    if (bytes.size() > rest().size)
      throw RangeRefused("more than the {} bytes that were asked for came", part_.size);
    received_ += bytes.size();
    next_.write(bytes);
  }

private:
  ByteRange part_;
  Sink& next_;
  std::uint64_t received_ = 0;
};

void check_start(const Response& response, BlobSink& sink) {
  if (response.status != 206) {
    sink.skip(sink.received());
    return;
  }
  const auto start = range_start(response);
  if (!start || *start > sink.received())
    throw Error("the answer is not the range that was asked for");
  sink.skip(sink.received() - *start);
}

Request request_for(const Download& download, Sink& sink) {
  Request request;
  request.url = blob_path(download.access.ref, download.blob.digest);
  request.cancel = download.cancel;
  request.sink = &sink;
  return request;
}

void receive(RegistrySession& session, const Download& download, BlobSink& sink) {
  auto request = request_for(download, sink);
  request.on_success = [&](const Response& response) { check_start(response, sink); };
  if (sink.received() > 0)
    request.headers.set("Range", fmt::format("bytes={}-", sink.received()));
  const auto response = session.send(request, download.access);
  if (!response.ok())
    session.refuse(request, response, download.access);
}

void receive_part(RegistrySession& session, const Download& download, PartSink& sink) {
  const auto rest = sink.rest();
  auto request = request_for(download, sink);
  request.headers.set("Range", fmt::format("bytes={}-{}", rest.offset, rest.end() - 1));
  request.on_success = [&](const Response& response) {
    if (response.status == 200 && rest.size == download.blob.size)
      return; // It is the whole blob that was asked for.
    if (response.status != 206 || range_start(response) != rest.offset)
      throw RangeRefused("the answer is not the part that was asked for");
  };
  const auto response = session.send(request, download.access);
  // Whether there is such a blob at all is for a request without a range to find out.
  if (response.status == 400 || response.status == 416)
    throw RangeRefused("{}", describe(response));
  if (!response.ok())
    session.refuse(request, response, download.access);
  if (sink.rest().size > 0)
    throw TemporaryError("{} bytes are missing at the end of the answer", sink.rest().size);
}

/// Attempts start anew whenever a mebibyte has come in between.
template<class Received, class Attempt>
void with_retries(const Retry& retry, const Received& received, const Attempt& attempt) {
  auto last_start = received();
  for (unsigned failures = 1;; ++failures) {
    try {
      return attempt();
    } catch (TemporaryError& error) {
      if (received() - last_start >= real_progress)
        failures = 1;
      last_start = received();
      if (!retry.wait(failures, error))
        throw;
    }
  }
}

} // namespace

void download_blob(RegistrySession& session, const Retry& retry, const Download& download,
                   Sink& sink) {
  const auto& blob = download.blob;
  BlobSink verifying(blob, sink);
  if (download.begun != nullptr)
    verifying.begin_with(*download.begun);
  with_retries(
      retry, [&] { return verifying.received(); },
      [&] {
        // A connection that broke after the last byte leaves nothing to ask for.
        if (blob.size == 0 || verifying.received() < blob.size)
          receive(session, download, verifying);
        verifying.verify();
      });
}

void download_range(RegistrySession& session, const Retry& retry, const Download& download,
                    ByteRange range, Sink& sink) {
  PartSink part(range, sink);
  with_retries(
      retry, [&] { return range.size - part.rest().size; },
      [&] {
        if (part.rest().size > 0)
          receive_part(session, download, part);
      });
}

} // namespace cairn
