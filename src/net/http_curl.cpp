#include "net/http_curl.hpp"

#include "net/outgoing_body.hpp"
#include "net/redact.hpp"
#include "net/redirect.hpp"
#include "net/response_head.hpp"
#include "util/cancelled.hpp"
#include "util/text.hpp"

#include <curl/curl.h>

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <exception>
#include <mutex>

namespace cairn {

namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t max_error_body = std::size_t{64} * 1024;
constexpr long buffer_size = 256L * 1024;

struct CurlCloser {
  void operator()(CURL* curl) const noexcept { curl_easy_cleanup(curl); }
};
using CurlHandle = std::unique_ptr<CURL, CurlCloser>;

struct ListCloser {
  void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, ListCloser>;

/// Handles at rest, each with its open connections.
class HandlePool {
public:
  /// Prefers the handle that spoke to `origin` last.
  CurlHandle take(const std::string& origin) {
    const std::lock_guard lock(mutex_);
    auto found = std::find_if(idle_.begin(), idle_.end(),
                              [&](const Idle& idle) { return idle.origin == origin; });
    // Another host's handle is taken over only when there are many, so that connections last.
    if (found == idle_.end() && idle_.size() >= max_idle)
      found = idle_.begin();
    if (found == idle_.end())
      return CurlHandle(curl_easy_init());
    auto handle = std::move(found->handle);
    idle_.erase(found);
    return handle;
  }

  void give_back(CurlHandle handle, std::string origin) {
    curl_easy_reset(handle.get());
    const std::lock_guard lock(mutex_);
    idle_.push_back({std::move(origin), std::move(handle)});
  }

private:
  static constexpr std::size_t max_idle = 16;

  struct Idle {
    std::string origin;
    CurlHandle handle;
  };

  std::mutex mutex_;
  std::vector<Idle> idle_;
};

constexpr auto too_large = static_cast<CURLcode>(100); // CURLE_TOO_LARGE, since 8.6.

/// An answer that no other try makes better: headers beyond what libcurl takes.
bool is_oversized(CURLcode code, std::string_view said) {
  return code == too_large || code == CURLE_OUT_OF_MEMORY ||
         said.find("response headers") != std::string_view::npos;
}

bool is_set(const std::atomic<bool>* flag) {
  return flag != nullptr && flag->load(std::memory_order_relaxed);
}

PaceLimits limits_for(const Request& request, const PaceLimits& usual) {
  const auto limits = request.tempo == Tempo::bursts ? usual.in_bursts() : usual;
  return request.patience ? limits.with_patience(*request.patience) : limits;
}

/// One exchange. Its callbacks run inside curl_easy_perform and keep what they throw for later:
/// nothing may unwind through C.
class Transfer {
public:
  Transfer(CURL* curl, const HttpOptions& options, const Request& request)
      : curl_(curl), options_(options), request_(request),
        pace_(limits_for(request, options.pace), SteadyClock::now()) {
    pace_.wait(SteadyClock::now(), request.earlier_bytes);
  }
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  Response run() {
    set_basics();
    set_tls();
    set_body();
    set_headers();
    const auto code = curl_easy_perform(curl_);
    if (failure_)
      std::rethrow_exception(failure_);
    long status = 0;
    curl_easy_getinfo(curl_, CURLINFO_RESPONSE_CODE, &status);
    response_.status = static_cast<int>(status);
    response_.headers = head_.headers();
    response_.url = request_.url;
    if (code != CURLE_OK && !is_answered(code))
      fail(code);
    return std::move(response_);
  }

private:
  template<class Value>
  void set(CURLoption option, Value value) {
    if (const auto code = curl_easy_setopt(curl_, option, value); code != CURLE_OK)
      throw Error("{}: libcurl option {}: {}", describe(request_), static_cast<int>(option),
                  curl_easy_strerror(code));
  }

  void set_basics() {
    const auto url = Url::parse(request_.url);
    proxy_ = proxy_for(options_.proxy, url);
    if (const auto scope = address_scope(url.host))
      admit(*scope);
    set(CURLOPT_URL, request_.url.c_str());
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(CURLOPT_PATH_AS_IS, 1L);
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_TCP_KEEPALIVE, 1L);
    set(CURLOPT_BUFFERSIZE, buffer_size);
    set(CURLOPT_UPLOAD_BUFFERSIZE, buffer_size);
    set(CURLOPT_USERAGENT, options_.user_agent.c_str());
    // Given even when empty: libcurl would read the environment otherwise.
    set(CURLOPT_PROXY, proxy_.c_str());
    set(CURLOPT_NOPROXY, "");
    set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    const auto patience = request_.patience.value_or(options_.connect_timeout);
    set(CURLOPT_CONNECTTIMEOUT,
        static_cast<long>(std::min(patience, options_.connect_timeout).count()));
    set(CURLOPT_ERRORBUFFER, error_.data());
    set(CURLOPT_OPENSOCKETFUNCTION, &on_socket);
    set(CURLOPT_OPENSOCKETDATA, this);
    set(CURLOPT_PREREQFUNCTION, &on_connection);
    set(CURLOPT_PREREQDATA, this);
    set(CURLOPT_HEADERFUNCTION, &on_header);
    set(CURLOPT_HEADERDATA, this);
    set(CURLOPT_WRITEFUNCTION, &on_write);
    set(CURLOPT_WRITEDATA, this);
    set(CURLOPT_NOPROGRESS, 0L);
    set(CURLOPT_XFERINFOFUNCTION, &on_progress);
    set(CURLOPT_XFERINFODATA, this);
  }

  static curl_blob borrowed(const std::string& text) {
    return {const_cast<char*>(text.data()), text.size(), CURL_BLOB_NOCOPY};
  }

  void set_tls() {
    set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    static const TlsOptions defaults;
    const auto& tls = request_.tls ? *request_.tls : defaults;
    if (tls.verify == TlsVerify::none) {
      set(CURLOPT_SSL_VERIFYPEER, 0L);
      set(CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (!options_.ca_pool.empty() || !tls.extra_ca.empty()) {
      ca_ = tls.extra_ca.empty() ? std::string() : options_.ca_pool + "\n" + tls.extra_ca;
      auto blob = borrowed(ca_.empty() ? options_.ca_pool : ca_);
      set(CURLOPT_CAINFO_BLOB, &blob);
      set(CURLOPT_CAINFO, nullptr);
      set(CURLOPT_CAPATH, nullptr);
    }
    if (!tls.certificate.empty()) {
      auto certificate = borrowed(tls.certificate);
      auto key = borrowed(tls.key.empty() ? tls.certificate : tls.key);
      set(CURLOPT_SSLCERT_BLOB, &certificate);
      set(CURLOPT_SSLKEY_BLOB, &key);
    }
  }

  void set_body() {
    if (request_.method == "HEAD")
      set(CURLOPT_NOBODY, 1L);
    else if (const auto* text = std::get_if<std::string>(&request_.body))
      set_text_body(*text);
    else if (std::holds_alternative<StreamBody>(request_.body))
      set_stream_body(std::get<StreamBody>(request_.body));
    else if (request_.method == "POST" || request_.method == "PUT" || request_.method == "PATCH")
      set_text_body(""); // A length of zero is sent: some servers insist on one.
    set(CURLOPT_CUSTOMREQUEST, request_.method.c_str());
  }

  void set_text_body(std::string_view text) {
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(text.size()));
    set(CURLOPT_POSTFIELDS, text.data());
  }

  void set_stream_body(const StreamBody& body) {
    body_.emplace(body);
    pace_.send(SteadyClock::now());
    set(CURLOPT_UPLOAD, 1L);
    set(CURLOPT_INFILESIZE_LARGE, body.size ? static_cast<curl_off_t>(*body.size) : curl_off_t{-1});
    set(CURLOPT_READFUNCTION, &on_read);
    set(CURLOPT_READDATA, this);
    set(CURLOPT_SEEKFUNCTION, &on_seek);
    set(CURLOPT_SEEKDATA, this);
  }

  void add_header(const std::string& line) {
    if (line.find_first_of("\r\n") != std::string::npos)
      throw Error("{}: a header holds a line break", describe(request_));
    auto* grown = curl_slist_append(headers_.get(), line.c_str());
    if (grown == nullptr)
      throw Error("{}: out of memory", describe(request_));
    static_cast<void>(headers_.release());
    headers_.reset(grown);
  }

  void set_headers() {
    for (const auto& [name, value] : request_.headers.fields())
      add_header(fmt::format("{}{}{}", name, value.empty() ? ";" : ": ", value));
    if (!request_.authorization.empty())
      add_header("Authorization: " + request_.authorization);
    // libcurl would name a form's type, and wait a second for "100 Continue".
    if (request_.headers.find("content-type") == nullptr)
      add_header("Content-Type:");
    add_header("Expect:");
    set(CURLOPT_HTTPHEADER, headers_.get());
  }

  /// An answer cut short on purpose, or one that came while the body was still being sent.
  bool is_answered(CURLcode code) const {
    if (enough_)
      return true;
    return response_.status >= 400 && (code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR);
  }

  std::string said_by_curl(CURLcode code) const {
    // What libcurl says is that it could not begin anew by itself.
    const auto said = code == CURLE_SEND_FAIL_REWIND ? std::string("the connection broke")
                      : error_[0] != '\0'            ? printable(error_.data())
                                                     : std::string(curl_easy_strerror(code));
    return body_ ? fmt::format("{} ({})", said, body_->progress()) : said;
  }

  TlsError distrust(const std::string& said) const {
    TlsError error("{}: {}", describe(request_), said);
    error.set_authority(Url::parse(request_.url).authority());
    return error;
  }

  [[noreturn]] void fail(CURLcode code) const {
    const auto said = said_by_curl(code);
    const auto place = describe(request_);
    switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CIPHER:
      throw distrust(said);
    case CURLE_SSL_CONNECT_ERROR:
      // The peer's refusal is final; a connection that broke during the handshake is not.
      if (said.find("wrong version") != std::string::npos ||
          said.find("alert") != std::string::npos || said.find("http request") != std::string::npos)
        throw distrust(said);
      break;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_BAD_FUNCTION_ARGUMENT:
      throw Error("{}: {}", place, said);
    default:
      break;
    }
    if (is_oversized(code, said))
      throw Error("{}: the answer has headers that are too large", place);
    throw TemporaryError("{}: {}", place, said);
  }

  /// Whether this request may go to an address of that kind. @throws Error
  void admit(AddressScope scope) {
    if (request_.led_from && !may_lead(*request_.led_from, scope))
      throw Error("{}: refused, the server that leads there must not lead to {}",
                  describe(request_), scope_words(scope));
    response_.peer = scope;
  }

  void check_waiting(std::uint64_t body_bytes) {
    if (is_set(options_.cancel) || is_set(request_.cancel))
      throw Cancelled("{}: interrupted", describe(request_));
    const auto slow =
        within([&] { return pace_.check(SteadyClock::now(), body_bytes + head_.bytes()); }, "{}",
               describe(request_));
    if (slow && options_.progress != nullptr)
      options_.progress->info("{}: {}", describe(request_), *slow);
  }

  void take_header(std::string_view line) {
    const auto what = within([&] { return head_.take(line); }, "{}", describe(request_));
    // After "100 Continue" the answer is still to come.
    if (what == ResponseHead::Line::status)
      pace_.receive(SteadyClock::now());
  }

  /// False when no more is wanted.
  bool take_body(std::span<const std::byte> bytes) {
    long status = 0;
    curl_easy_getinfo(curl_, CURLINFO_RESPONSE_CODE, &status);
    const bool success = Response{static_cast<int>(status)}.ok();
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (success && request_.sink != nullptr) {
      announce(status);
      request_.sink->write(bytes);
    } else if (success) {
      if (response_.body.size() + text.size() > request_.limit)
        throw Error("{}: the answer is larger than {} bytes", describe(request_), request_.limit);
      response_.body += text;
    } else {
      response_.body += text.substr(0, max_error_body - response_.body.size());
      enough_ = response_.body.size() == max_error_body;
    }
    return !enough_;
  }

  void announce(long status) {
    if (std::exchange(announced_, true) || !request_.on_success)
      return;
    response_.status = static_cast<int>(status);
    response_.headers = head_.headers();
    request_.on_success(response_);
  }

  std::size_t give_body(std::span<std::byte> buffer) {
    const bool had_ended = body_->has_ended();
    const auto count = within([&] { return body_->read(buffer); }, "{}", describe(request_));
    if (body_->has_ended() && !had_ended)
      pace_.wait(SteadyClock::now(), body_->sent() + request_.earlier_bytes);
    return count;
  }

  /// Runs `body`, keeping what it throws; `otherwise` tells libcurl to stop.
  template<class Body, class Result>
  Result guarded(Result otherwise, const Body& body) noexcept {
    try {
      if (!failure_)
        return body();
    } catch (...) {
      failure_ = std::current_exception();
    }
    return otherwise;
  }

  /// The same for work whose time is not the network's.
  template<class Body, class Result>
  Result timed(Result otherwise, const Body& body) noexcept {
    const auto begun = SteadyClock::now();
    const auto result = guarded(otherwise, body);
    pace_.exclude(SteadyClock::now() - begun);
    return result;
  }

  static curl_socket_t on_socket(void* self, curlsocktype, curl_sockaddr* address) noexcept {
    auto& transfer = *static_cast<Transfer*>(self);
    return transfer.guarded(curl_socket_t{CURL_SOCKET_BAD}, [&] {
      if (transfer.proxy_.empty())
        transfer.admit(address_scope(address->addr));
      return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    });
  }

  /// Also of a connection that another request has opened.
  static int on_connection(void* self, char* address, char*, int, int) noexcept {
    auto& transfer = *static_cast<Transfer*>(self);
    return transfer.guarded(CURL_PREREQFUNC_ABORT, [&] {
      if (transfer.proxy_.empty())
        transfer.admit(address_scope(std::string_view(address)).value_or(AddressScope::global));
      return CURL_PREREQFUNC_OK;
    });
  }

  static std::size_t on_header(char* data, std::size_t, std::size_t size, void* self) noexcept {
    auto& transfer = *static_cast<Transfer*>(self);
    return transfer.guarded(std::size_t{0}, [&] {
      transfer.take_header({data, size});
      return size;
    });
  }

  static std::size_t on_write(char* data, std::size_t, std::size_t size, void* self) noexcept {
    auto& transfer = *static_cast<Transfer*>(self);
    return transfer.timed(std::size_t{0}, [&] {
      return transfer.take_body(std::as_bytes(std::span(data, size))) ? size : std::size_t{0};
    });
  }

  static std::size_t on_read(char* data, std::size_t, std::size_t size, void* self) noexcept {
    auto& transfer = *static_cast<Transfer*>(self);
    return transfer.timed(std::size_t{CURL_READFUNC_ABORT}, [&] {
      return transfer.give_body(std::as_writable_bytes(std::span(data, size)));
    });
  }

  static int on_seek(void* self, curl_off_t offset, int origin) noexcept {
    auto& transfer = *static_cast<Transfer*>(self);
    return transfer.guarded(CURL_SEEKFUNC_FAIL, [&] {
      // libcurl would send a request again by itself when a connection that it used before breaks.
      // What the server has made of the part that it got only the caller can find out.
      const bool is_at_start = offset == 0 && origin == SEEK_SET && transfer.body_->sent() == 0;
      return is_at_start ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_CANTSEEK;
    });
  }

  static int on_progress(void* self, curl_off_t, curl_off_t received, curl_off_t,
                         curl_off_t sent) noexcept {
    auto& transfer = *static_cast<Transfer*>(self);
    return transfer.guarded(1, [&] {
      transfer.check_waiting(static_cast<std::uint64_t>(received + sent));
      return 0;
    });
  }

  CURL* curl_;
  const HttpOptions& options_;
  const Request& request_;
  Response response_;
  ResponseHead head_;
  HeaderList headers_;
  std::string proxy_;
  std::string ca_;
  std::array<char, CURL_ERROR_SIZE> error_{};
  std::optional<OutgoingBody> body_; ///< One that is streamed.
  bool enough_ = false;
  bool announced_ = false;
  Pace pace_;
  std::exception_ptr failure_;
};

class CurlHttp final : public Http {
public:
  explicit CurlHttp(HttpOptions options) : options_(std::move(options)) {
    static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
    if (started != CURLE_OK)
      throw Error("libcurl: {}", curl_easy_strerror(started));
    if (options_.user_agent.empty())
      options_.user_agent = "cairn/" CAIRN_VERSION;
  }

  Response send(const Request& request) override {
    auto response = exchange(request);
    if (request.redirects == Redirects::keep)
      return response;
    std::optional<Request> next;
    auto previous = request;
    for (int count = 0; (next = redirected(previous, response)); ++count) {
      if (count == max_redirects)
        throw Error("{}: more than {} redirects", describe(request), max_redirects);
      previous = *std::move(next);
      response = exchange(previous);
    }
    return response;
  }

private:
  Response exchange(const Request& request) {
    const auto origin = Url::parse(request.url).origin();
    auto handle = pool_.take(origin);
    if (!handle)
      throw Error("{}: out of memory", describe(request));
    auto response = Transfer(handle.get(), options_, request).run();
    // After an exception the handle goes, and its connections with it.
    pool_.give_back(std::move(handle), origin);
    return response;
  }

  HttpOptions options_;
  HandlePool pool_;
};

} // namespace

std::unique_ptr<Http> make_http(HttpOptions options) {
  return std::make_unique<CurlHttp>(std::move(options));
}

} // namespace cairn
