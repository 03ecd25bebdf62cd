#include "registry/upload_pieces.hpp"

#include "net/url.hpp"
#include "registry/paths.hpp"
#include "util/text.hpp"

#include <algorithm>

namespace cairn {

namespace {

constexpr unsigned max_uploads = 4;

/// "0-1023" is how registries say that they have 1024 bytes, and often "0-0" that they have none.
std::optional<std::uint64_t> received(const Response& response) {
  const auto* range = response.headers.find("range");
  const auto parts = range != nullptr ? cut(*range, '-') : std::nullopt;
  const auto last = parts ? parse_unsigned(parts->second) : std::nullopt;
  if (!last)
    return std::nullopt;
  return *last == 0 ? 0 : *last + 1;
}

std::uint64_t least_piece(const Response& response) {
  const auto* header = response.headers.find("oci-chunk-min-length");
  return header == nullptr ? 0 : parse_unsigned(*header).value_or(0);
}

} // namespace

std::string begin_upload(RegistrySession& session, const Access& access) {
  const auto post = upload_request("POST", uploads_path(access.ref));
  const auto response = session.send(post, access);
  if (!response.ok())
    session.refuse(post, response, access);
  return session.location(post, response);
}

Request upload_request(const char* method, std::string url) {
  Request made;
  made.method = method;
  made.url = std::move(url);
  return made;
}

std::string upload_target(const std::string& location, const Digest& digest) {
  return Url::parse(location).add_query("digest", digest.str()).str();
}

/// Gives out a blob's bytes piece by piece. A piece that is asked for again makes it start over and
/// read up to its place.
class PieceUploader::Pieces {
public:
  explicit Pieces(const BlobOpener& open) : open_(open) {}

  std::unique_ptr<Source> piece(std::uint64_t offset, std::uint64_t size) {
    if (!source_ || position_ != offset)
      reopen(offset);
    return std::make_unique<Piece>(*this, size);
  }

private:
  class Piece final : public Source {
  public:
    Piece(Pieces& from, std::uint64_t size) : from_(from), left_(size) {}

    std::size_t read(std::span<std::byte> buffer) override {
      const auto wanted = std::min<std::uint64_t>(left_, buffer.size());
      const auto count = from_.read(buffer.first(static_cast<std::size_t>(wanted)));
      left_ -= count;
      return count;
    }

  private:
    Pieces& from_;
    std::uint64_t left_;
  };

  std::size_t read(std::span<std::byte> buffer) {
    if (buffer.empty())
      return 0;
    const auto count = source_->read(buffer);
    position_ += count;
    return count;
  }

  void reopen(std::uint64_t offset) {
    source_ = open_();
    position_ = 0;
    std::vector<std::byte> waste(stream_block);
    while (position_ < offset) {
      const auto wanted = std::min<std::uint64_t>(offset - position_, waste.size());
      if (read(std::span(waste).first(static_cast<std::size_t>(wanted))) == 0)
        throw Error("the blob has only {} bytes", position_);
    }
  }

  const BlobOpener& open_;
  std::unique_ptr<Source> source_;
  std::uint64_t position_ = 0;
};

bool PieceUploader::upload(const Descriptor& blob, const BlobOpener& open, std::uint64_t piece) {
  Pieces pieces(open);
  while (location_.empty() || offset_ < blob.size) {
    bool is_known = !location_.empty();
    const auto result = retry_.run([&] {
      if (!std::exchange(is_known, false))
        resume();
      const auto size = std::max(piece, at_least_);
      return send(pieces, std::min(size, blob.size - offset_));
    });
    if (result == PieceResult::too_large)
      return false;
  }
  retry_.run([&] { finish(blob); });
  return true;
}

/// Finds out where to go on: at a new upload, if the registry does not know this one any more.
void PieceUploader::resume() {
  if (!location_.empty()) {
    const auto ask = upload_request("GET", location_);
    const auto response = session_.send(ask, access_);
    if (const auto count = received(response); response.ok() && count && *count > 0) {
      offset_ = *count;
      if (response.headers.find("location") != nullptr)
        location_ = session_.location(ask, response);
      return;
    }
  }
  if (++uploads_ > max_uploads)
    throw TemporaryError("{}: the registry forgets the upload again and again", access_.ref.name());
  location_ = begin_upload(session_, access_);
  offset_ = 0;
}

PieceUploader::PieceResult PieceUploader::send(Pieces& pieces, std::uint64_t size) {
  if (size == 0)
    return PieceResult::taken;
  auto patch = upload_request("PATCH", location_);
  patch.headers.set("Content-Type", "application/octet-stream");
  patch.headers.set("Content-Range", fmt::format("{}-{}", offset_, offset_ + size - 1));
  patch.body = StreamBody{[&, offset = offset_] { return pieces.piece(offset, size); }, size};
  const auto response = session_.send(patch, access_);
  if (response.status == 413)
    return PieceResult::too_large;
  // Not where it has come to, or not there at all: some instances of a registry lag behind.
  if (response.status == 416 || response.status == 404)
    throw TemporaryError("PATCH {}: {}", access_.ref.name(), describe(response));
  if (!response.ok())
    session_.refuse(patch, response, access_);
  if (const auto count = received(response); count && *count != offset_ + size && *count != 0)
    throw TemporaryError("the registry has {} bytes of the {} it was sent", *count, offset_ + size);
  offset_ += size;
  if (response.headers.find("location") != nullptr)
    location_ = session_.location(patch, response);
  at_least_ = least_piece(response);
  return PieceResult::taken;
}

void PieceUploader::finish(const Descriptor& blob) {
  auto put = upload_request("PUT", upload_target(location_, blob.digest));
  put.earlier_bytes = blob.size;
  const auto response = session_.send(put, access_);
  if (!response.ok())
    session_.refuse(put, response, access_);
}

} // namespace cairn
