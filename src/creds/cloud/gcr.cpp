#include "creds/cloud/gcr.hpp"

#include "creds/cloud/gcp_token.hpp"
#include "util/text.hpp"

namespace cairn {

namespace {

class GoogleMinter final : public TokenProvider {
public:
  explicit GoogleMinter(const CloudServices& services) : services_(services) {}

  std::string_view name() const override { return "google"; }

  bool covers(std::string_view registry) const override { return is_google_registry(registry); }

  std::optional<MintedCredential> mint(const std::string& registry) override {
    auto token = find_gcp_token(services_);
    if (!token)
      return std::nullopt;
    MintedCredential minted{{}, token->expires};
    minted.credential.username = "oauth2accesstoken";
    minted.credential.password = std::move(token->text);
    minted.credential.key = registry;
    minted.credential.source = "Google Cloud (" + token->source + ")";
    return minted;
  }

private:
  CloudServices services_;
};

} // namespace

bool is_google_registry(std::string_view registry) {
  const auto host = to_lower(registry);
  return host == "gcr.io" || host.ends_with(".gcr.io") || host.ends_with(".pkg.dev") ||
         host.ends_with(".google.com");
}

std::unique_ptr<TokenProvider> make_google_token_provider(const CloudServices& services) {
  return std::make_unique<GoogleMinter>(services);
}

} // namespace cairn
