#include "context/download/downloader.hpp"

#include "context/download/incoming_file.hpp"
#include "net/content_disposition.hpp"
#include "net/redact.hpp"
#include "net/redirect.hpp"
#include "net/transient_status.hpp"
#include "net/url.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

#include <algorithm>

namespace cairn {

namespace {

constexpr int not_modified = 304;
constexpr int range_not_satisfiable = 416;
constexpr std::uint64_t real_progress = std::uint64_t{1} << 20;
constexpr std::size_t longest_validator = 1024;

/// Secrets come from files, which end with a line break.
std::string_view secret_text(const std::string& secret) {
  return trim(secret);
}

/// The Authorization header for a host; "" without a secret for it. As in BuildKit the token
/// wins.
std::string authorization_for(const std::map<std::string, std::string>& secrets,
                              std::string_view host) {
  std::string header;
  std::string token;
  for (const auto& [id, value] : secrets) {
    constexpr std::string_view header_prefix = "HTTP_AUTH_HEADER_";
    constexpr std::string_view token_prefix = "HTTP_AUTH_TOKEN_";
    const std::string_view name = id;
    if (name.starts_with(header_prefix) &&
        equals_ignoring_case(name.substr(header_prefix.size()), host))
      header = secret_text(value);
    else if (name.starts_with(token_prefix) &&
             equals_ignoring_case(name.substr(token_prefix.size()), host))
      token = "Bearer " + std::string(secret_text(value));
  }
  return token.empty() ? header : token;
}

std::string validator(const Headers& headers, std::string_view name) {
  const auto* value = headers.find(name);
  return value != nullptr && value->size() <= longest_validator ? *value : std::string();
}

DownloadRecord record_of(const Digest& digest, const Headers& headers) {
  DownloadRecord record{digest, validator(headers, "etag"), validator(headers, "last-modified"),
                        ""};
  if (const auto* header = headers.find("content-disposition"))
    if (auto name = suggested_file_name(*header); name && is_file_name(*name))
      record.suggested_name = *std::move(name);
  return record;
}

void add_conditions(Headers& headers, const DownloadRecord& kept) {
  if (!kept.etag.empty())
    headers.set("If-None-Match", kept.etag);
  else if (!kept.last_modified.empty())
    headers.set("If-Modified-Since", kept.last_modified);
}

Response send(Http& http, const Request& request) {
  try {
    return http.send(request);
  } catch (TlsError& error) {
    error.add_hint("SSL_CERT_FILE and SSL_CERT_DIR say who is trusted; what is allowed for a "
                   "registry does not count for downloads");
    throw;
  } catch (PlaintextRedirect& error) {
    error.add_hint("a file whose --checksum is known may come over plain HTTP");
    throw;
  }
}

/// A success, or an error that says what would help.
void require_file(const Request& request, const Response& response) {
  try {
    require_success(request, response);
  } catch (Error& error) {
    if (response.status == 401 || response.status == 403) {
      const auto host = std::string(Url::parse(request.url).address());
      error.add_hint(
          request.authorization.empty()
              ? fmt::format("--secret id=HTTP_AUTH_TOKEN_{} gives a token for {}", host, host)
              : fmt::format("the secret for {} was sent", host));
    }
    throw;
  }
}

} // namespace

Downloader::Downloader(DownloadServices services, std::vector<std::string> directories)
    : services_(services), directories_(std::move(directories)),
      retry_(services.retry, make_pause(&services.cancel, &stopped_), make_random(), system_now,
             services.progress) {}

const DownloadStore& Downloader::store() {
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; !store_; ++i) {
    try {
      store_.emplace(directories_.at(i));
    } catch (const Error& error) {
      if (i + 1 == directories_.size())
        throw;
      services_.progress.warn("{}; downloads are not kept", error.what());
    }
  }
  return *store_;
}

const DownloadStore& Downloader::store_with(const Digest& digest) {
  return also_ && !store().blobs().has(digest) ? *also_ : store();
}

const DownloadStore& Downloader::store_with(const std::string& url) {
  return also_ && !store().find(url) ? *also_ : store();
}

DownloadedFile Downloader::fetch(const UrlSource& source) {
  auto kept = known(source);
  auto file = kept ? *std::move(kept) : download(source);
  file.limit = services_.limit;
  return file;
}

/// What no server has to be asked for.
std::optional<DownloadedFile> Downloader::known(const UrlSource& source) {
  if (!source.checksum)
    return std::nullopt;
  auto kept = store_with(*source.checksum).open_kept(*source.checksum);
  if (!kept)
    return std::nullopt;
  services_.progress.info("Using the kept file {} of {}", kept->digest.str(),
                          redact_url(source.url));
  if (const auto record = store_with(source.url).find(source.url);
      record && record->digest == kept->digest)
    kept->suggested_name = record->suggested_name;
  return kept;
}

DownloadedFile Downloader::download(const UrlSource& source) {
  const auto& known = store_with(source.url);
  auto record = known.find(source.url);
  auto kept = record && !source.checksum ? known.open_kept(*record) : std::nullopt;
  if (!kept)
    record.reset();
  const auto shown = redact_url(source.url);
  services_.progress.info("Downloading {}", shown);
  IncomingFile incoming(store().blobs(), services_.limit);
  const auto response = receive(source, record, incoming);
  if (response.status == not_modified) {
    services_.progress.info("Using the kept file {} of {}", kept->digest.str(), shown);
    return *std::move(kept);
  }
  const auto& digest = within([&]() -> const Digest& { return incoming.digest(); }, "{}", shown);
  if (source.checksum && digest != *source.checksum)
    throw Error("digest mismatch for {}: {} (expected: {})", shown, digest.str(),
                source.checksum->str());
  incoming.commit();
  const auto stored = record_of(digest, incoming.headers());
  store().remember(source.url, stored);
  return store().open(stored);
}

Response Downloader::receive(const UrlSource& source, const std::optional<DownloadRecord>& kept,
                             IncomingFile& incoming) {
  std::uint64_t farthest = 0;
  for (unsigned failures = 1;; ++failures) {
    try {
      return attempt(source, kept, incoming);
    } catch (TemporaryError& error) {
      if (incoming.received() >= farthest + real_progress) {
        farthest = incoming.received();
        failures = 1;
      }
      if (!retry_.wait(failures, error))
        throw;
    }
  }
}

Response Downloader::attempt(const UrlSource& source, const std::optional<DownloadRecord>& kept,
                             IncomingFile& incoming) {
  bool begun = false;
  Request request;
  request.url = source.url;
  request.headers.set("Accept-Encoding", "identity");
  request.authorization =
      authorization_for(services_.secrets, std::string(Url::parse(source.url).address()));
  request.sink = &incoming;
  request.on_success = [&](const Response& head) {
    within([&] { incoming.begin(head); }, "{}", describe(request));
    begun = true;
  };
  // Whoever can change what comes over plain HTTP cannot change what it adds up to.
  request.plaintext = source.checksum ? Plaintext::allow : Plaintext::refuse;
  request.cancel = &stopped_;
  const auto tag = incoming.resume_tag();
  if (tag) {
    request.headers.set("Range", fmt::format("bytes={}-", incoming.received()));
    request.headers.set("If-Range", *tag);
  } else if (kept) {
    add_conditions(request.headers, *kept);
  }
  auto response = send(services_.http, request);
  if (response.status == not_modified && kept && !tag)
    return response;
  if (response.status == range_not_satisfiable && tag) {
    incoming.discard();
    throw TemporaryError("{}: {}", describe(request), describe(response));
  }
  require_file(request, response);
  // An empty body is never announced.
  if (!begun)
    incoming.begin(response);
  return response;
}

} // namespace cairn
