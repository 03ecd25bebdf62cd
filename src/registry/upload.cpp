#include "registry/upload.hpp"

#include "net/url.hpp"
#include "registry/error.hpp"
#include "registry/paths.hpp"
#include "util/text.hpp"

#include <algorithm>
#include <array>

namespace cairn {

namespace {

/// What proxies in front of registries let through: 100 MB at Cloudflare, 1 MiB at nginx.
constexpr std::array<std::uint64_t, 2> piece_sizes = {std::uint64_t{64} << 20,
                                                      std::uint64_t{1000} << 10};

/// Answers to a PUT of the whole blob that pieces may do better than.
bool wants_pieces(const Response& response) {
  if (response.body.find("DIGEST_INVALID") != std::string::npos)
    return false;
  constexpr std::array<int, 7> statuses = {400, 405, 411, 413, 415, 416, 501};
  return std::find(statuses.begin(), statuses.end(), response.status) != statuses.end();
}

std::string with_digest(const std::string& location, const Digest& digest) {
  return Url::parse(location).add_query("digest", digest.str()).str();
}

/// Gives out a blob's bytes piece by piece. A piece that is asked for again makes it start over and
/// read up to its place.
class Pieces {
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

/// "0-1023" is how registries say that they have 1024 bytes.
void check_range(const Response& response, std::uint64_t sent) {
  const auto* range = response.headers.find("range");
  if (range == nullptr)
    return;
  const auto parts = cut(*range, '-');
  const auto last = parts ? parse_unsigned(parts->second) : std::nullopt;
  if (last && *last + 1 != sent)
    throw TemporaryError("the registry has {} bytes of the {} it was sent", *last + 1, sent);
}

std::uint64_t least_piece(const Response& response) {
  const auto* header = response.headers.find("oci-chunk-min-length");
  return header == nullptr ? 0 : parse_unsigned(*header).value_or(0);
}

} // namespace

Request BlobUploader::request(const char* method, std::string url) const {
  Request made;
  made.method = method;
  made.url = std::move(url);
  return made;
}

std::string BlobUploader::start() const {
  return retry_.run([&] { return begin(); });
}

std::string BlobUploader::begin() const {
  const auto post = request("POST", uploads_path(access_.ref));
  const auto response = session_.send(post, access_);
  if (!response.ok())
    session_.refuse(post, response, access_);
  return session_.location(post, response);
}

void BlobUploader::abandon(const std::string& location) const {
  try {
    // Some registries want a scope of its own for this, and a token more.
    static_cast<void>(session_.send(request("DELETE", location), access_, LoginAgain::no));
  } catch (const Cancelled&) {
    throw;
  } catch (const Error&) {
    // Registries drop uploads that nobody finishes.
    return;
  }
}

BlobUploader::MountResult BlobUploader::mount(const Digest& digest, const std::string& from) const {
  auto access = access_;
  access.scopes.push_back(scope_of(from, Direction::pull));
  const auto ask =
      request("POST", uploads_path(access_.ref) + "?mount=" + percent_encode(digest.str()) +
                          "&from=" + percent_encode(from));
  const auto response = retry_.run([&] { return session_.send(ask, access); });
  if (response.status == 201)
    return {true};
  if (response.status != 202)
    return {};
  return {false, session_.location(ask, response)};
}

void BlobUploader::upload(const Descriptor& blob, const BlobOpener& open,
                          std::optional<std::string> location) const {
  const auto refused = retry_.run([&]() -> std::optional<Response> {
    const auto target = location ? *std::exchange(location, std::nullopt) : begin();
    auto response = put_whole(target, blob, open);
    if (response.ok())
      return std::nullopt;
    // Another instance of the registry, which does not know of this upload.
    if (response.status == 404)
      throw TemporaryError("PUT {}: {}", access_.ref.name(), describe(response));
    return response;
  });
  if (!refused)
    return;
  if (wants_pieces(*refused))
    for (const auto size : piece_sizes)
      if (retry_.run([&] { return put_pieces(blob, open, size); }))
        return;
  session_.refuse(request("PUT", uploads_path(access_.ref)), *refused, access_);
}

Response BlobUploader::put_whole(const std::string& location, const Descriptor& blob,
                                 const BlobOpener& open) const {
  auto put = request("PUT", with_digest(location, blob.digest));
  put.headers.set("Content-Type", "application/octet-stream");
  put.body = StreamBody{open, blob.size};
  return session_.send(put, access_);
}

bool BlobUploader::put_pieces(const Descriptor& blob, const BlobOpener& open,
                              std::uint64_t piece) const {
  Pieces pieces(open);
  auto location = begin();
  for (std::uint64_t offset = 0; offset < blob.size;) {
    const auto size = std::min(piece, blob.size - offset);
    auto patch = request("PATCH", location);
    patch.headers.set("Content-Type", "application/octet-stream");
    patch.headers.set("Content-Range", fmt::format("{}-{}", offset, offset + size - 1));
    patch.body = StreamBody{[&, offset, size] { return pieces.piece(offset, size); }, size};
    const auto response = session_.send(patch, access_);
    if (response.status == 413)
      return false;
    if (!response.ok())
      session_.refuse(patch, response, access_);
    offset += size;
    check_range(response, offset);
    if (response.headers.find("location") != nullptr)
      location = session_.location(patch, response);
    piece = std::max(piece, least_piece(response));
  }
  finish(location, blob);
  return true;
}

void BlobUploader::finish(const std::string& location, const Descriptor& blob) const {
  const auto put = request("PUT", with_digest(location, blob.digest));
  const auto response = session_.send(put, access_);
  if (!response.ok())
    session_.refuse(put, response, access_);
}

} // namespace cairn
