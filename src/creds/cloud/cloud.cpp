#include "creds/cloud/cloud.hpp"

#include "net/redact.hpp"
#include "net/retry.hpp"
#include "net/url.hpp"
#include "util/error.hpp"
#include "util/file.hpp"
#include "util/text.hpp"

#include <fcntl.h>

#include <algorithm>

namespace cairn {

namespace {

constexpr std::uint64_t max_answer = std::uint64_t{1} << 20;
constexpr std::uint64_t max_token_file = std::uint64_t{1} << 18;
/// Shorter texts are no secrets, and would be found everywhere.
constexpr std::size_t shortest_secret = 4;

void hide(std::string& text, const std::string& secret) {
  if (secret.size() < shortest_secret)
    return;
  for (auto at = text.find(secret); at != std::string::npos; at = text.find(secret, at + 3))
    text.replace(at, secret.size(), "***");
}

bool is_loopback(const Url& url) {
  return url.host == "localhost" || url.host == "[::1]" || url.host.starts_with("127.");
}

} // namespace

std::optional<Response> ask_metadata(const CloudServices& services, Request request) {
  request.redirects = Redirects::keep;
  try {
    return services.metadata.send(request);
  } catch (const TemporaryError&) {
    return std::nullopt;
  }
}

std::string form_encode(const FormFields& fields) {
  std::string form;
  for (const auto& [name, value] : fields)
    form += (form.empty() ? "" : "&") + percent_encode(name) + "=" + percent_encode(value);
  return form;
}

Request form_request(const std::string& url, const FormFields& fields) {
  require_private(url);
  Request request;
  request.method = "POST";
  request.url = url;
  request.headers.set("Content-Type", "application/x-www-form-urlencoded");
  request.body = form_encode(fields);
  return request;
}

Response send_secret(Http& http, Request request, const std::vector<std::string>& secrets) {
  request.redirects = Redirects::keep;
  request.limit = max_answer;
  auto response = http.send(request);
  if (response.ok())
    return response;
  auto said = response;
  for (const auto& secret : secrets) {
    hide(said.body, secret);
    hide(said.body, percent_encode(secret));
  }
  if (is_transient(response.status))
    throw TemporaryError("{}: {}", describe(request), describe(said));
  throw Error("{}: {}", describe(request), describe(said));
}

Json answer_json(const Request& request, const Response& response) {
  auto answer = within([&] { return Json::parse(response.body); }, "{}", describe(request));
  if (!answer.is_object())
    throw Error("{}: the answer is no JSON object", describe(request));
  return answer;
}

std::string answer_text(const Json& answer, std::string_view member) {
  const auto* found = answer.find(member);
  if (found == nullptr || !found->is_string() || found->as_string().empty())
    throw Error("the answer has no \"{}\"", member);
  return found->as_string();
}

std::int64_t answer_seconds(const Json& answer, std::string_view member, std::int64_t otherwise) {
  constexpr std::int64_t longest = std::int64_t{24} * 3600;
  const auto* found = answer.find(member);
  std::optional<std::int64_t> seconds;
  if (found != nullptr && found->kind() == Json::Kind::integer)
    seconds = found->as_int();
  else if (found != nullptr && found->is_string())
    seconds = parse_signed(found->as_string());
  return seconds && *seconds > 0 ? std::min(*seconds, longest) : otherwise;
}

void require_private(const std::string& text) {
  const auto url = Url::parse(text);
  if (url.scheme != "https" && !is_loopback(url))
    throw Error("{}: refused, a secret would leave TLS", redact_url(text));
}

std::string read_token_file(const std::string& path) {
  const auto text = read_file(current_directory(), path, max_token_file);
  if (trim(text).empty())
    throw Error("read '{}': it is empty", path);
  return std::string(trim(text));
}

} // namespace cairn
