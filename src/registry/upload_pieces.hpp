#pragma once

#include "net/retry.hpp"
#include "oci/manifest.hpp"
#include "registry/blob_opener.hpp"
#include "registry/session.hpp"

#include <cstdint>
#include <string>

namespace cairn {

/// The Location of a new upload, in one attempt. @throws Error when we may not push
std::string begin_upload(RegistrySession& session, const Access& access);

Request upload_request(const char* method, std::string url);

/// Where an upload is finished: its location, with the digest.
std::string upload_target(const std::string& location, const Digest& digest);

/// A blob on its way in several PATCH requests (OCI distribution specification, Pushing a blob in
/// chunks). After a piece that broke off the registry is asked how far it came.
class PieceUploader {
public:
  /// All borrowed. `access` allows to push.
  PieceUploader(RegistrySession& session, const Retry& retry, const Access& access)
      : session_(session), retry_(retry), access_(access) {}

  /// To be called once. False when pieces of `piece` bytes are refused as too large. @throws Error
  bool upload(const Descriptor& blob, const BlobOpener& open, std::uint64_t piece);

private:
  class Pieces;

  enum class PieceResult { taken, too_large };
  PieceResult send(Pieces& pieces, std::uint64_t size);
  void resume();
  void finish(const Descriptor& blob);

  RegistrySession& session_;
  const Retry& retry_;
  const Access& access_;
  std::string location_;
  unsigned uploads_ = 0;
  std::uint64_t offset_ = 0;   ///< What the registry has.
  std::uint64_t at_least_ = 0; ///< The size of pieces that the registry asks for.
};

} // namespace cairn
