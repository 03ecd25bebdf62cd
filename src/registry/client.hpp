#pragma once

#include "oci/blob_ranges.hpp"
#include "oci/manifest.hpp"
#include "oci/reference.hpp"
#include "registry/blob_opener.hpp"
#include "registry/error.hpp"
#include "registry/options.hpp"
#include "registry/services.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace cairn {

/// A manifest or index as a registry sent it; verified against the digest that was asked for, or
/// the one that the registry claims.
struct ManifestBytes {
  std::string raw;
  std::string media_type;
  Digest digest;
};

/// How a blob came to be in a repository.
enum class BlobArrival { present, mounted, uploaded };

/// The distribution protocol with any number of registries (OCI distribution specification 1.1).
/// An ImageRef names the registry and repository; where a manifest is wanted also its tag or
/// digest. Thread-safe. Requests are repeated after failures that may pass; what stays is a
/// TemporaryError. Errors name the reference, the credential and what the registry said.
class RegistryClient {
public:
  RegistryClient(const RegistryServices& services, RegistryOptions options);
  /// The same registries, logins and all that is known of them, with another patience.
  RegistryClient(const RegistryClient& other, const RetryPolicy& retry);
  RegistryClient(const RegistryClient&) = delete;
  RegistryClient& operator=(const RegistryClient&) = delete;
  ~RegistryClient();

  /// Nothing when the registry does not have it. At most 8 MiB. @throws Error
  std::optional<ManifestBytes> get_manifest(const ImageRef& ref,
                                            Direction direction = Direction::pull);
  /// Its descriptor without fetching it. Nothing when it is not there.
  std::optional<Descriptor> head_manifest(const ImageRef& ref,
                                          Direction direction = Direction::pull);

  /// Writes the blob to `sink`, verifying digest and size; a dropped connection is resumed where
  /// it broke. Throws before sink.finish() would be due, which is left to the caller.
  /// @throws Error, also when the blob is not there
  void fetch_blob(const ImageRef& repository, const Descriptor& blob, Sink& sink,
                  const std::atomic<bool>* cancel = nullptr);
  /// The same of a blob whose beginning is there already: `begun` gives it, and `sink` gets the
  /// rest.
  void resume_blob(const ImageRef& repository, const Descriptor& blob, Source& begun, Sink& sink);
  /// The same read ahead in a thread: read() throws instead of returning 0 when the bytes are not
  /// those of `blob`. The client must outlive the Source.
  std::unique_ptr<Source> read_blob(const ImageRef& repository, const Descriptor& blob);
  /// A part of a blob, read ahead like this. Its first bytes are there when this returns; nobody
  /// has verified them. read() throws instead of returning 0 when some are missing.
  /// @throws RangeRefused when the registry sends other parts than it is asked for; Error
  std::unique_ptr<Source> read_blob_range(const ImageRef& repository, const Descriptor& blob,
                                          ByteRange range);
  /// A small blob as text, a config for instance. @throws Error when larger than 8 MiB
  std::string blob_text(const ImageRef& repository, const Descriptor& blob);

  bool has_blob(const ImageRef& repository, const Digest& digest,
                Direction direction = Direction::push);
  /// True when the registry took the blob over from its repository `from`.
  bool mount_blob(const ImageRef& repository, const Digest& digest, const std::string& from);
  void upload_blob(const ImageRef& repository, const Descriptor& blob, const BlobOpener& open);
  /// HEAD, mount from each of `from`, upload: the first that works.
  BlobArrival push_blob(const ImageRef& repository, const Descriptor& blob, const BlobOpener& open,
                        const std::vector<std::string>& from = {});

  /// Under the tag or digest of `ref`. @throws ImmutableTag; Error
  Digest put_manifest(const ImageRef& ref, const std::string& raw, const std::string& media_type);

  /// Begins an upload and abandons it: may we push? @throws Error
  void check_push(const ImageRef& repository);
  /// GET /v2/ once, for which any answer will do: is there a registry? @throws TlsError;
  /// TemporaryError when none came in that time
  void require_answer(const ImageRef& repository, std::chrono::seconds patience,
                      const std::atomic<bool>* cancel = nullptr);
  /// GET /v2/ with the credential for `repository`: can we log in? The credential that was used.
  std::optional<Credential> check_login(const ImageRef& repository);

private:
  struct State;
  std::unique_ptr<State> state_;
};

} // namespace cairn
