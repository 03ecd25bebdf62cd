#include "builder/plan/checks/plan_checks.hpp"

#include "util/rooted_path.hpp"
#include "util/text.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace cairn {

IgnoredSources::IgnoredSources(std::vector<IgnoreLine> lines) : lines_(std::move(lines)) {
  if (std::any_of(lines_.begin(), lines_.end(),
                  [](const IgnoreLine& line) { return line.pattern.starts_with('!'); }))
    lines_.clear();
}

bool IgnoredSources::hold(std::string_view source) {
  if (lines_.empty())
    return false;
  // "COPY ." asks for the root, which only patterns for everything in it leave empty.
  const auto takes_all = [](const IgnoreLine& line) {
    return line.pattern == "*" || line.pattern == "**" || line.pattern == "**/*";
  };
  const bool is_root = source == "." || source == "/";
  if (is_root && std::none_of(lines_.begin(), lines_.end(), takes_all))
    return false;
  if (!rules_)
    rules_.emplace(lines_);
  return rules_->judge(source).ignored();
}

std::string meant_name(std::string_view name, const std::vector<std::string>& known,
                       std::string_view prefix) {
  const auto guess = suggest_exact_case(name, known);
  return guess ? fmt::format(" (did you mean {}{}?)", prefix, *guess) : std::string();
}

} // namespace cairn
