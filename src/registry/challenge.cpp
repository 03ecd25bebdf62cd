#include "registry/challenge.hpp"

#include "util/text.hpp"

#include <algorithm>
#include <optional>

namespace cairn {

namespace {

constexpr std::string_view blanks = " \t";
constexpr std::string_view not_in_token = " \t\r\n\",;=()<>@:\\[]?{}";

/// Reads a header value from left to right.
class Scanner {
public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool at_end() const noexcept { return rest_.empty(); }

  void skip(std::string_view characters) {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(characters), rest_.size()));
  }

  bool take(char c) {
    if (!rest_.starts_with(c))
      return false;
    rest_.remove_prefix(1);
    return true;
  }

  std::string_view token() {
    // A slash and a tilde occur in unquoted values, so that only delimiters end a token.
    const auto end = std::min(rest_.find_first_of(not_in_token), rest_.size());
    const auto text = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return text;
  }

  /// What an unquoted value may hold in practice: all up to a comma or a blank.
  std::string_view bare_value() {
    const auto end = std::min(rest_.find_first_of(" \t,"), rest_.size());
    const auto text = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return text;
  }

  /// After the opening quote; nothing when there is no closing one.
  std::optional<std::string> quoted() {
    std::string out;
    for (std::size_t i = 0; i < rest_.size(); ++i) {
      if (rest_[i] == '"') {
        rest_.remove_prefix(i + 1);
        return out;
      }
      if (rest_[i] == '\\' && i + 1 < rest_.size())
        ++i;
      out += rest_[i];
    }
    return std::nullopt;
  }

  Scanner copy() const { return *this; }

private:
  std::string_view rest_;
};

/// "name=value"; leaves the scanner alone when something else comes, a new scheme for instance.
std::optional<std::pair<std::string, std::string>> parameter(Scanner& scanner) {
  auto ahead = scanner.copy();
  const auto name = ahead.token();
  ahead.skip(blanks);
  if (name.empty() || !ahead.take('='))
    return std::nullopt;
  ahead.skip(blanks);
  std::string value;
  if (ahead.take('"')) {
    auto text = ahead.quoted();
    if (!text)
      return std::nullopt;
    value = *std::move(text);
  } else {
    value = ahead.bare_value();
  }
  scanner = ahead;
  return std::pair(to_lower(name), std::move(value));
}

} // namespace

std::string Challenge::get(const std::string& name) const {
  const auto found = parameters.find(name);
  return found == parameters.end() ? std::string() : found->second;
}

std::vector<Challenge> parse_challenges(std::string_view header) {
  std::vector<Challenge> challenges;
  Scanner scanner(header);
  for (;;) {
    scanner.skip(" \t,");
    const auto scheme = scanner.token();
    // An equals sign follows a parameter that could not be read, not a scheme.
    if (scheme.empty() || scanner.take('='))
      return challenges;
    Challenge challenge{to_lower(scheme), {}};
    scanner.skip(blanks);
    while (auto found = parameter(scanner)) {
      challenge.parameters.insert(*std::move(found));
      scanner.skip(" \t,");
    }
    challenges.push_back(std::move(challenge));
  }
}

} // namespace cairn
