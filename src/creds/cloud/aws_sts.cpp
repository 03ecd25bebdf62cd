#include "creds/cloud/aws_sts.hpp"

#include "creds/cloud/sts_answer.hpp"
#include "net/retry.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

namespace cairn {

namespace {

constexpr std::string_view api_version = "2011-06-15";

std::string sts_url(const CloudServices& services, const std::string& region) {
  return aws_endpoint(services.environment, "STS",
                      fmt::format("https://sts.{}.{}/", region, aws_domain(region)));
}

std::string element(const std::string& document, std::string_view name) {
  auto text = xml_element(document, name);
  if (!text || text->empty())
    throw Error("the answer has no <{}>", name);
  return *std::move(text);
}

AwsKeys read_keys(const std::string& document, const AwsRole& role) {
  AwsKeys keys;
  keys.id = element(document, "AccessKeyId");
  keys.secret = element(document, "SecretAccessKey");
  keys.session = element(document, "SessionToken");
  keys.expires = parse_rfc3339(element(document, "Expiration"));
  if (!keys.expires)
    throw Error("the answer's <Expiration> is no time");
  keys.source = "role " + role.arn;
  return keys;
}

/// STS explains itself in XML, which describe(Response) leaves out.
std::string explain(const Response& response, const std::vector<std::string>& secrets) {
  try {
    const auto code = xml_element(response.body, "Code");
    auto message = xml_element(response.body, "Message").value_or("");
    for (const auto& secret : secrets)
      if (message.find(secret) != std::string::npos)
        message.clear();
    if (code)
      return fmt::format("{} {}: {}", response.status, printable(*code),
                         printable(message.substr(0, 300)));
  } catch (const Error&) {
    // Whatever it is, it is no answer of STS.
    return describe(response);
  }
  return describe(response);
}

AwsKeys ask(const CloudServices& services, Request request, const AwsRole& role,
            const std::vector<std::string>& secrets) {
  request.redirects = Redirects::keep;
  request.limit = std::uint64_t{1} << 20;
  const auto response = services.http.send(request);
  if (!response.ok()) {
    const auto text =
        fmt::format("{}: {}: {}", describe(request), role.arn, explain(response, secrets));
    if (is_transient(response.status))
      throw TemporaryError("{}", text);
    throw Error("{}", text);
  }
  return within([&] { return read_keys(response.body, role); }, "{}", describe(request));
}

FormFields role_fields(std::string_view action, const AwsRole& role) {
  FormFields fields = {{"Action", std::string(action)},
                       {"RoleArn", role.arn},
                       {"RoleSessionName", role.session_name.empty() ? "cairn" : role.session_name},
                       {"Version", std::string(api_version)}};
  if (!role.external_id.empty())
    fields.emplace_back("ExternalId", role.external_id);
  return fields;
}

} // namespace

std::string aws_endpoint(const Variables& environment, std::string_view service,
                         const std::string& usual) {
  auto url = environment.either(fmt::format("AWS_ENDPOINT_URL_{}", service), "AWS_ENDPOINT_URL");
  if (url.empty() || environment.text("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") == "true")
    return usual;
  return url.ends_with('/') ? url : url + "/";
}

std::string_view aws_domain(std::string_view region) {
  return region.starts_with("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
}

AwsKeys assume_role_with_token(const CloudServices& services, const std::string& region,
                               const AwsRole& role, const std::string& token) {
  auto fields = role_fields("AssumeRoleWithWebIdentity", role);
  fields.emplace_back("WebIdentityToken", token);
  return ask(services, form_request(sts_url(services, region), fields), role, {token});
}

AwsKeys assume_role_with_keys(const CloudServices& services, const std::string& region,
                              const AwsRole& role, const AwsKeys& keys) {
  auto request = form_request(sts_url(services, region), role_fields("AssumeRole", role));
  sign_aws(request, keys, {region, "sts"}, services.clock());
  return ask(services, std::move(request), role, {keys.secret, keys.session});
}

} // namespace cairn
