#include "creds/docker/credential.hpp"

#include "util/text.hpp"

namespace cairn {

std::string Credential::describe() const {
  return "credential \"" + printable(key) + "\" of " + printable(source);
}

} // namespace cairn
