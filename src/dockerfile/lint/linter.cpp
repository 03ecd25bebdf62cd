#include "dockerfile/lint/linter.hpp"

#include "util/error.hpp"
#include "util/text.hpp"

#include <algorithm>
#include <utility>

namespace cairn {

namespace {

/// Violations that the error repeats: the log may have been told to leave warnings out.
constexpr std::size_t most_shown = 10;

std::string names_of(const std::vector<LintWarning>& warnings) {
  std::vector<std::string> names;
  for (const auto& warning : warnings) {
    std::string name(info(warning.rule).name);
    if (std::find(names.begin(), names.end(), name) == names.end())
      names.push_back(std::move(name));
  }
  return join(names, ", ");
}

Error violation(const std::vector<LintWarning>& warnings, const SourceFile& source) {
  auto error = error_at(source, warnings.front().range,
                        "lint violation found for rules: " + names_of(warnings));
  for (std::size_t i = 0; i < std::min(warnings.size(), most_shown); ++i)
    error.add_detail(one_line(warnings[i], source.name));
  if (warnings.size() > most_shown)
    error.add_detail(fmt::format("... {} more", warnings.size() - most_shown));
  error.add_hint("'# check=skip=RULE' above an instruction leaves a rule out there");
  return error;
}

} // namespace

std::string one_line(const LintWarning& warning, std::string_view file_name) {
  return fmt::format("{}:{}: {}: {}", file_name, warning.range.first, info(warning.rule).name,
                     printable(warning.detail));
}

Linter::Linter(const std::optional<std::string>& instead, Listener listener)
    : is_overridden_(instead.has_value()), listener_(std::move(listener)) {
  if (instead)
    options_ = within([&] { return parse_check_options(*instead); }, "BUILDKIT_DOCKERFILE_CHECK");
}

void Linter::read(const Directives& directives, const SourceFile& source) {
  if (is_overridden_ || !directives.check)
    return;
  try {
    options_ = parse_check_options(check_options_text(*directives.check));
  } catch (Error& error) {
    add_place(error, source, {directives.check_line, directives.check_line});
    throw;
  }
}

void Linter::report(LintRule rule, SourceRange range, const std::vector<std::string>& comments,
                    std::string detail) {
  const auto here = check_comment(comments);
  const bool experimental = info(rule).state == RuleState::experimental;
  const bool wanted = experimental ? options_.wants(rule) || (here && here->wants(rule))
                                   : options_.wants(rule) && (!here || here->wants(rule));
  if (!wanted || !said_.emplace(rule, range.first, detail).second)
    return;
  warnings_.push_back({rule, range, std::move(detail)});
  if (listener_)
    listener_(warnings_.back());
}

void Linter::enforce(const SourceFile& source) const {
  if (options_.error && !warnings_.empty())
    throw violation(warnings_, source);
}

} // namespace cairn
