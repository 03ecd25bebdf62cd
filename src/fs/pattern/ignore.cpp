#include "fs/pattern/ignore.hpp"

#include "fs/pattern/glob.hpp"
#include "fs/pattern/ignore_pattern.hpp"
#include "util/error.hpp"
#include "util/rooted_path.hpp"
#include "util/text.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace cairn {

namespace {

std::string clean_line(std::string_view line) {
  const bool takes_back = line.starts_with('!');
  std::string pattern(takes_back ? trim(line.substr(1)) : line);
  if (!pattern.empty()) {
    pattern = clean_path(pattern);
    if (pattern.size() > 1 && pattern.starts_with('/'))
      pattern.erase(0, 1);
  }
  return (takes_back ? "!" : "") + pattern;
}

struct Rule {
  IgnoreLine line;
  IgnoreRules::Verdict effect = IgnoreRules::Verdict::ignore;
  IgnorePattern pattern;
};

Rule compile(IgnoreLine line) {
  std::string text = clean_path(trim(line.pattern));
  auto effect = IgnoreRules::Verdict::ignore;
  if (text.starts_with('!')) {
    effect = IgnoreRules::Verdict::keep;
    text.erase(0, 1);
    if (text.empty())
      throw Error("illegal exclusion pattern: \"!\"");
  }
  // Go's own syntax is stricter than that of the expression that the pattern becomes.
  match_glob(text, ".");
  return {std::move(line), effect, IgnorePattern(std::move(text))};
}

} // namespace

std::vector<IgnoreLine> parse_ignore_file(std::string_view text) {
  if (text.starts_with(byte_order_mark))
    text.remove_prefix(byte_order_mark.size());
  std::vector<IgnoreLine> lines;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.starts_with('#') || trim(line).empty())
      continue;
    lines.push_back({clean_line(trim(line)), number});
  }
  return lines;
}

struct IgnoreRules::State {
  bool may_decide_below(std::string_view directory, Verdict verdict) const {
    return std::any_of(rules.begin(), rules.end(), [&](const Rule& rule) {
      return rule.effect == verdict && rule.pattern.may_fit_below(directory);
    });
  }

  std::vector<Rule> rules;
};

IgnoreRules::IgnoreRules() : state_(std::make_unique<State>()) {}
IgnoreRules::IgnoreRules(IgnoreRules&&) noexcept = default;
IgnoreRules& IgnoreRules::operator=(IgnoreRules&&) noexcept = default;
IgnoreRules::~IgnoreRules() = default;

IgnoreRules::IgnoreRules(std::vector<IgnoreLine> lines) {
  auto state = std::make_unique<State>();
  for (auto& line : lines) {
    if (trim(line.pattern).empty())
      continue;
    const auto where = line.number == 0
                           ? fmt::format("pattern '{}'", line.pattern)
                           : fmt::format("line {}: pattern '{}'", line.number, line.pattern);
    state->rules.push_back(within([&] { return compile(std::move(line)); }, "{}", where));
  }
  state_ = std::move(state);
}

IgnoreRules IgnoreRules::of(const std::vector<std::string>& patterns) {
  std::vector<IgnoreLine> lines;
  lines.reserve(patterns.size());
  for (const auto& pattern : patterns)
    lines.push_back({pattern, 0});
  return IgnoreRules(std::move(lines));
}

bool IgnoreRules::empty() const noexcept {
  return state_->rules.empty();
}

IgnoreRules::Answer IgnoreRules::judge(std::string_view path) const {
  Answer answer;
  for (const auto& rule : state_->rules) {
    if (rule.effect == answer.verdict)
      continue;
    bool fits = rule.pattern.fits(path);
    for (auto at = path.find('/'); !fits && at != std::string_view::npos;
         at = path.find('/', at + 1))
      fits = rule.pattern.fits(path.substr(0, at));
    if (fits)
      answer = {rule.effect, &rule.line};
  }
  return answer;
}

IgnoreRules::Answer IgnoreRules::judge(std::string_view path, const Scope& parent,
                                       Scope& own) const {
  Answer answer;
  const auto count = state_->rules.size();
  std::vector<bool> fits(count);
  std::vector<bool> touches(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto& rule = state_->rules[i];
    const bool known = !parent.fits_.empty();
    const bool touched = rule.pattern.fits(path);
    touches[i] = touched || (known && parent.touches_[i]);
    fits[i] = (known && parent.fits_[i]) || (touched && rule.effect != answer.verdict);
    if (fits[i])
      answer = {rule.effect, &rule.line};
  }
  own.fits_ = std::move(fits);
  own.touches_ = std::move(touches);
  return answer;
}

IgnoreRules::Answer IgnoreRules::judge_file(std::string_view path, const Scope& parent) const {
  Answer walked;
  Answer opened;
  for (std::size_t i = 0; i < state_->rules.size(); ++i) {
    const auto& rule = state_->rules[i];
    const bool known = !parent.fits_.empty();
    const bool inherited = known && parent.fits_[i];
    const bool touched = known && parent.touches_[i];
    const bool undecided = rule.effect != walked.verdict || rule.effect != opened.verdict;
    const bool fits = undecided && rule.pattern.fits(path);
    if (inherited || (fits && rule.effect != walked.verdict))
      walked = {rule.effect, &rule.line};
    if (touched || (fits && rule.effect != opened.verdict))
      opened = {rule.effect, &rule.line};
  }
  return opened.ignored() ? opened : walked;
}

bool IgnoreRules::may_keep_below(std::string_view directory) const {
  return state_->may_decide_below(directory, Verdict::keep);
}

bool IgnoreRules::may_ignore_below(std::string_view directory) const {
  return state_->may_decide_below(directory, Verdict::ignore);
}

} // namespace cairn
