#include "registry/upload.hpp"

#include "net/url.hpp"
#include "registry/error.hpp"
#include "registry/paths.hpp"
#include "registry/upload_pieces.hpp"
#include "util/text.hpp"

#include <algorithm>
#include <array>

namespace cairn {

namespace {

/// What proxies in front of registries let through: 100 MB at Cloudflare, 1 MiB at nginx.
constexpr std::array<std::uint64_t, 2> piece_sizes = {std::uint64_t{64} << 20,
                                                      std::uint64_t{1000} << 10};

constexpr int not_found = 404;
constexpr int too_large = 413;

bool says(const Response& response, std::string_view code) {
  return response.body.find(code) != std::string::npos;
}

/// Answers to a PUT of the whole blob that pieces may do better than.
bool wants_pieces(const Response& response) {
  if (says(response, "DIGEST_INVALID"))
    return false;
  constexpr std::array<int, 8> statuses = {400, not_found, 405, 411, too_large, 415, 416, 501};
  return std::find(statuses.begin(), statuses.end(), response.status) != statuses.end();
}

/// Another instance of the registry, which does not know of this upload; or one that knows uploads
/// in pieces alone.
bool is_unknown_upload(const Response& response) {
  return response.status == not_found && says(response, "BLOB_UPLOAD_UNKNOWN");
}

} // namespace

/// What became of a blob that was to go in one PUT.
struct BlobUploader::Outcome {
  bool is_there = false;
  /// Otherwise why not; nothing when its connection broke, and it is too large to begin again.
  std::optional<Response> refusal = std::nullopt;
};

std::string BlobUploader::start() const {
  return retry_.run([&] { return begin_upload(session_, access_); });
}

void BlobUploader::abandon(const std::string& location) const {
  try {
    // Some registries want a scope of its own for this, and a token more.
    static_cast<void>(session_.send(upload_request("DELETE", location), access_, LoginAgain::no));
  } catch (const Error&) {
    // Registries drop uploads that nobody finishes.
    return;
  }
}

BlobUploader::MountResult BlobUploader::mount(const Digest& digest, const std::string& from) const {
  auto access = access_;
  access.scopes.push_back(scope_of(from, Direction::pull));
  const auto ask =
      upload_request("POST", uploads_path(access_.ref) + "?mount=" + percent_encode(digest.str()) +
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
  std::optional<Response> refusal;
  if (!session_.wants_pieces()) {
    auto outcome = try_whole(blob, open, std::move(location));
    if (outcome.is_there)
      return;
    refusal = std::move(outcome.refusal);
  } else if (location) {
    abandon(*location);
  }
  if (refusal && !wants_pieces(*refusal))
    session_.refuse(upload_request("PUT", uploads_path(access_.ref)), *refusal, access_);
  if (!upload_pieces(blob, open))
    throw Error("{}: pieces of {} bytes are refused as too large", access_.ref.name(),
                piece_sizes.back());
  // A limit is one of size, and says nothing about other blobs.
  if (refusal && refusal->status != too_large && !is_unknown_upload(*refusal))
    session_.set_wants_pieces();
}

BlobUploader::Outcome BlobUploader::try_whole(const Descriptor& blob, const BlobOpener& open,
                                              std::optional<std::string> location) const {
  bool has_failed = false;
  bool was_unknown = false;
  return retry_.run([&]() -> Outcome {
    // What was long on its way had better not begin from its start each time.
    if (std::exchange(has_failed, true) && blob.size > piece_sizes.front())
      return {};
    const auto target =
        location ? *std::exchange(location, std::nullopt) : begin_upload(session_, access_);
    auto response = put_whole(target, blob, open);
    if (response.ok())
      return {.is_there = true};
    if (is_unknown_upload(response) && !std::exchange(was_unknown, true))
      throw TemporaryError("PUT {}: {}", access_.ref.name(), describe(response));
    return {.is_there = false, .refusal = std::move(response)};
  });
}

bool BlobUploader::upload_pieces(const Descriptor& blob, const BlobOpener& open) const {
  return std::any_of(piece_sizes.begin(), piece_sizes.end(), [&](std::uint64_t size) {
    return PieceUploader(session_, retry_, access_).upload(blob, open, size);
  });
}

Response BlobUploader::put_whole(const std::string& location, const Descriptor& blob,
                                 const BlobOpener& open) const {
  auto put = upload_request("PUT", upload_target(location, blob.digest));
  put.headers.set("Content-Type", "application/octet-stream");
  put.body = StreamBody{open, blob.size};
  return session_.send(put, access_);
}

} // namespace cairn
