#include "errors.hpp"

#include "util/error.hpp"

namespace cairn::test {

std::string error_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.detail().empty() ? error.what() : error.what() + ("\n" + error.detail());
  }
  return {};
}

} // namespace cairn::test
