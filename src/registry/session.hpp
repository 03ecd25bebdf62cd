#pragma once

#include "oci/reference.hpp"
#include "registry/options.hpp"
#include "registry/services.hpp"
#include "registry/token.hpp"

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace cairn {

/// On whose behalf a request is sent: the repository whose credential counts, and what the token is
/// to allow ("repository:acme/app:pull,push").
struct Access {
  ImageRef ref;
  std::vector<std::string> scopes;
};

/// Whether a 401 is worth another token: not for what may as well not happen.
enum class LoginAgain { yes, no };

/// "repository:<repository>:pull" or "…:pull,push".
std::string scope_of(const std::string& repository, Direction direction);

/// One registry as one of the two directions sees it: where it is, and how to log in there.
/// Thread-safe.
class RegistrySession {
public:
  /// `options` are borrowed.
  RegistrySession(const RegistryServices& services, const RegistryOptions& options,
                  const ImageRef& ref, Direction direction);

  /// One attempt. `request.url` is absolute or a path below the registry ("/v2/…"). Logs in when
  /// the registry asks for it, once more when it asks again; what then comes is the answer.
  /// @throws TransientStatus for answers that may pass; what Http::send() throws
  Response send(Request request, const Access& access, LoginAgain again = LoginAgain::yes);

  /// One request that any answer will do for, whatever it is. @throws TlsError; TemporaryError when
  /// none came in that time
  void require_answer(std::chrono::seconds patience, const std::atomic<bool>* cancel);

  /// Why `response` is no success, with the credential that was used. @throws NotInRegistry; Error
  [[noreturn]] void refuse(const Request& request, const Response& response, const Access& access);

  /// A Location header of an answer, absolute. A registry behind a proxy may believe that it is
  /// spoken to in plain text; its own name stays with the scheme in use. @throws Error
  std::string location(const Request& request, const Response& response);

  /// True when `url` leads to the registry itself, where its credential may go.
  bool is_own(const std::string& url);

  /// Whether the registry has turned out to take blobs in pieces alone. Remembered for the program.
  bool wants_pieces() const noexcept { return wants_pieces_; }
  void set_wants_pieces() noexcept { wants_pieces_ = true; }

  std::optional<Credential> credential(const Access& access) const;

private:
  struct TokenSlot;

  std::string base();
  Request first_request(const std::string& base) const;
  bool answers_at(const std::string& base);
  void prepare(Request& request);
  /// How `authority`, "host[:port]", is trusted that is not the registry's own.
  std::shared_ptr<const TlsOptions> trust(const std::string& authority) const;
  /// A token server that the registry names is trusted as the registry is.
  void prepare_login(Request& request);
  Response attempt(const Request& request, const Access& access);
  Response exchange(const Request& request);
  void learn(const Response& response);
  /// Some registries file a repository under another name than clients do.
  void learn_scopes(const Response& response, const Access& access);
  /// The value of the Authorization header; `rejected` is one that the registry did not take.
  std::string authorization(const Access& access, const std::string& rejected);
  std::string bearer(const Challenge& challenge, const std::vector<std::string>& scopes,
                     const std::optional<Credential>& credential, const std::string& rejected);
  Token fetch_token(const Challenge& challenge, const std::vector<std::string>& scopes,
                    const std::optional<Credential>& credential);
  Response ask_for_token(const Challenge& challenge, const std::vector<std::string>& scopes,
                         const std::optional<Credential>& credential);
  std::string explain(const std::optional<Credential>& credential) const;

  const RegistryServices services_;
  const std::string registry_; ///< As references name it.
  const std::string endpoint_; ///< "host[:port]" on the wire.
  const RegistryOptions& options_;
  const Direction direction_;
  const std::vector<std::string> schemes_;
  const std::shared_ptr<const TlsOptions> tls_;
  std::atomic<AddressScope> home_ = AddressScope::global; ///< Where the registry has answered.
  std::atomic<bool> wants_pieces_ = false;

  std::mutex finding_base_;
  std::mutex mutex_; ///< Guards what follows.
  std::string base_; ///< "https://host:port", empty until it has answered.
  std::optional<Challenge> login_;
  /// What is asked for, when the registry wanted more than the caller's scopes.
  std::map<std::string, std::vector<std::string>> known_scopes_;
  std::map<std::string, std::shared_ptr<TokenSlot>> tokens_;
};

} // namespace cairn
