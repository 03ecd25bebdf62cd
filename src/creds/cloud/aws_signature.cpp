#include "creds/cloud/aws_signature.hpp"

#include "net/url.hpp"
#include "util/crypto.hpp"
#include "util/text.hpp"

#include <algorithm>
#include <map>
#include <vector>

namespace cairn {

namespace {

constexpr std::string_view algorithm = "AWS4-HMAC-SHA256";

/// "20150830T123600Z"
std::string amz_date(Time now) {
  auto text = rfc3339(std::chrono::floor<std::chrono::seconds>(now));
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text;
}

/// All services but S3 take the path encoded once more than it travels.
std::string canonical_path(const Url& url, std::string_view service) {
  if (service == "s3")
    return url.path;
  std::vector<std::string> parts;
  for (const auto& part : split(url.path, '/'))
    parts.push_back(percent_encode(part));
  return join(parts, "/");
}

std::string canonical_query(const Url& url) {
  std::vector<std::pair<std::string, std::string>> fields;
  for (const auto& field : split(url.query, '&')) {
    if (field.empty())
      continue;
    const auto parts = cut(field, '=');
    const auto encoded = [](std::string_view text) {
      return percent_encode(percent_decode(text).value_or(std::string(text)));
    };
    fields.emplace_back(encoded(parts ? parts->first : field), encoded(parts ? parts->second : ""));
  }
  std::sort(fields.begin(), fields.end());
  std::string query;
  for (const auto& [name, value] : fields)
    query.append(query.empty() ? "" : "&").append(name).append("=").append(value);
  return query;
}

/// Runs of blanks count as one.
std::string canonical_value(std::string_view value) {
  std::string out;
  for (const char c : trim(value))
    if (c != ' ' || !out.ends_with(' '))
      out += c;
  return out;
}

struct SignedHeaders {
  std::string names; ///< "host;x-amz-date"
  std::string lines; ///< "host:example.com\nx-amz-date:…\n"
};

SignedHeaders signed_headers(const Request& request, const Url& url) {
  std::map<std::string, std::string> headers{{"host", url.authority()}};
  for (const auto& [name, value] : request.headers.fields()) {
    auto& line = headers[to_lower(name)];
    line += (line.empty() ? "" : ",") + canonical_value(value);
  }
  SignedHeaders out;
  for (const auto& [name, value] : headers) {
    out.names += (out.names.empty() ? "" : ";") + name;
    out.lines.append(name).append(":").append(value).append("\n");
  }
  return out;
}

std::string signing_key(const AwsKeys& keys, const std::string& day, const AwsScope& scope) {
  auto key = hmac_sha256("AWS4" + keys.secret, day);
  for (const auto part : {scope.region, scope.service, std::string_view("aws4_request")})
    key = hmac_sha256(key, part);
  return key;
}

} // namespace

void sign_aws(Request& request, const AwsKeys& keys, const AwsScope& scope, Time now) {
  const auto date = amz_date(now);
  const auto day = date.substr(0, date.find('T'));
  request.headers.set("X-Amz-Date", date);
  if (!keys.session.empty())
    request.headers.set("X-Amz-Security-Token", keys.session);
  const auto url = Url::parse(request.url);
  const auto headers = signed_headers(request, url);
  const auto* body = std::get_if<std::string>(&request.body);
  const auto canonical = request.method + "\n" + canonical_path(url, scope.service) + "\n" +
                         canonical_query(url) + "\n" + headers.lines + "\n" + headers.names + "\n" +
                         sha256_hex(body == nullptr ? "" : *body);
  const auto place = fmt::format("{}/{}/{}/aws4_request", day, scope.region, scope.service);
  const auto text = fmt::format("{}\n{}\n{}\n{}", algorithm, date, place, sha256_hex(canonical));
  request.authorization =
      fmt::format("{} Credential={}/{}, SignedHeaders={}, Signature={}", algorithm, keys.id, place,
                  headers.names, hex_encode(hmac_sha256(signing_key(keys, day, scope), text)));
}

} // namespace cairn
