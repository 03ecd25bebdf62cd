#include "context/download/incoming_file.hpp"

#include "fs/archive/compress.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

namespace cairn {

namespace {

constexpr std::size_t longest_tag = 1024;

/// Servers send this although nobody asked for it, and what they mean is the file inside.
bool is_gzip_encoded(const Headers& headers) {
  const auto* encoding = headers.find("content-encoding");
  return encoding != nullptr && equals_ignoring_case(*encoding, "gzip");
}

void decode(Source& from, Sink& to, ExpansionLimit limit) {
  ExpansionGauge expansion(limit);
  MeasuredSource measured(from, expansion);
  const auto plain = make_decompressor(measured, Compression::gzip);
  ExpandedSource expanded(*plain, expansion);
  copy(expanded, to);
}

} // namespace

std::optional<std::string> IncomingFile::resume_tag() const {
  const auto* tag = headers_.find("etag");
  // A weak one may stand for other bytes (RFC 9110 13.1.5).
  if (received_ == 0 || decoder_ || tag == nullptr || !tag->starts_with('"') ||
      tag->size() > longest_tag)
    return std::nullopt;
  return *tag;
}

void IncomingFile::begin(const Response& head) {
  if (head.status != 206) {
    begin_anew(head);
    return;
  }
  if (received_ == 0 || range_start(head) != received_)
    throw Error("the answer is not the part of the file that was asked for");
}

void IncomingFile::begin_anew(const Response& head) {
  discard();
  headers_ = head.headers;
  writer_.emplace(store_);
  if (is_gzip_encoded(headers_))
    decoder_ =
        std::make_unique<ThreadSink>([this](Source& from) { decode(from, *writer_, limit_); });
}

void IncomingFile::write(std::span<const std::byte> bytes) {
  received_ += bytes.size();
  if (decoder_)
    decoder_->write(bytes);
  else
    writer_->write(bytes);
}

void IncomingFile::discard() {
  decoder_.reset();
  writer_.reset();
  headers_ = {};
  received_ = 0;
}

const Digest& IncomingFile::digest() {
  if (decoder_)
    within([&] { decoder_->finish(); }, "decode what was sent as gzip");
  decoder_.reset();
  return writer_->digest();
}

void IncomingFile::commit() {
  writer_->commit();
}

} // namespace cairn
