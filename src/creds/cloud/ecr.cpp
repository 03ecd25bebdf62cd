#include "creds/cloud/ecr.hpp"

#include "creds/cloud/aws_credentials.hpp"
#include "creds/cloud/aws_sts.hpp"
#include "util/crypto.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

#include <algorithm>
#include <array>
#include <chrono>

namespace cairn {

namespace {

constexpr std::string_view public_region = "us-east-1";
constexpr std::chrono::hours usual_ecr_life{12};

/// What follows the region, and in which domain the API then is.
struct Partition {
  std::string_view domain;
  std::string_view api;
};
constexpr std::array<Partition, 9> partitions = {{
    {"amazonaws.com", "amazonaws.com"},
    {"amazonaws.com.cn", "amazonaws.com.cn"},
    {"amazonaws.eu", "amazonaws.eu"},
    {"on.aws", "api.aws"},
    {"on.amazonwebservices.com.cn", "api.amazonwebservices.com.cn"},
    {"sc2s.sgov.gov", "sc2s.sgov.gov"},
    {"c2s.ic.gov", "c2s.ic.gov"},
    {"cloud.adc-e.uk", "cloud.adc-e.uk"},
    {"csp.hci.ic.gov", "csp.hci.ic.gov"},
}};

bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix))
    return false;
  text.remove_prefix(prefix.size());
  return true;
}

bool is_account(std::string_view text) {
  return text.size() == 12 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_region(std::string_view text) {
  const auto is_part = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  return !text.empty() && text[0] != '-' && text[0] != '_' &&
         std::all_of(text.begin(), text.end(), is_part);
}

std::string api_url(std::string_view region, std::string_view api, bool is_fips) {
  // The names of the dual-stack API have no "api." before them.
  const bool dual_stack = api.starts_with("api.");
  const auto* const host = is_fips ? "ecr-fips" : dual_stack ? "ecr" : "api.ecr";
  return fmt::format("https://{}.{}.{}/", host, region, api);
}

/// "authorizationData" is a list here, and the thing itself at public.ecr.aws.
const Json& authorization_data(const Json& answer) {
  const auto* data = answer.find("authorizationData");
  if (data != nullptr && data->is_array())
    data = data->as_array().empty() ? nullptr : &data->as_array().front();
  if (data == nullptr || !data->is_object())
    throw Error("the answer has no \"authorizationData\"");
  return *data;
}

Time expiry(const Json& data, Time now) {
  const auto* stated = data.find("expiresAt");
  const bool is_number = stated != nullptr && (stated->kind() == Json::Kind::integer ||
                                               stated->kind() == Json::Kind::real);
  const auto latest = now + usual_ecr_life;
  if (!is_number)
    return latest;
  const auto seconds = stated->as_double();
  const auto most = static_cast<double>(unix_seconds(latest));
  return seconds > 0 && seconds < most ? from_unix(static_cast<std::int64_t>(seconds)) : latest;
}

class EcrMinter final : public TokenProvider {
public:
  explicit EcrMinter(const CloudServices& services) : services_(services) {}

  std::string_view name() const override { return "ecr"; }

  bool covers(std::string_view registry) const override {
    return parse_ecr_registry(registry).has_value();
  }

  std::optional<MintedCredential> mint(const std::string& registry) override {
    const auto place = parse_ecr_registry(registry);
    const auto keys = place ? find_aws_keys(services_, place->region) : std::nullopt;
    if (!keys)
      return std::nullopt;
    const auto request = token_request(*place, *keys);
    const auto response = send_secret(services_.http, request, {keys->secret, keys->session});
    const auto answer = answer_json(request, response);
    return within([&] { return read(answer, registry, *keys); }, "{}", describe(request));
  }

private:
  Request token_request(const EcrRegistry& place, const AwsKeys& keys) const {
    const bool is_public = place.service == "ecr-public";
    Request request;
    request.method = "POST";
    request.url = aws_endpoint(services_.environment, is_public ? "ECR_PUBLIC" : "ECR", place.url);
    request.headers.set("Content-Type", "application/x-amz-json-1.1");
    request.headers.set("X-Amz-Target",
                        is_public ? "SpencerFrontendService.GetAuthorizationToken"
                                  : "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken");
    request.body = std::string("{}");
    sign_aws(request, keys, {place.region, place.service}, services_.clock());
    return request;
  }

  MintedCredential read(const Json& answer, const std::string& registry,
                        const AwsKeys& keys) const {
    const auto& data = authorization_data(answer);
    const auto decoded = base64_decode(answer_text(data, "authorizationToken"));
    const auto parts = decoded ? cut(*decoded, ':') : std::nullopt;
    if (!parts || parts->second.empty())
      throw Error("\"authorizationToken\" is not base64 of \"AWS:password\"");
    MintedCredential minted{{}, expiry(data, services_.clock())};
    if (keys.expires)
      minted.expires = std::min(minted.expires, *keys.expires);
    minted.credential.username = parts->first;
    minted.credential.password = parts->second;
    minted.credential.key = registry;
    minted.credential.source = "Amazon ECR (" + keys.source + ")";
    return minted;
  }

  CloudServices services_;
};

} // namespace

std::optional<EcrRegistry> parse_ecr_registry(std::string_view registry) {
  const auto lower = to_lower(registry);
  std::string_view rest = lower;
  if (rest == "public.ecr.aws" || rest == "ecr-public.aws.com")
    return EcrRegistry{std::string(public_region),
                       "https://api.ecr-public.us-east-1.amazonaws.com/", "ecr-public"};
  const auto account = rest.substr(0, rest.find('.'));
  if (!is_account(account))
    return std::nullopt;
  rest.remove_prefix(account.size());
  if (!take(rest, ".dkr.ecr") && !take(rest, ".dkr-ecr"))
    return std::nullopt;
  const bool is_fips = take(rest, "-fips");
  if (!take(rest, "."))
    return std::nullopt;
  const auto region = rest.substr(0, rest.find('.'));
  if (!is_region(region) || region.size() == rest.size())
    return std::nullopt;
  const auto domain = rest.substr(region.size() + 1);
  for (const auto& partition : partitions)
    if (partition.domain == domain)
      return EcrRegistry{std::string(region), api_url(region, partition.api, is_fips), "ecr"};
  return std::nullopt;
}

std::unique_ptr<TokenProvider> make_ecr_token_provider(const CloudServices& services) {
  return std::make_unique<EcrMinter>(services);
}

} // namespace cairn
