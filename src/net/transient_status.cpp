#include "net/transient_status.hpp"

namespace cairn {

bool is_transient(int status) noexcept {
  return status == 408 || status == 429 || status == 500 || (status >= 502 && status <= 504);
}

TransientStatus::TransientStatus(const Request& request, const Response& response)
    : TemporaryError("{}: {}", describe(request), describe(response)), status_(response.status) {
  if (const auto* after = response.headers.find("retry-after"))
    retry_after_ = *after;
}

void require_success(const Request& request, const Response& response) {
  if (response.ok())
    return;
  if (is_transient(response.status))
    throw TransientStatus(request, response);
  throw Error("{}: {}", describe(request), describe(response));
}

} // namespace cairn
