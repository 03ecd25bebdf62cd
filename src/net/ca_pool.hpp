#pragma once

#include <string>

namespace cairn {

/// Where the certificates of the authorities are, as the environment says (SSL_CERT_FILE,
/// SSL_CERT_DIR); both empty: the places that distributions use.
struct CaPlaces {
  std::string file;
  std::string directories; ///< Separated by colons; every file in them counts, hashed name or not.
};

/// All certificates as PEM text, read once at the start: what a build later does to these files
/// cannot change whom the program trusts. Missing files are no error; empty when nothing is found.
std::string load_ca_pool(const CaPlaces& places);

/// A PEM file that a flag names. @throws Error when it is missing or holds no PEM block
std::string load_pem(const std::string& path);

} // namespace cairn
