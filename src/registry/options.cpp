#include "registry/options.hpp"

#include "net/ca_pool.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

#include <array>
#include <optional>

namespace cairn {

namespace {

std::string_view without_port(std::string_view registry) {
  if (registry.starts_with('['))
    return registry.substr(0, registry.find(']') + 1);
  return registry.substr(0, registry.find(':'));
}

bool has_port(std::string_view registry) {
  return without_port(registry).size() < registry.size();
}

std::optional<std::array<unsigned, 4>> ipv4(std::string_view host) {
  const auto parts = split(host, '.');
  if (parts.size() != 4)
    return std::nullopt;
  std::array<unsigned, 4> octets{};
  for (std::size_t i = 0; i < octets.size(); ++i) {
    const auto value = parse_unsigned(parts[i]);
    if (!value || *value > 255)
      return std::nullopt;
    octets[i] = static_cast<unsigned>(*value);
  }
  return octets;
}

bool is_private(const std::array<unsigned, 4>& octets) {
  return octets[0] == 10 || (octets[0] == 192 && octets[1] == 168) ||
         (octets[0] == 172 && octets[1] >= 16 && octets[1] < 32);
}

/// The names of Docker Hub are one registry in flags too.
std::string flag_name(std::string_view registry) {
  auto name = to_lower(trim(registry));
  if (name == "index.docker.io" || name == "registry-1.docker.io")
    return "docker.io";
  return name;
}

template<class Names>
bool names_registry(const Names& names, std::string_view registry) {
  for (const auto& name : names)
    if (flag_name(name) == flag_name(registry))
      return true;
  return false;
}

template<class Map>
const typename Map::mapped_type* entry_for(const Map& map, std::string_view registry) {
  const auto found = map.find(flag_name(registry));
  return found == map.end() ? nullptr : &found->second;
}

std::pair<std::string, std::string> split_flag(std::string_view flag, std::string_view form) {
  const auto parts = cut(flag, '=');
  if (!parts || trim(parts->first).empty() || parts->second.empty())
    throw Error("'{}' is not of the form {}", printable(flag), form);
  return {flag_name(parts->first), std::string(parts->second)};
}

} // namespace

void RegistryOptions::add_certificate(std::string_view flag) {
  const auto [registry, path] = split_flag(flag, "REGISTRY=CERTIFICATE");
  certificates[registry] += load_pem(path) + "\n";
}

void RegistryOptions::add_client_certificate(std::string_view flag) {
  const auto [registry, paths] = split_flag(flag, "REGISTRY=CERTIFICATE,KEY");
  const auto files = cut(paths, ',');
  if (!files)
    throw Error("'{}' is not of the form REGISTRY=CERTIFICATE,KEY", printable(flag));
  client_certificates[registry] = {load_pem(std::string(files->first)),
                                   load_pem(std::string(files->second))};
}

std::vector<std::string> RegistryOptions::schemes(std::string_view registry,
                                                  Direction direction) const {
  const bool insecure = direction == Direction::push ? insecure_push : insecure_pull;
  if (insecure || names_registry(insecure_registries, registry) || is_loopback_registry(registry))
    // With a port it is the same server whichever comes first, and asking in plain text, without a
    // credential, saves a handshake with one that speaks nothing else.
    return has_port(registry) ? std::vector<std::string>{"http", "https"}
                              : std::vector<std::string>{"https", "http"};
  return {"https"};
}

std::shared_ptr<const TlsOptions> RegistryOptions::tls(std::string_view registry,
                                                       Direction direction) const {
  auto options = std::make_shared<TlsOptions>();
  const bool skip = direction == Direction::push ? skip_tls_verify_push : skip_tls_verify_pull;
  if (skip || names_registry(skip_tls_verify_registries, registry))
    options->verify = TlsVerify::none;
  if (const auto* authority = entry_for(certificates, registry))
    options->extra_ca = *authority;
  if (const auto* client = entry_for(client_certificates, registry)) {
    options->certificate = client->certificate;
    options->key = client->key;
  }
  return options;
}

bool is_loopback_registry(std::string_view registry) {
  constexpr unsigned loopback_block = 127;
  const auto host = to_lower(without_port(registry));
  const auto octets = ipv4(host);
  return host == "localhost" || host == "[::1]" || host.ends_with(".localhost") ||
         (octets && octets->front() == loopback_block);
}

bool is_private_registry(std::string_view registry) {
  const auto host = to_lower(without_port(registry));
  const auto octets = ipv4(host);
  return host.ends_with(".local") || (octets && is_private(*octets));
}

} // namespace cairn
