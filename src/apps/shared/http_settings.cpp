#include "apps/shared/http_settings.hpp"

#include "net/ca_pool.hpp"

namespace cairn {

HttpOptions http_options(const Variables& environment, const std::atomic<bool>& cancel,
                         Progress* progress) {
  HttpOptions options;
  options.progress = progress;
  if (const auto client = environment.text("UPSTREAM_CLIENT_TYPE"); !client.empty())
    options.user_agent = "cairn/" CAIRN_VERSION "," + client;
  options.ca_pool =
      load_ca_pool({environment.text("SSL_CERT_FILE"), environment.text("SSL_CERT_DIR")});
  // A CGI server's HTTP_PROXY would be a request header, but nobody runs a build as CGI.
  options.proxy = {environment.either("HTTP_PROXY", "http_proxy"),
                   environment.either("HTTPS_PROXY", "https_proxy"),
                   environment.either("NO_PROXY", "no_proxy")};
  options.cancel = &cancel;
  return options;
}

HttpOptions metadata_http_options(const std::atomic<bool>& cancel) {
  HttpOptions options;
  options.connect_timeout = std::chrono::seconds(2);
  options.pace.stall = std::chrono::seconds(10);
  options.cancel = &cancel;
  return options;
}

} // namespace cairn
