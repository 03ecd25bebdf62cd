#include "creds/cloud/aws_metadata.hpp"

#include "net/url.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

#include <algorithm>
#include <array>

namespace cairn {

namespace {

constexpr std::string_view container_host = "http://169.254.170.2";
constexpr std::string_view instance_host_ipv4 = "http://169.254.169.254";
constexpr std::string_view instance_host_ipv6 = "http://[fd00:ec2::254]";

/// Addresses besides loopback to which AWS's tools send the token without TLS: ECS, EKS.
constexpr std::array<std::string_view, 3> container_hosts = {"169.254.170.2", "169.254.170.23",
                                                             "[fd00:ec2::23]"};

AwsKeys read_keys(const Json& answer, std::string source) {
  AwsKeys keys;
  keys.id = answer_text(answer, "AccessKeyId");
  keys.secret = answer_text(answer, "SecretAccessKey");
  keys.session = answer.string_or("Token", "");
  keys.expires = parse_rfc3339(answer.string_or("Expiration", ""));
  keys.source = std::move(source);
  return keys;
}

void check_container_url(const std::string& url) {
  const auto host = Url::parse(url).host;
  if (std::find(container_hosts.begin(), container_hosts.end(), host) == container_hosts.end())
    require_private(url);
}

std::string container_token(const Variables& environment) {
  const auto file = environment.text("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
  auto token = file.empty()
                   ? std::string(trim(environment.text("AWS_CONTAINER_AUTHORIZATION_TOKEN")))
                   : read_token_file(file);
  // It becomes a header: nothing may end the line.
  if (std::any_of(token.begin(), token.end(), [](char c) { return c == '\r' || c == '\n'; }))
    throw Error("AWS_CONTAINER_AUTHORIZATION_TOKEN: it holds a line break");
  return token;
}

std::string container_url(const Variables& environment) {
  const auto relative = environment.text("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  if (relative.empty())
    return environment.text("AWS_CONTAINER_CREDENTIALS_FULL_URI");
  if (!relative.starts_with('/'))
    throw Error("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: it does not begin with '/'");
  return std::string(container_host) + relative;
}

std::string instance_base(const Variables& environment) {
  auto base = environment.text("AWS_EC2_METADATA_SERVICE_ENDPOINT");
  if (base.empty()) {
    const auto mode = to_lower(environment.text("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"));
    base = mode == "ipv6" ? instance_host_ipv6 : instance_host_ipv4;
  }
  while (base.ends_with('/'))
    base.pop_back();
  return base;
}

/// The session token that IMDSv2 wants with every request; nothing where nobody answers.
std::optional<std::string> instance_token(const CloudServices& services, const std::string& base) {
  Request request;
  request.method = "PUT";
  request.url = base + "/latest/api/token";
  request.headers.set("X-aws-ec2-metadata-token-ttl-seconds", "21600");
  request.body = std::string();
  const auto response = ask_metadata(services, request);
  if (!response || !response->ok() || trim(response->body).empty())
    return std::nullopt;
  return std::string(trim(response->body));
}

Response ask_instance(const CloudServices& services, const std::string& url,
                      const std::string& token) {
  Request request;
  request.url = url;
  request.headers.set("X-aws-ec2-metadata-token", token);
  request.redirects = Redirects::keep;
  return services.metadata.send(request);
}

} // namespace

std::optional<AwsKeys> container_aws_keys(const CloudServices& services) {
  const auto url = container_url(services.environment);
  if (url.empty())
    return std::nullopt;
  return within(
      [&] {
        check_container_url(url);
        Request request;
        request.url = url;
        request.headers.set("Accept", "application/json");
        request.authorization = container_token(services.environment);
        auto& http = url.starts_with("https:") ? services.http : services.metadata;
        const auto response = send_secret(http, request, {request.authorization});
        const auto answer = answer_json(request, response);
        return within([&] { return read_keys(answer, "the container's role"); }, "{}",
                      describe(request));
      },
      "credentials of the container");
}

std::optional<AwsKeys> instance_aws_keys(const CloudServices& services) {
  if (equals_ignoring_case(services.environment.text("AWS_EC2_METADATA_DISABLED"), "true"))
    return std::nullopt;
  const auto base = instance_base(services.environment);
  const auto token = instance_token(services, base);
  if (!token)
    return std::nullopt;
  return within(
      [&]() -> std::optional<AwsKeys> {
        const auto roles = base + "/latest/meta-data/iam/security-credentials/";
        const auto listed = ask_instance(services, roles, *token);
        const auto role = std::string(trim(listed.body.substr(0, listed.body.find('\n'))));
        if (!listed.ok() || role.empty())
          return std::nullopt;
        Request request;
        request.url = roles + percent_encode(role);
        request.headers.set("X-aws-ec2-metadata-token", *token);
        const auto answer = answer_json(request, send_secret(services.metadata, request, {*token}));
        if (const auto code = answer.string_or("Code", "Success"); code != "Success")
          throw Error("role {}: {}", printable(role), printable(code));
        return read_keys(answer, "the instance's role " + printable(role));
      },
      "credentials of the instance");
}

} // namespace cairn
