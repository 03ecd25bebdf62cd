#pragma once

#include "net/retry.hpp"
#include "oci/manifest.hpp"
#include "registry/blob_opener.hpp"
#include "registry/session.hpp"

#include <optional>
#include <string>

namespace cairn {

/// Blobs on their way into one repository (OCI distribution specification, Pushing blobs).
class BlobUploader {
public:
  /// All borrowed. `access` allows to push.
  BlobUploader(RegistrySession& session, const Retry& retry, const Access& access)
      : session_(session), retry_(retry), access_(access) {}

  struct MountResult {
    bool mounted = false;
    /// Otherwise the upload that the registry began in its place, if it did.
    std::optional<std::string> location = std::nullopt;
  };
  /// Asks for the blob of repository `from` on the same registry. What the registry does not want
  /// to do is no error.
  MountResult mount(const Digest& digest, const std::string& from) const;

  /// In one PUT; in pieces when the registry or a proxy before it refuses that, or has refused it
  /// before, or when a large blob broke off on its way. `location` is an upload that has begun
  /// already.
  void upload(const Descriptor& blob, const BlobOpener& open,
              std::optional<std::string> location = std::nullopt) const;

  /// The Location of a new upload. @throws Error when we may not push
  std::string start() const;
  /// Drops an upload; quiet when the registry cannot.
  void abandon(const std::string& location) const;

private:
  struct Outcome;
  Outcome try_whole(const Descriptor& blob, const BlobOpener& open,
                    std::optional<std::string> location) const;
  /// False when even small pieces are refused as too large.
  bool upload_pieces(const Descriptor& blob, const BlobOpener& open) const;
  Response put_whole(const std::string& location, const Descriptor& blob,
                     const BlobOpener& open) const;

  RegistrySession& session_;
  const Retry& retry_;
  const Access& access_;
};

} // namespace cairn
