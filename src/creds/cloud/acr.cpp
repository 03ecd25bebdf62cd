#include "creds/cloud/acr.hpp"

#include "creds/cloud/azure_token.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

#include <array>
#include <chrono>

namespace cairn {

namespace {

constexpr std::chrono::hours refresh_token_life{3};

class AcrMinter final : public TokenProvider {
public:
  explicit AcrMinter(const CloudServices& services) : services_(services) {}

  std::string_view name() const override { return "acr"; }

  bool covers(std::string_view registry) const override { return is_azure_registry(registry); }

  std::optional<MintedCredential> mint(const std::string& registry) override {
    const auto token =
        find_azure_token(services_, azure_cloud(services_.environment, to_lower(registry)));
    if (!token)
      return std::nullopt;
    FormFields fields = {{"grant_type", "access_token"}, {"service", registry}};
    if (const auto tenant = services_.environment.text("AZURE_TENANT_ID"); !tenant.empty())
      fields.emplace_back("tenant", tenant);
    fields.emplace_back("access_token", token->text);
    const auto request = form_request("https://" + registry + "/oauth2/exchange", fields);
    const auto answer = answer_json(request, send_secret(services_.http, request, {token->text}));
    MintedCredential minted{{}, services_.clock() + refresh_token_life};
    minted.credential.identity_token =
        within([&] { return answer_text(answer, "refresh_token"); }, "{}", describe(request));
    minted.credential.key = registry;
    minted.credential.source = "Azure (" + token->source + ")";
    return minted;
  }

private:
  CloudServices services_;
};

} // namespace

bool is_azure_registry(std::string_view registry) {
  const auto host = to_lower(registry);
  static constexpr std::array<std::string_view, 4> domains = {".azurecr.io", ".azurecr.cn",
                                                              ".azurecr.de", ".azurecr.us"};
  for (const auto domain : domains)
    if (host.size() > domain.size() && host.ends_with(domain))
      return true;
  return false;
}

std::unique_ptr<TokenProvider> make_acr_token_provider(const CloudServices& services) {
  return std::make_unique<AcrMinter>(services);
}

} // namespace cairn
