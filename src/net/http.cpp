#include "net/http.hpp"

#include "net/redact.hpp"
#include "util/json.hpp"
#include "util/text.hpp"

#include <algorithm>

namespace cairn {

namespace {

constexpr std::size_t longest_excerpt = 300;

std::string_view reason_of(int status) {
  switch (status) {
  case 400:
    return "Bad Request";
  case 401:
    return "Unauthorized";
  case 403:
    return "Forbidden";
  case 404:
    return "Not Found";
  case 405:
    return "Method Not Allowed";
  case 408:
    return "Request Timeout";
  case 409:
    return "Conflict";
  case 411:
    return "Length Required";
  case 413:
    return "Content Too Large";
  case 415:
    return "Unsupported Media Type";
  case 416:
    return "Range Not Satisfiable";
  case 429:
    return "Too Many Requests";
  case 500:
    return "Internal Server Error";
  case 501:
    return "Not Implemented";
  case 502:
    return "Bad Gateway";
  case 503:
    return "Service Unavailable";
  case 504:
    return "Gateway Timeout";
  default:
    return {};
  }
}

std::string excerpt(std::string_view text) {
  auto line = trim(text);
  const bool whole = line.size() <= longest_excerpt;
  return printable(line.substr(0, longest_excerpt)) + (whole ? "" : "…");
}

std::string text_member(const Json& json, std::string_view key) {
  const auto* member = json.find(key);
  return member != nullptr && member->is_string() ? member->as_string() : std::string();
}

void append(std::string& text, const std::string& part) {
  if (part.empty())
    return;
  if (!text.empty())
    text += ": ";
  text += part;
}

/// One element of "errors" (OCI distribution specification, error codes).
std::string distribution_error(const Json& error) {
  if (!error.is_object())
    return {};
  std::string text = text_member(error, "code");
  append(text, text_member(error, "message"));
  const auto* detail = error.find("detail");
  if (detail != nullptr && !(detail->is_object() && detail->as_object().empty()))
    append(text, detail->is_string() ? detail->as_string() : detail->compact());
  return text;
}

std::string said_in_json(const Json& json) {
  std::string text;
  if (!json.is_object())
    return text;
  if (const auto* errors = json.find("errors"); errors != nullptr && errors->is_array()) {
    for (const auto& error : errors->as_array()) {
      const auto one = distribution_error(error);
      text += (text.empty() || one.empty() ? "" : "; ") + one;
    }
    return text;
  }
  for (const auto* key : {"error", "error_description", "message", "details", "detail"})
    append(text, text_member(json, key));
  return text;
}

std::string said_in(const Response& response) {
  const auto body = trim(response.body);
  if (body.starts_with('{')) {
    try {
      return said_in_json(Json::parse(body));
    } catch (const Error&) {
      return std::string(body);
    }
  }
  // A page of HTML says nothing that the status does not.
  const bool html = body.starts_with('<');
  return html ? std::string() : std::string(body.substr(0, body.find('\n')));
}

} // namespace

void Headers::add(std::string name, std::string value) {
  fields_.emplace_back(std::move(name), std::move(value));
}

void Headers::set(std::string_view name, std::string value) {
  erase(name);
  add(std::string(name), std::move(value));
}

void Headers::erase(std::string_view name) {
  std::erase_if(fields_,
                [&](const Field& field) { return equals_ignoring_case(field.first, name); });
}

const std::string* Headers::find(std::string_view name) const noexcept {
  const auto field = std::find_if(fields_.begin(), fields_.end(), [&](const Field& candidate) {
    return equals_ignoring_case(candidate.first, name);
  });
  return field == fields_.end() ? nullptr : &field->second;
}

std::vector<std::string> Headers::all(std::string_view name) const {
  std::vector<std::string> values;
  for (const auto& [key, value] : fields_)
    if (equals_ignoring_case(key, name))
      values.push_back(value);
  return values;
}

std::optional<std::uint64_t> range_start(const Response& response) {
  const auto* header = response.headers.find("content-range");
  if (header == nullptr || !header->starts_with("bytes "))
    return std::nullopt;
  const auto parts = cut(std::string_view(*header).substr(6), '-');
  return parts ? parse_unsigned(parts->first) : std::nullopt;
}

std::string describe(const Request& request) {
  return request.method + " " + redact_url(request.url);
}

std::string describe(const Response& response) {
  auto text = std::to_string(response.status);
  if (const auto reason = reason_of(response.status); !reason.empty())
    text += " " + std::string(reason);
  append(text, excerpt(said_in(response)));
  return text;
}

} // namespace cairn
