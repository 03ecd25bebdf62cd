#include "context/git/git_http.hpp"

#include "net/redact.hpp"
#include "net/redirect.hpp"
#include "net/transient_status.hpp"
#include "net/url.hpp"
#include "util/error.hpp"
#include "util/stream.hpp"
#include "util/text.hpp"

#include <utility>

namespace cairn {

namespace {

constexpr std::string_view refs_suffix = "/info/refs?service=git-upload-pack";
constexpr std::string_view pack_suffix = "/git-upload-pack";
constexpr int most_redirects = 5;
/// What a client says it wants and has; a few hundred bytes as a rule.
constexpr std::size_t largest_request = std::size_t{64} << 20;

bool is_redirect(int status) {
  constexpr int moved = 301;
  constexpr int found = 302;
  constexpr int temporary = 307;
  constexpr int permanent = 308;
  return status == moved || status == found || status == temporary || status == permanent;
}

/// What all requests to one repository have in common. The streams of a wire share it.
struct Endpoint {
  Http& http;
  std::string base; ///< Moves when the server redirects.
  GitHttpOptions options;
  std::string host;
  std::optional<AddressScope> led_from = std::nullopt;

  Request request(std::string_view suffix) const {
    Request request;
    request.url = base + std::string(suffix);
    // Some servers show a page for people to anyone else.
    request.headers.add("User-Agent", "git/2.0 (cairn)");
    request.authorization = options.authorization.header;
    request.redirects = Redirects::keep;
    request.tls = options.tls;
    request.led_from = led_from;
    request.tempo = Tempo::bursts; // It counts and compresses objects for a while.
    request.cancel = options.stop;
    return request;
  }

  /// @throws Error for any answer but success
  void require(const Request& request, const Response& response) const {
    constexpr int unauthorized = 401;
    constexpr int forbidden = 403;
    constexpr int not_found = 404;
    const auto status = response.status;
    if (status != unauthorized && status != forbidden && status != not_found) {
      require_success(request, response);
      return;
    }
    const auto& source = options.authorization.source;
    throw with_hint(Error("{}: {}", describe(request), describe(response)),
                    source.empty() ? "for a repository that is not public give its token: "
                                     "--secret id=GIT_AUTH_TOKEN." +
                                         host
                                   : "the credential was that of " + source);
  }

  void require_type(const Request& request, const Response& response,
                    std::string_view wanted) const {
    const auto* type = response.headers.find("content-type");
    if (type == nullptr || trim(*type).substr(0, type->find(';')) != wanted)
      throw with_hint(
          Error("{}: the server does not speak git's smart protocol", describe(request)),
          "is this the address of a git repository?");
  }
};

/// Reads the answer to one request while it arrives.
class HttpStream final : public GitStream {
public:
  HttpStream(std::shared_ptr<Endpoint> endpoint, GitWire::Ask ask)
      : endpoint_(std::move(endpoint)), ask_(ask) {}

  std::size_t read(std::span<std::byte> buffer) override {
    if (!answer_)
      answer_ = std::make_unique<ThreadSource>(
          [endpoint = endpoint_, ask = ask_, body = std::exchange(body_, {})](Sink& to) {
            if (ask == GitWire::Ask::refs)
              fetch_refs(*endpoint, to);
            else
              fetch_pack(*endpoint, body, to);
          });
    return answer_->read(buffer);
  }

  void write(std::span<const std::byte> bytes) override {
    if (body_.size() + bytes.size() > largest_request)
      throw Error("{}: the request is too large", endpoint_->host);
    body_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }

private:
  static void fetch_refs(Endpoint& endpoint, Sink& to) {
    for (int count = 0;; ++count) {
      auto request = endpoint.request(refs_suffix);
      request.sink = &to;
      request.on_success = [&](const Response& response) {
        endpoint.require_type(request, response, "application/x-git-upload-pack-advertisement");
      };
      const auto response = endpoint.http.send(request);
      if (!is_redirect(response.status)) {
        endpoint.require(request, response);
        return;
      }
      if (count == most_redirects)
        throw Error("{}: more than {} redirects", describe(request), most_redirects);
      follow(endpoint, request, response);
    }
  }

  /// As git does it: all further requests go where the first was sent.
  static void follow(Endpoint& endpoint, const Request& request, const Response& response) {
    const auto* location = response.headers.find("location");
    const auto from = Url::parse(request.url);
    const auto to = location != nullptr ? from.resolve(*location).str() : std::string();
    if (!to.ends_with(refs_suffix))
      throw with_hint(Error("{}: redirected to {}, which is no git repository", describe(request),
                            redact_url(to)),
                      "a login page, perhaps: for a repository that is not public give its token "
                      "with --secret id=GIT_AUTH_TOKEN." +
                          endpoint.host);
    const auto next = Url::parse(to);
    if (from.scheme == "https" && next.scheme == "http")
      throw Error("{}: redirected from https to http", describe(request));
    if (next.origin() != from.origin()) {
      endpoint.options.authorization = {};
      endpoint.options.tls = nullptr;
    }
    endpoint.led_from = cairn::led_from(request, response);
    endpoint.base = to.substr(0, to.size() - refs_suffix.size());
  }

  static void fetch_pack(Endpoint& endpoint, const std::string& body, Sink& to) {
    auto request = endpoint.request(pack_suffix);
    request.method = "POST";
    request.headers.add("Content-Type", "application/x-git-upload-pack-request");
    request.headers.add("Accept", "application/x-git-upload-pack-result");
    request.body = body;
    request.sink = &to;
    request.on_success = [&](const Response& response) {
      endpoint.require_type(request, response, "application/x-git-upload-pack-result");
    };
    endpoint.require(request, endpoint.http.send(request));
  }

  std::shared_ptr<Endpoint> endpoint_;
  GitWire::Ask ask_;
  std::string body_;
  std::unique_ptr<ThreadSource> answer_;
};

class HttpWire final : public GitWire {
public:
  HttpWire(Http& http, const GitAddress& address, const GitHttpOptions& options)
      : endpoint_(std::make_shared<Endpoint>(
            Endpoint{http, address.url(), options, address.authority(), options.led_from})) {
    while (endpoint_->base.ends_with('/'))
      endpoint_->base.pop_back();
  }

  std::unique_ptr<GitStream> open(Ask ask) override {
    return std::make_unique<HttpStream>(endpoint_, ask);
  }

  bool is_stateless() const noexcept override { return true; }

private:
  std::shared_ptr<Endpoint> endpoint_;
};

} // namespace

std::unique_ptr<GitWire> make_http_wire(Http& http, const GitAddress& address,
                                        const GitHttpOptions& options) {
  return std::make_unique<HttpWire>(http, address, options);
}

} // namespace cairn
