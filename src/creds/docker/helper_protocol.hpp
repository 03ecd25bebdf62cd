#pragma once

#include "creds/docker/credential.hpp"
#include "oci/reference.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cairn {

/// What stands behind a docker-credential-* program. Servers are named as clients name them.
class HelperBackend {
public:
  virtual ~HelperBackend() = default;
  /// Nothing: there are no credentials. @throws Error
  virtual std::optional<Credential> get(const std::string& server) = 0;
  virtual void store(const std::string& server, const Credential& credential) = 0;
  virtual void erase(const std::string& server) = 0;
  /// Servers and their users.
  virtual std::map<std::string, std::string> list() = 0;
};

/// What the program prints on stdout, errors included, and how it ends.
struct HelperAnswer {
  int exit_status = 0;
  std::string output;

  bool operator==(const HelperAnswer&) const = default;
};

/// How a helper introduces itself.
struct HelperIdentity {
  std::string name;    ///< "docker-credential-cairn"
  std::string version; ///< "0.1.0"
};

inline constexpr std::uint64_t max_helper_input = std::uint64_t{1} << 20;

/// Whether the words ask for something that is read from stdin.
bool helper_reads_input(const std::vector<std::string>& words);

/// One exchange of the protocol of docker-credential-helpers: `words` follow the program's name,
/// `input` is all of stdin.
HelperAnswer serve_helper(const HelperIdentity& identity, const std::vector<std::string>& words,
                          std::string_view input, HelperBackend& backend);

/// An image on the server that a client asks about: "https://index.docker.io/v1/",
/// "https://ghcr.io", "localhost:5000", "registry.example.com/team". Nothing when it is no name.
std::optional<ImageRef> image_on_server(std::string_view server);

} // namespace cairn
