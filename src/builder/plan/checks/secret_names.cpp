#include "builder/plan/checks/secret_names.hpp"

#include "util/text.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace cairn {

namespace {

constexpr std::array<std::string_view, 10> secret_words = {
    "apikey", "auth",  "credential", "credentials", "key",
    "passwd", "pword", "password",   "secret",      "token"};
constexpr std::array<std::string_view, 3> harmless_words = {"file", "public", "version"};

template<class Words>
bool is_one_of(const Words& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

} // namespace

bool sounds_secret(std::string_view name) {
  bool secret = false;
  for (const auto& word : split(to_lower(name), '_')) {
    if (is_one_of(harmless_words, word))
      return false;
    secret = secret || is_one_of(secret_words, word);
  }
  return secret;
}

} // namespace cairn
