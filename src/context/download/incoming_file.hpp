#pragma once

#include "fs/archive/expansion.hpp"
#include "net/http.hpp"
#include "oci/blob_store.hpp"
#include "util/stream.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace cairn {

/// A file on its way into a store: begun anew with each answer, or taken up where the last one
/// broke off. Without commit() nothing remains.
class IncomingFile final : public Sink {
public:
  /// `store` must outlive it. `limit` is of what is sent compressed.
  IncomingFile(const BlobStore& store, ExpansionLimit limit) : store_(store), limit_(limit) {}
  IncomingFile(const IncomingFile&) = delete;
  IncomingFile& operator=(const IncomingFile&) = delete;

  /// The entity tag by which the rest can be asked for; nothing when it has to be all of it.
  std::optional<std::string> resume_tag() const;
  /// Bytes that have come, as they were sent.
  std::uint64_t received() const noexcept { return received_; }

  /// The head of an answer with status 200 or 206 (Request::on_success). @throws Error
  void begin(const Response& head);
  void write(std::span<const std::byte> bytes) override;
  /// Forgets what has come.
  void discard();

  /// The head of the answer that began it. @pre begun
  const Headers& headers() const noexcept { return headers_; }
  /// No more bytes come. What they are in the end; nothing may be written after it.
  const Digest& digest();
  /// Names the file by its digest.
  void commit();

private:
  void begin_anew(const Response& head);

  const BlobStore& store_;
  ExpansionLimit limit_;
  std::optional<BlobStore::Writer> writer_;
  std::unique_ptr<ThreadSink> decoder_; ///< Writes into writer_, so that it goes first.
  Headers headers_;
  std::uint64_t received_ = 0;
};

} // namespace cairn
