#include "registry/client.hpp"

#include "oci/media_type.hpp"
#include "registry/download.hpp"
#include "registry/paths.hpp"
#include "registry/session.hpp"
#include "registry/upload.hpp"
#include "util/text.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <set>
#include <utility>

namespace cairn {

namespace {

constexpr std::uint64_t max_document = std::uint64_t{8} << 20;

constexpr std::string_view schema1_type = "application/vnd.docker.distribution.manifest.v1";

/// What registries say when a tag is not to be moved.
constexpr std::array<std::string_view, 4> immutable_texts = {
    "The repository has enabled tag immutability",               // Google Artifact Registry
    "cannot be overwritten because the repository is immutable", // Amazon ECR
    "cannot be overwritten because the tag is immutable",        // Amazon ECR, later
    "configured as immutable",                                   // Harbor
};

std::string accepted_types() {
  return join({std::string(media_type::oci_index), std::string(media_type::docker_index),
               std::string(media_type::oci_manifest), std::string(media_type::docker_manifest)},
              ", ");
}

std::string content_type(const Response& response) {
  const auto* header = response.headers.find("content-type");
  return header == nullptr ? std::string() : to_lower(trim(header->substr(0, header->find(';'))));
}

std::optional<Digest> stated_digest(const Response& response) {
  const auto* header = response.headers.find("docker-content-digest");
  return header == nullptr ? std::nullopt : Digest::try_parse(trim(*header));
}

bool says_immutable(const Response& response) {
  return std::any_of(immutable_texts.begin(), immutable_texts.end(), [&](std::string_view text) {
    return response.body.find(text) != std::string::npos;
  });
}

/// The document says what it is more reliably than the server does.
std::string media_type_of(const std::string& raw, const Response& response) {
  auto type = content_type(response);
  if (type.starts_with(schema1_type))
    throw with_hint(Error("it is a Docker schema 1 manifest, which is not supported"),
                    "pull and push it again with a current tool");
  const auto document = Json::parse(raw);
  if (document.int_or("schemaVersion", 2) == 1)
    throw with_hint(Error("it is a Docker schema 1 manifest, which is not supported"),
                    "pull and push it again with a current tool");
  auto own = document.string_or("mediaType", "");
  if (!own.empty())
    return own;
  if (is_index(type) || is_manifest(type))
    return type;
  return std::string(document.find("manifests") != nullptr ? media_type::oci_index
                                                           : media_type::oci_manifest);
}

/// What is no manifest is nothing to keep or to go on with.
void require_document(const std::string& raw, const std::string& type) {
  if (is_index(type))
    static_cast<void>(Index::parse(raw, type));
  else
    static_cast<void>(Manifest::parse(raw, type));
}

ManifestBytes verified(const ImageRef& ref, Response response) {
  const auto digest = Digest::of(response.body);
  const auto expected = ref.digest() ? ref.digest() : stated_digest(response);
  if (expected && *expected != digest)
    throw Error("the bytes that came have the digest {}, not {}", digest.str(), expected->str());
  auto type = media_type_of(response.body, response);
  require_document(response.body, type);
  return {std::move(response.body), std::move(type), digest};
}

/// Ends its transfer when it goes, so that nobody waits for a blob that is not wanted any more.
class BlobSource final : public Source {
public:
  explicit BlobSource(const std::function<void(Sink&, const std::atomic<bool>*)>& produce)
      : source_([this, produce](Sink& sink) { produce(sink, &cancelled_); }) {}
  BlobSource(const BlobSource&) = delete;
  BlobSource& operator=(const BlobSource&) = delete;
  ~BlobSource() override { cancelled_ = true; }

  std::size_t read(std::span<std::byte> buffer) override { return source_.read(buffer); }

private:
  std::atomic<bool> cancelled_ = false;
  ThreadSource source_;
};

/// Has read the first bytes already, so that what keeps them from coming is told at once.
class BegunSource final : public Source {
public:
  explicit BegunSource(std::unique_ptr<Source> from)
      : from_(std::move(from)), buffer_(stream_block), end_(from_->read(buffer_)) {}

  std::size_t read(std::span<std::byte> buffer) override {
    if (at_ == end_)
      return from_->read(buffer);
    const auto count = std::min(end_ - at_, buffer.size());
    std::copy_n(buffer_.begin() + static_cast<std::ptrdiff_t>(at_), count, buffer.begin());
    at_ += count;
    return count;
  }

private:
  std::unique_ptr<Source> from_;
  std::vector<std::byte> buffer_;
  std::size_t at_ = 0;
  std::size_t end_;
};

} // namespace

namespace {

/// Which registry, and which way.
using Key = std::pair<std::string, Direction>;

/// All registries that were spoken to. Thread-safe.
class Sessions {
public:
  Sessions(const RegistryServices& services, RegistryOptions options)
      : services_(services), options_(std::move(options)) {}

  const RegistryServices& services() const noexcept { return services_; }

  RegistrySession& at(const ImageRef& ref, Direction direction) {
    const std::lock_guard lock(mutex_);
    auto& entry = sessions_[{ref.registry(), direction}];
    if (!entry)
      entry = std::make_unique<RegistrySession>(services_, options_, ref, direction);
    return *entry;
  }

private:
  const RegistryServices services_;
  const RegistryOptions options_;
  std::mutex mutex_;
  std::map<Key, std::unique_ptr<RegistrySession>> sessions_;
};

} // namespace

struct RegistryClient::State {
  State(std::shared_ptr<Sessions> all, const RetryPolicy& policy)
      : sessions(std::move(all)),
        retry(policy, make_pause(sessions->services().cancel), make_random(),
              sessions->services().clock, sessions->services().progress) {}

  RegistrySession& session(const ImageRef& ref, Direction direction) {
    return sessions->at(ref, direction);
  }

  /// A request whose failures that may pass are repeated. A registry that gave no answer then is
  /// asked once each time from then on: what needs many of its images is not to wait for each.
  Response send(const Request& request, const Access& access, Direction direction) {
    auto& there = session(access.ref, direction);
    const Key key(access.ref.registry(), direction);
    const auto send_once = [&] { return there.send(request, access); };
    try {
      auto response = is_silent(key) ? send_once() : retry.run(send_once);
      set_silent(key, false);
      return response;
    } catch (const TransientStatus&) {
      set_silent(key, false);
      throw;
    } catch (const TemporaryError&) {
      set_silent(key, true);
      throw;
    }
  }

  Response send_or_refuse(const Request& request, const Access& access, Direction direction) {
    auto response = send(request, access, direction);
    if (!response.ok())
      session(access.ref, direction).refuse(request, response, access);
    return response;
  }

  const std::shared_ptr<Sessions> sessions;
  const Retry retry;

private:
  bool is_silent(const Key& key) {
    const std::lock_guard lock(mutex_);
    return silent_.contains(key);
  }

  void set_silent(const Key& key, bool is_silent) {
    const std::lock_guard lock(mutex_);
    if (is_silent)
      silent_.insert(key);
    else
      silent_.erase(key);
  }

  std::mutex mutex_;
  std::set<Key> silent_; ///< Those whose last answer was none.
};

namespace {

Access access_to(const ImageRef& ref, Direction direction) {
  return {ref, {scope_of(ref.repository(), direction)}};
}

} // namespace

RegistryClient::RegistryClient(const RegistryServices& services, RegistryOptions options)
    : state_(std::make_unique<State>(std::make_shared<Sessions>(services, std::move(options)),
                                     services.retry)) {}

RegistryClient::RegistryClient(const RegistryClient& other, const RetryPolicy& retry)
    : state_(std::make_unique<State>(other.state_->sessions, retry)) {}

RegistryClient::~RegistryClient() = default;

std::optional<ManifestBytes> RegistryClient::get_manifest(const ImageRef& ref,
                                                          Direction direction) {
  return within(
      [&]() -> std::optional<ManifestBytes> {
        Request request;
        request.url = manifest_path(ref);
        request.headers.set("Accept", accepted_types());
        request.limit = max_document;
        const auto access = access_to(ref, direction);
        auto response = state_->send(request, access, direction);
        if (response.status == 404)
          return std::nullopt;
        if (!response.ok())
          state_->session(ref, direction).refuse(request, response, access);
        return verified(ref, std::move(response));
      },
      "get manifest of {}", ref.str());
}

std::optional<Descriptor> RegistryClient::head_manifest(const ImageRef& ref, Direction direction) {
  const auto response = within(
      [&] {
        Request request;
        request.method = "HEAD";
        request.url = manifest_path(ref);
        request.headers.set("Accept", accepted_types());
        const auto access = access_to(ref, direction);
        auto answer = state_->send(request, access, direction);
        if (!answer.ok() && answer.status != 404)
          state_->session(ref, direction).refuse(request, answer, access);
        return answer;
      },
      "check manifest of {}", ref.str());
  if (response.status == 404)
    return std::nullopt;
  const auto digest = stated_digest(response);
  const auto* length = response.headers.find("content-length");
  const auto size = length == nullptr ? std::nullopt : parse_unsigned(*length);
  if (digest && size)
    return Descriptor{content_type(response), *digest, *size};
  // Not every registry says so much.
  const auto manifest = get_manifest(ref, direction);
  if (!manifest)
    return std::nullopt;
  return Descriptor{manifest->media_type, manifest->digest, manifest->raw.size()};
}

void RegistryClient::fetch_blob(const ImageRef& repository, const Descriptor& blob, Sink& sink,
                                const std::atomic<bool>* cancel) {
  within(
      [&] {
        download_blob(state_->session(repository, Direction::pull), state_->retry,
                      {access_to(repository, Direction::pull), blob, cancel}, sink);
      },
      "get blob {} of {}", blob.digest.str(), repository.name());
}

void RegistryClient::resume_blob(const ImageRef& repository, const Descriptor& blob, Source& begun,
                                 Sink& sink) {
  within(
      [&] {
        download_blob(state_->session(repository, Direction::pull), state_->retry,
                      {access_to(repository, Direction::pull), blob, nullptr, &begun}, sink);
      },
      "get blob {} of {}", blob.digest.str(), repository.name());
}

std::unique_ptr<Source> RegistryClient::read_blob(const ImageRef& repository,
                                                  const Descriptor& blob) {
  return std::make_unique<BlobSource>(
      [this, repository, blob](Sink& sink, const std::atomic<bool>* cancel) {
        fetch_blob(repository, blob, sink, cancel);
      });
}

std::unique_ptr<Source> RegistryClient::read_blob_range(const ImageRef& repository,
                                                        const Descriptor& blob, ByteRange range) {
  auto source = std::make_unique<BlobSource>(
      [this, repository, blob, range](Sink& sink, const std::atomic<bool>* cancel) {
        within(
            [&] {
              download_range(state_->session(repository, Direction::pull), state_->retry,
                             {access_to(repository, Direction::pull), blob, cancel}, range, sink);
            },
            "get bytes {} to {} of blob {} of {}", range.offset, range.end(), blob.digest.str(),
            repository.name());
      });
  return std::make_unique<BegunSource>(std::move(source));
}

std::string RegistryClient::blob_text(const ImageRef& repository, const Descriptor& blob) {
  if (blob.size > max_document)
    throw Error("get blob {} of {}: its {} bytes are more than a document may have",
                blob.digest.str(), repository.name(), blob.size);
  TextSink text;
  fetch_blob(repository, blob, text);
  return text.text();
}

bool RegistryClient::has_blob(const ImageRef& repository, const Digest& digest,
                              Direction direction) {
  return within(
      [&] {
        Request request;
        request.method = "HEAD";
        request.url = blob_path(repository, digest);
        const auto access = access_to(repository, direction);
        const auto response = state_->send(request, access, direction);
        auto& session = state_->session(repository, direction);
        // Storage that HEAD was sent on to may refuse a link that was signed for GET.
        const bool elsewhere = !response.url.empty() && !session.is_own(response.url);
        if (!response.ok() && response.status != 404 && !elsewhere)
          session.refuse(request, response, access);
        return response.ok();
      },
      "check blob {} of {}", digest.str(), repository.name());
}

bool RegistryClient::mount_blob(const ImageRef& repository, const Digest& digest,
                                const std::string& from) {
  return within(
      [&] {
        const auto access = access_to(repository, Direction::push);
        const BlobUploader uploader(state_->session(repository, Direction::push), state_->retry,
                                    access);
        const auto result = uploader.mount(digest, from);
        if (result.location)
          uploader.abandon(*result.location);
        return result.mounted;
      },
      "mount blob {} of {} in {}", digest.str(), from, repository.name());
}

void RegistryClient::upload_blob(const ImageRef& repository, const Descriptor& blob,
                                 const BlobOpener& open) {
  within(
      [&] {
        const auto access = access_to(repository, Direction::push);
        BlobUploader(state_->session(repository, Direction::push), state_->retry, access)
            .upload(blob, open);
      },
      "upload blob {} to {}", blob.digest.str(), repository.name());
}

BlobArrival RegistryClient::push_blob(const ImageRef& repository, const Descriptor& blob,
                                      const BlobOpener& open,
                                      const std::vector<std::string>& from) {
  const auto access = access_to(repository, Direction::push);
  const BlobUploader uploader(state_->session(repository, Direction::push), state_->retry, access);
  // Mounting comes first: it also answers when the blob is there, and takes one request.
  std::optional<std::string> begun;
  for (const auto& source : from) {
    const auto result =
        within([&] { return uploader.mount(blob.digest, source); }, "mount blob {} of {} in {}",
               blob.digest.str(), source, repository.name());
    if (result.mounted)
      return BlobArrival::mounted;
    if (begun && result.location)
      uploader.abandon(*begun);
    if (result.location)
      begun = result.location;
  }
  if (has_blob(repository, blob.digest)) {
    if (begun)
      uploader.abandon(*begun);
    return BlobArrival::present;
  }
  within([&] { uploader.upload(blob, open, begun); }, "upload blob {} to {}", blob.digest.str(),
         repository.name());
  return BlobArrival::uploaded;
}

Digest RegistryClient::put_manifest(const ImageRef& ref, const std::string& raw,
                                    const std::string& media_type) {
  return within(
      [&] {
        Request request;
        request.method = "PUT";
        request.url = manifest_path(ref);
        request.headers.set("Content-Type", media_type);
        request.body = raw;
        const auto access = access_to(ref, Direction::push);
        const auto response = state_->send(request, access, Direction::push);
        if (says_immutable(response) && !response.ok())
          throw ImmutableTag("{}", describe(response));
        if (!response.ok())
          state_->session(ref, Direction::push).refuse(request, response, access);
        auto digest = Digest::of(raw);
        if (const auto stored = stated_digest(response); stored && *stored != digest)
          throw Error("the registry stored {} instead of {}", stored->str(), digest.str());
        return digest;
      },
      "put manifest of {}", ref.str());
}

void RegistryClient::check_push(const ImageRef& repository) {
  within(
      [&] {
        const auto access = access_to(repository, Direction::push);
        const BlobUploader uploader(state_->session(repository, Direction::push), state_->retry,
                                    access);
        uploader.abandon(uploader.start());
      },
      "check push permission for {}", repository.name());
}

void RegistryClient::require_answer(const ImageRef& repository, std::chrono::seconds patience,
                                    const std::atomic<bool>* cancel) {
  try {
    state_->session(repository, Direction::pull).require_answer(patience, cancel);
  } catch (const TlsError&) {
    // Flags may let pushes alone do without.
    state_->session(repository, Direction::push).require_answer(patience, cancel);
  }
}

std::optional<Credential> RegistryClient::check_login(const ImageRef& repository) {
  return within(
      [&] {
        Request request;
        request.url = "/v2/";
        const Access access{repository, {}};
        state_->send_or_refuse(request, access, Direction::push);
        return state_->session(repository, Direction::push).credential(access);
      },
      "check login to {}", repository.registry());
}

} // namespace cairn
