#pragma once

#include "net/address_scope.hpp"
#include "util/error.hpp"
#include "util/stream.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace cairn {

/// Header fields in the order they came; names compare without regard to case (RFC 9110 5.1).
class Headers {
public:
  using Field = std::pair<std::string, std::string>;

  Headers() = default;
  Headers(std::initializer_list<Field> fields) : fields_(fields) {}

  void add(std::string name, std::string value);
  /// Replaces every field of that name.
  void set(std::string_view name, std::string value);
  void erase(std::string_view name);
  /// The first value; nothing when there is none.
  const std::string* find(std::string_view name) const noexcept;
  std::vector<std::string> all(std::string_view name) const;
  const std::vector<Field>& fields() const noexcept { return fields_; }

private:
  std::vector<Field> fields_;
};

/// A request body that is read as it is sent.
struct StreamBody {
  /// Called once per attempt: a fresh Source at the first byte. It may throw.
  std::function<std::unique_ptr<Source>()> open;
  /// Bytes; without it the transfer is chunked.
  std::optional<std::uint64_t> size;
};

using RequestBody = std::variant<std::monostate, std::string, StreamBody>;

enum class TlsVerify { full, none };

/// How to trust one server and be trusted by it. All PEM text, so that a base image unpacked over
/// the files later changes nothing.
struct TlsOptions {
  TlsVerify verify = TlsVerify::full;
  std::string extra_ca;    ///< Certificates trusted besides the pool of the client.
  std::string certificate; ///< The client's own, with its chain.
  std::string key;         ///< The client's private key.
};

/// Whether a redirect, or a login elsewhere, may leave https for http.
enum class Plaintext { refuse, allow };

/// What becomes of a redirect. A body never goes to another origin than it was meant for.
enum class Redirects {
  follow,
  same_origin, ///< For requests with secrets: one to another origin is an Error.
  keep         ///< It is the answer.
};

/// How an answer's body is expected to come.
enum class Tempo {
  steady,
  bursts ///< The server goes on working while it answers, and says little meanwhile.
};

struct Response {
  int status = 0;
  Headers headers = {};
  /// The body of a success without a sink; of any other status its first 64 KiB.
  std::string body = {};
  std::string url = {}; ///< Where the answer came from, after redirects.
  /// Of the machine that answered. Behind a proxy it is known of URLs with a numeric host alone.
  AddressScope peer = AddressScope::global;

  bool ok() const noexcept { return status >= 200 && status < 300; }
};

struct Request {
  std::string method = "GET";
  std::string url;
  Headers headers = {};
  /// The value of the Authorization header. Sent to the origin of `url` alone, whatever redirects
  /// say.
  std::string authorization = {};
  RequestBody body = {};
  /// Takes the body of a 2xx response as it arrives; borrowed. Without it the body is text.
  Sink* sink = nullptr;
  /// Called once before the first byte reaches `sink`, with status and headers. May throw.
  std::function<void(const Response&)> on_success = {};
  /// The largest 2xx body taken as text, in bytes; a larger one is an Error.
  std::uint64_t limit = std::uint64_t{8} << 20;
  Redirects redirects = Redirects::follow;
  Plaintext plaintext = Plaintext::refuse;
  std::shared_ptr<const TlsOptions> tls = nullptr; ///< Of the origin of `url`. None: the defaults.
  /// The same of other origins ("host[:port]") that redirects lead to. Without it: the defaults.
  std::function<std::shared_ptr<const TlsOptions>(const std::string&)> tls_elsewhere = {};
  /// Where the server is that named `url` - in a redirect, a Location, a challenge. Nothing when
  /// the user did. Servers lead nobody to loopback and link-local addresses but where they are
  /// themselves: what a name resolves to is looked at when the connection is made.
  std::optional<AddressScope> led_from = std::nullopt;
  Tempo tempo = Tempo::steady;
  /// How long to wait for a connection, and for an answer, where that is less than usual.
  std::optional<std::chrono::seconds> patience = std::nullopt;
  /// Bytes of earlier requests that the server has to work through before it answers this one.
  std::uint64_t earlier_bytes = 0;
  /// Ends the transfer when it becomes true; borrowed, besides the client's own flag.
  const std::atomic<bool>* cancel = nullptr;
};

/// The one way out. Implementations are thread-safe, a call blocks until the exchange is over.
class Http {
public:
  virtual ~Http() = default;
  /// Any status is a Response. @throws TemporaryError when no answer came (unknown host, refused,
  /// reset, stalled); TlsError; Cancelled; Error; and what the sink or the body throws
  virtual Response send(const Request& request) = 0;
};

/// The other side could not prove who it is, or speaks no TLS.
class TlsError : public Error {
public:
  using Error::Error;

  /// "host[:port]", which is not the request's own after a redirect; may be empty.
  const std::string& authority() const noexcept { return authority_; }
  void set_authority(std::string authority) { authority_ = std::move(authority); }
  [[noreturn]] void raise() const override { throw TlsError(*this); }

private:
  std::string authority_;
};

/// The first byte of the part that an answer with status 206 holds ("bytes 100-199/200", RFC 9110
/// 14.4). Nothing when it does not say.
std::optional<std::uint64_t> range_start(const Response& response);

/// "GET https://host/path": how messages name a request, without secrets.
std::string describe(const Request& request);

/// What an answer that is no success says: "503 Service Unavailable: UNAVAILABLE: try later".
/// Reads the errors of the distribution protocol and OAuth 2, or takes a line of plain text.
std::string describe(const Response& response);

} // namespace cairn
