#include "apps/argo/http_server.hpp"

#include "util/error.hpp"
#include "util/text.hpp"

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <list>

namespace cairn {

namespace {

using ServerClock = std::chrono::steady_clock;

constexpr ev_ssize_t max_body = 1 << 20;
constexpr ev_ssize_t max_headers = 1 << 16;
constexpr int idle_seconds = 60;
constexpr timeval tick{.tv_sec = 0, .tv_usec = 50'000};

constexpr std::uint16_t all_methods = EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD |
                                      EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS;

std::string method_name(evhttp_request* request) {
  switch (evhttp_request_get_command(request)) {
  case EVHTTP_REQ_GET:
    return "GET";
  case EVHTTP_REQ_POST:
    return "POST";
  default:
    return "other";
  }
}

std::string body_of(evhttp_request* request) {
  auto* buffer = evhttp_request_get_input_buffer(request);
  std::string body(evbuffer_get_length(buffer), '\0');
  evbuffer_copyout(buffer, body.data(), body.size());
  return body;
}

HttpQuery query_of(evhttp_request* request) {
  const auto* uri = evhttp_request_get_evhttp_uri(request);
  const auto* path = uri != nullptr ? evhttp_uri_get_path(uri) : nullptr;
  const auto* authorization =
      evhttp_find_header(evhttp_request_get_input_headers(request), "Authorization");
  return {method_name(request), path != nullptr ? path : "",
          authorization != nullptr ? authorization : "", body_of(request)};
}

void send(evhttp_request* request, const HttpReply& reply) {
  auto* headers = evhttp_request_get_output_headers(request);
  evhttp_add_header(headers, "Content-Type",
                    reply.status == 200 ? "application/json" : "text/plain; charset=utf-8");
  evbuffer_add(evhttp_request_get_output_buffer(request), reply.body.data(), reply.body.size());
  evhttp_send_reply(request, reply.status, nullptr, nullptr);
}

} // namespace

struct HttpServer::State {
  /// A request that has no reply yet.
  struct Waiting {
    evhttp_request* request;
    HttpQuery query;
    ServerClock::time_point since;
  };

  explicit State(Handler given) : handler(std::move(given)) {}

  /// @return whether it was answered
  bool answer(const Waiting& waiting) const {
    const auto waited =
        std::chrono::duration_cast<std::chrono::milliseconds>(ServerClock::now() - waiting.since);
    const auto reply = ask(waiting.query, waited);
    if (reply)
      send(waiting.request, *reply);
    return reply.has_value();
  }

  /// Nothing may be thrown through the library.
  std::optional<HttpReply> ask(const HttpQuery& query, std::chrono::milliseconds waited) const {
    try {
      return handler(query, waited);
    } catch (const std::exception& error) {
      return HttpReply{500, printable(error.what()) + "\n"};
    }
  }

  void take(evhttp_request* request) {
    const Waiting waiting{request, query_of(request), ServerClock::now()};
    if (answer(waiting))
      return;
    // Requests die with their connection.
    evhttp_connection_set_closecb(evhttp_request_get_connection(request), &State::on_close, this);
    queue.push_back(waiting);
  }

  static void on_request(evhttp_request* request, void* self) noexcept {
    try {
      static_cast<State*>(self)->take(request);
    } catch (const std::exception&) {
      // Memory ran out before the request was understood.
      evhttp_send_error(request, HTTP_SERVUNAVAIL, nullptr);
    }
  }
  static void on_close(evhttp_connection* connection, void* self) {
    static_cast<State*>(self)->queue.remove_if([&](const Waiting& waiting) {
      return evhttp_request_get_connection(waiting.request) == connection;
    });
  }
  static void on_tick(evutil_socket_t, short, void* self) noexcept {
    auto& state = *static_cast<State*>(self);
    try {
      if (state.stop())
        event_base_loopbreak(state.base.get());
      state.queue.remove_if([&](const Waiting& waiting) { return state.answer(waiting); });
    } catch (const std::exception&) {
      // Memory ran out: those that wait are asked for again with the next tick.
      return;
    }
  }

  Handler handler;
  std::function<bool()> stop;
  std::list<Waiting> queue;
  std::unique_ptr<event_base, decltype(&event_base_free)> base{event_base_new(), event_base_free};
  std::unique_ptr<evhttp, decltype(&evhttp_free)> http{nullptr, evhttp_free};
  evhttp_bound_socket* socket = nullptr;
};

HttpServer::HttpServer(std::uint16_t port, Handler handler)
    : state_(std::make_unique<State>(std::move(handler))) {
  if (!state_->base)
    throw Error("no event loop can be made");
  state_->http.reset(evhttp_new(state_->base.get()));
  auto* http = state_->http.get();
  evhttp_set_max_body_size(http, max_body);
  evhttp_set_max_headers_size(http, max_headers);
  evhttp_set_timeout(http, idle_seconds);
  evhttp_set_allowed_methods(http, all_methods);
  evhttp_set_gencb(http, &State::on_request, state_.get());
  state_->socket = evhttp_bind_socket_with_handle(http, "127.0.0.1", port);
  if (state_->socket == nullptr)
    throw SysError(errno, "listen on 127.0.0.1:{}", port);
}

HttpServer::~HttpServer() = default;

std::uint16_t HttpServer::port() const {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  if (::getsockname(evhttp_bound_socket_get_fd(state_->socket),
                    reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw SysError(errno, "getsockname");
  return ntohs(address.sin_port);
}

void HttpServer::run(const std::function<bool()>& stop) {
  state_->stop = stop;
  const std::unique_ptr<event, decltype(&event_free)> timer(
      event_new(state_->base.get(), -1, EV_PERSIST, &State::on_tick, state_.get()), event_free);
  event_add(timer.get(), &tick);
  event_base_dispatch(state_->base.get());
}

} // namespace cairn
