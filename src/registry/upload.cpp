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

/// Answers to a PUT of the whole blob that pieces may do better than.
bool wants_pieces(const Response& response) {
  if (response.body.find("DIGEST_INVALID") != std::string::npos)
    return false;
  constexpr std::array<int, 7> statuses = {400, 405, 411, 413, 415, 416, 501};
  return std::find(statuses.begin(), statuses.end(), response.status) != statuses.end();
}

} // namespace

std::string BlobUploader::start() const {
  return retry_.run([&] { return begin_upload(session_, access_); });
}

void BlobUploader::abandon(const std::string& location) const {
  try {
    // Some registries want a scope of its own for this, and a token more.
    static_cast<void>(session_.send(upload_request("DELETE", location), access_, LoginAgain::no));
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
  bool has_failed = false;
  const bool is_there = retry_.run([&] {
    // What was long on its way had better not begin from its start each time.
    if (std::exchange(has_failed, true) && blob.size > piece_sizes.front())
      return false;
    const auto target =
        location ? *std::exchange(location, std::nullopt) : begin_upload(session_, access_);
    auto response = put_whole(target, blob, open);
    if (response.ok())
      return true;
    // Another instance of the registry, which does not know of this upload.
    if (response.status == 404)
      throw TemporaryError("PUT {}: {}", access_.ref.name(), describe(response));
    refusal = std::move(response);
    return false;
  });
  if (is_there)
    return;
  if (!refusal || wants_pieces(*refusal))
    for (const auto size : piece_sizes)
      if (PieceUploader(session_, retry_, access_).upload(blob, open, size))
        return;
  if (refusal)
    session_.refuse(upload_request("PUT", uploads_path(access_.ref)), *refusal, access_);
  throw Error("{}: pieces of {} bytes are refused as too large", access_.ref.name(),
              piece_sizes.back());
}

Response BlobUploader::put_whole(const std::string& location, const Descriptor& blob,
                                 const BlobOpener& open) const {
  auto put = upload_request("PUT", upload_target(location, blob.digest));
  put.headers.set("Content-Type", "application/octet-stream");
  put.body = StreamBody{open, blob.size};
  return session_.send(put, access_);
}

} // namespace cairn
