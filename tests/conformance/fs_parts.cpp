#include "fs/copy/chmod.hpp"
#include "fs/pattern/glob.hpp"
#include "fs/pattern/ignore.hpp"
#include "parts.hpp"
#include "util/text.hpp"

#include <fmt/core.h>

namespace cairn::test {

namespace {

Verdict check_chmod(const Json& row) {
  const auto text = row.string_or("mode", "");
  Comparison found;
  if (expects_error(row)) {
    const auto error = message_of([&] { (void)ModeChange::parse(text); });
    return error.empty() ? Verdict::differs(text + ": expected an error") : Verdict{};
  }
  const auto change = ModeChange::parse(text);
  for (const auto& apply : row.find("apply")->as_array()) {
    auto from = apply.string_or("from", "");
    const auto what = fmt::format("{} of {}", text, from);
    const auto type = from.starts_with('d') ? FileType::directory : FileType::regular;
    from.erase(0, type == FileType::directory ? 1 : 0);
    const auto wanted = *parse_octal(apply.string_or("to", ""));
    found.expect(what, std::to_string(change.apply(*parse_octal(from), type)),
                 std::to_string(wanted));
  }
  return found.verdict();
}

Verdict check_glob(const Json& row) {
  const auto pattern = row.string_or("pattern", "");
  const auto name = row.string_or("name", "");
  bool fits = false;
  const auto error = message_of([&] { fits = match_glob(pattern, name); });
  Comparison found;
  found.expect(pattern + " error", error, row.string_or("error", ""));
  found.expect_bool(pattern + " fits " + name, fits, row.bool_or("match", false));
  return found.verdict();
}

Verdict check_ignore_file(const Json& row) {
  std::vector<std::string> patterns;
  for (auto& line : parse_ignore_file(row.string_or("text", "")))
    patterns.push_back(std::move(line.pattern));
  Comparison found;
  found.expect(row.string_or("text", ""), patterns, strings_of(row, "patterns"));
  return found.verdict();
}

/// Asks about a path as a walk from the root does.
IgnoreRules::Scope scope_above(const IgnoreRules& rules, const std::string& path) {
  IgnoreRules::Scope scope;
  for (auto at = path.find('/'); at != std::string::npos; at = path.find('/', at + 1)) {
    IgnoreRules::Scope own;
    rules.judge(path.substr(0, at), scope, own);
    scope = own;
  }
  return scope;
}

Verdict check_ignored(const Json& row) {
  const auto patterns = strings_of(row, "patterns");
  const auto path = row.string_or("path", "");
  const auto what = Json::strings(patterns).compact() + " of " + path;
  if (expects_error(row)) {
    const auto error = message_of([&] { (void)IgnoreRules::of(patterns); });
    if (error.empty() || !error.ends_with(row.string_or("error", "")))
      return Verdict::differs(what + ": expected the error " + row.string_or("error", ""));
    return {};
  }
  const auto rules = IgnoreRules::of(patterns);
  const auto scope = scope_above(rules, path);
  IgnoreRules::Scope unused;
  const bool ignored = rules.judge(path).ignored();
  Comparison found;
  found.expect_bool(what, ignored, row.bool_or("ignored", false));
  found.expect_bool(what + " as a file", rules.judge_file(path, scope).ignored(),
                    ignored || rules.judge(path, scope, unused).ignored());
  return found.verdict();
}

} // namespace

std::vector<Part> fs_parts() {
  return {{"tables/chmod.jsonl", read_lines, check_chmod},
          {"tables/glob.jsonl", read_lines, check_glob},
          {"tables/ignorefile.jsonl", read_lines, check_ignore_file},
          {"tables/dockerignore.jsonl", read_lines, check_ignored}};
}

} // namespace cairn::test
