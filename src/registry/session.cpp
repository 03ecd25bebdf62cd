#include "registry/session.hpp"

#include "net/redact.hpp"
#include "net/url.hpp"
#include "registry/error.hpp"
#include "util/text.hpp"

#include <algorithm>
#include <exception>

namespace cairn {

/// Threads that need the same token wait for the one that fetches it.
struct RegistrySession::TokenSlot {
  std::mutex mutex;
  std::optional<Token> token;
};

namespace {

std::vector<Challenge> challenges_of(const Response& response) {
  std::vector<Challenge> all;
  for (const auto& header : response.headers.all("www-authenticate"))
    for (auto& challenge : parse_challenges(header))
      all.push_back(std::move(challenge));
  return all;
}

/// A token is asked for rather than sending the password with every request.
std::optional<Challenge> preferred(const std::vector<Challenge>& challenges) {
  for (const auto* scheme : {"bearer", "basic"})
    for (const auto& challenge : challenges)
      if (challenge.scheme == scheme &&
          (challenge.scheme == "basic" || !challenge.get("realm").empty()))
        return challenge;
  return std::nullopt;
}

/// What the caller needs, and what else the registry asks for.
std::vector<std::string> merge_scopes(std::vector<std::string> scopes, const Challenge& challenge) {
  for (auto& scope : split(challenge.get("scope"), ' '))
    if (!scope.empty() && std::find(scopes.begin(), scopes.end(), scope) == scopes.end())
      scopes.push_back(std::move(scope));
  return scopes;
}

bool speaks_no_tls(const TlsError& error) {
  return std::string_view(error.what()).find("wrong version number") != std::string_view::npos;
}

std::string tls_hint(const TlsError& error, std::string_view host) {
  return speaks_no_tls(error)
             ? fmt::format("--insecure-registry {} speaks plain HTTP to it", host)
             : fmt::format("--registry-certificate {0}=FILE names the authority to trust, "
                           "--skip-tls-verify-registry {0} trusts whoever answers",
                           host);
}

std::optional<Credential> without_identity_token(std::optional<Credential> credential) {
  if (credential && credential->password.empty())
    credential->password = credential->identity_token;
  if (credential)
    credential->identity_token.clear();
  return credential;
}

} // namespace

std::string scope_of(const std::string& repository, Direction direction) {
  return "repository:" + repository + (direction == Direction::push ? ":pull,push" : ":pull");
}

RegistrySession::RegistrySession(const RegistryServices& services, const RegistryOptions& options,
                                 const ImageRef& ref, Direction direction)
    : services_(services), registry_(ref.registry()), endpoint_(ref.endpoint()), options_(options),
      direction_(direction), schemes_(options.schemes(ref.registry(), direction)),
      tls_(options.tls(ref.registry(), direction)) {}

Response RegistrySession::send(Request request, const Access& access, LoginAgain again) {
  prepare(request);
  if (!is_own(request.url))
    return attempt(request, access);
  request.authorization = authorization(access, {});
  auto response = attempt(request, access);
  if (response.status != 401 || again == LoginAgain::no)
    return response;
  learn(response);
  learn_scopes(response, access);
  const auto renewed = authorization(access, request.authorization);
  if (renewed.empty() || renewed == request.authorization)
    return response;
  request.authorization = renewed;
  return attempt(request, access);
}

Response RegistrySession::attempt(const Request& request, const Access& access) {
  auto response = exchange(request);
  if (!is_transient(response.status))
    return response;
  TransientStatus error(request, response);
  if (response.status == 429)
    error.add_detail(explain(credential(access)));
  throw TransientStatus(error);
}

Response RegistrySession::exchange(const Request& request) {
  try {
    auto response = services_.http.send(request);
    if (!request.led_from && response.url == request.url)
      home_ = response.peer;
    return response;
  } catch (TlsError& error) {
    const bool is_elsewhere = !error.authority().empty() && error.authority() != endpoint_;
    error.add_hint(tls_hint(error, is_elsewhere ? error.authority() : registry_));
    throw;
  } catch (TemporaryError& error) {
    if (schemes_.size() == 1 && is_private_registry(registry_))
      error.add_hint(
          fmt::format("plain HTTP is spoken to it with --insecure-registry {} alone", registry_));
    throw;
  }
}

void RegistrySession::refuse(const Request& request, const Response& response,
                             const Access& access) {
  auto shown = request;
  prepare(shown);
  const auto text = describe(shown) + ": " + describe(response);
  if (response.status == 404)
    throw NotInRegistry("{}", text);
  if (response.status != 401 && response.status != 403)
    throw Error("{}", text);
  throw with_hint(Error("{} ({})", text, explain(credential(access))),
                  fmt::format("{}/{} may not exist, or the credential may not do this", registry_,
                              access.ref.repository()));
}

std::string RegistrySession::location(const Request& request, const Response& response) {
  const auto* header = response.headers.find("location");
  if (header == nullptr)
    throw Error("{}: {}: the answer has no Location",
                describe({.method = request.method, .url = response.url}), describe(response));
  const auto own = Url::parse(base());
  const auto from = Url::parse(response.url.empty() ? base() : response.url);
  auto target = within([&] { return from.resolve(*header); }, "{}: Location", describe(request));
  if (own.scheme == "https" && target.scheme == "http" && target.host == own.host) {
    target.scheme = own.scheme;
    if (target.port == "80" || target.port.empty())
      target.port = own.port;
  }
  return target.str();
}

std::optional<Credential> RegistrySession::credential(const Access& access) const {
  return services_.keychain.find(access.ref);
}

void RegistrySession::prepare(Request& request) {
  if (request.url.starts_with('/'))
    request.url = base() + request.url;
  request.tls = tls_;
  request.tls_elsewhere = [this](const std::string& authority) { return trust(authority); };
  request.plaintext = schemes_.size() > 1 ? Plaintext::allow : Plaintext::refuse;
  if (is_own(request.url))
    return;
  request.tls = trust(Url::parse(request.url).authority());
  request.led_from = home_;
}

std::shared_ptr<const TlsOptions> RegistrySession::trust(const std::string& authority) const {
  return options_.tls(authority, direction_);
}

void RegistrySession::prepare_login(Request& request) {
  prepare(request);
  if (is_own(request.url))
    return;
  // Who can pose as the registry can also name a token server of its own: trusting this one as far
  // gives nothing away. The client's certificate is another matter.
  auto tls = *request.tls;
  tls.extra_ca += tls_->extra_ca;
  if (tls_->verify == TlsVerify::none)
    tls.verify = TlsVerify::none;
  request.tls = std::make_shared<const TlsOptions>(std::move(tls));
}

bool RegistrySession::is_own(const std::string& url) {
  return Url::parse(url).origin() == Url::parse(base()).origin();
}

std::string RegistrySession::base() {
  const std::lock_guard finding(finding_base_);
  {
    const std::lock_guard lock(mutex_);
    if (base_.empty() && schemes_.size() == 1)
      base_ = schemes_.front() + "://" + endpoint_;
    if (!base_.empty())
      return base_;
  }
  std::exception_ptr first;
  std::exception_ptr distrusted;
  for (const auto& scheme : schemes_) {
    const auto candidate = scheme + "://" + endpoint_;
    try {
      if (!answers_at(candidate))
        continue;
      const std::lock_guard lock(mutex_);
      base_ = candidate;
      return base_;
    } catch (const TransientStatus&) {
      // It does speak this scheme, and will answer when it can.
      throw;
    } catch (const TlsError& error) {
      auto& place = speaks_no_tls(error) ? first : distrusted;
      place = place ? place : std::current_exception();
    } catch (const TemporaryError&) {
      first = first ? first : std::current_exception();
    }
  }
  // A certificate that is not trusted is what there is to mend, whatever the other scheme said.
  if (distrusted)
    std::rethrow_exception(distrusted);
  if (first)
    std::rethrow_exception(first);
  throw Error("{}: what answers there is no registry", endpoint_);
}

void RegistrySession::require_answer(std::chrono::seconds patience,
                                     const std::atomic<bool>* cancel) {
  const auto end = std::chrono::steady_clock::now() + patience;
  std::exception_ptr failure;
  for (const auto& scheme : schemes_) {
    // Who is silent in one way is so in the other.
    if (failure && std::chrono::steady_clock::now() >= end)
      break;
    auto request = first_request(scheme + "://" + endpoint_);
    request.patience = patience;
    request.cancel = cancel;
    try {
      return learn(exchange(request));
    } catch (const Error&) {
      failure = failure ? failure : std::current_exception();
    }
  }
  if (failure)
    std::rethrow_exception(failure);
}

Request RegistrySession::first_request(const std::string& base) const {
  Request request;
  request.url = base + "/v2/";
  request.tls = tls_;
  request.tls_elsewhere = [this](const std::string& authority) { return trust(authority); };
  request.plaintext = Plaintext::allow;
  // To another port, or to https: this is not where it is.
  request.redirects = base.starts_with("http://") ? Redirects::keep : Redirects::follow;
  return request;
}

bool RegistrySession::answers_at(const std::string& base) {
  const auto request = first_request(base);
  const auto response = exchange(request);
  learn(response);
  if (is_transient(response.status))
    throw TransientStatus(request, response);
  return response.ok() || response.status == 401 || response.status == 403 ||
         response.status == 404;
}

void RegistrySession::learn(const Response& response) {
  if (response.status != 401)
    return;
  if (auto challenge = preferred(challenges_of(response))) {
    const std::lock_guard lock(mutex_);
    login_ = std::move(challenge);
  }
}

void RegistrySession::learn_scopes(const Response& response, const Access& access) {
  const auto challenge = preferred(challenges_of(response));
  if (!challenge)
    return;
  auto merged = merge_scopes(access.scopes, *challenge);
  const std::lock_guard lock(mutex_);
  if (merged != access.scopes)
    known_scopes_[join(access.scopes, " ")] = std::move(merged);
}

std::string RegistrySession::authorization(const Access& access, const std::string& rejected) {
  std::optional<Challenge> login;
  auto scopes = access.scopes;
  {
    const std::lock_guard lock(mutex_);
    login = login_;
    if (const auto known = known_scopes_.find(join(scopes, " ")); known != known_scopes_.end())
      scopes = known->second;
  }
  if (!login)
    return {};
  const auto found = credential(access);
  if (found && !found->registry_token.empty())
    return "Bearer " + found->registry_token;
  if (login->scheme == "bearer")
    return bearer(*login, scopes, found, rejected);
  if (!found)
    return {};
  const auto usable = without_identity_token(found);
  return basic_authorization(usable->username, usable->password);
}

std::string RegistrySession::bearer(const Challenge& challenge,
                                    const std::vector<std::string>& scopes,
                                    const std::optional<Credential>& credential,
                                    const std::string& rejected) {
  const auto key = challenge.get("realm") + " " + join(scopes, " ");
  std::shared_ptr<TokenSlot> slot;
  {
    const std::lock_guard lock(mutex_);
    auto& entry = tokens_[key];
    if (!entry)
      entry = std::make_shared<TokenSlot>();
    slot = entry;
  }
  const std::lock_guard lock(slot->mutex);
  const bool usable = slot->token && slot->token->expires > services_.clock() &&
                      "Bearer " + slot->token->text != rejected;
  if (!usable)
    slot->token = fetch_token(challenge, scopes, credential);
  return "Bearer " + slot->token->text;
}

Token RegistrySession::fetch_token(const Challenge& challenge,
                                   const std::vector<std::string>& scopes,
                                   const std::optional<Credential>& credential) {
  return within(
      [&] {
        const auto now = services_.clock();
        const auto response = ask_for_token(challenge, scopes, credential);
        return within([&] { return parse_token(response.body, now); }, "{}",
                      redact_url(response.url));
      },
      "log in to {}", registry_);
}

Response RegistrySession::ask_for_token(const Challenge& challenge,
                                        const std::vector<std::string>& scopes,
                                        const std::optional<Credential>& credential) {
  auto request = token_request(challenge, scopes, credential);
  prepare_login(request);
  const bool secret = credential.has_value();
  if (secret)
    request.redirects = Redirects::same_origin;
  if (secret && request.plaintext == Plaintext::refuse && request.url.starts_with("http:"))
    throw Error("{}: refused, the credential would leave TLS", describe(request));
  auto response = exchange(request);
  if (is_transient(response.status))
    throw TransientStatus(request, response);
  if (response.ok())
    return response;
  // A token server from before OAuth 2 knows the identity token as a password, if at all.
  const bool old = response.status == 404 || response.status == 405;
  if (old && request.method == "POST")
    return ask_for_token(challenge, scopes, without_identity_token(credential));
  throw Error("{}: {} ({})", describe(request), describe(response), explain(credential));
}

std::string RegistrySession::explain(const std::optional<Credential>& credential) const {
  if (credential)
    return "with " + credential->describe();
  const auto places = services_.keychain.places();
  return "anonymously, no credential for " + registry_ +
         (places.empty() ? " was given" : " in " + places);
}

} // namespace cairn
