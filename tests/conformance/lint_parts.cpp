#include "builder/plan/checks/check.hpp"
#include "parts.hpp"
#include "util/error.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <set>

namespace cairn::test {

namespace {

/// The images that the Dockerfiles of the rows start from.
class RecordedBases final : public BaseConfigs {
public:
  void prefetch(const std::vector<ImageSource>&) override {}

  ImageConfig config(const ImageSource& image) override {
    const auto repository = image.reference ? image.reference->repository() : "";
    if (repository != "library/busybox" && repository != "library/debian" &&
        repository != "library/alpine")
      throw Error("{}: not found", image.name);
    ImageConfig config;
    config.platform = image.platform;
    config.config.env =
        Environment({"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"});
    config.config.cmd = {"sh"};
    return config;
  }
};

/// The row's build, apart from the linter.
CheckRequest request_of(const Json& row) {
  CheckRequest request;
  request.name = "Dockerfile";
  request.text = row.string_or("dockerfile", "");
  request.ignore = parse_ignore_file(row.string_or("dockerignore", ""));
  auto& language = request.options.language;
  language.target_platform = language.build_platform =
      Platform::parse(row.string_or("platform", "linux/amd64"));
  if (const auto target = row.string_or("target", ""); !target.empty())
    language.targets = {target};
  if (const auto* arguments = row.find("build_args"))
    for (const auto& [name, value] : arguments->as_object())
      language.build_args.emplace_back(name, value.as_string());
  return request;
}

std::vector<std::string> texts_of(const std::vector<LintWarning>& warnings) {
  std::vector<std::string> texts;
  texts.reserve(warnings.size());
  for (const auto& warning : warnings)
    texts.push_back(fmt::format("{} {}: {} [{}] {}", info(warning.rule).name, warning.range.first,
                                warning.detail, info(warning.rule).description, url(warning.rule)));
  return texts;
}

std::vector<std::string> recorded(const Json& row, std::string_view key) {
  std::vector<std::string> texts;
  if (const auto* list = row.find(key))
    for (const auto& warning : list->as_array())
      texts.push_back(fmt::format("{} {}: {} [{}] {}", warning.string_or("rule", ""),
                                  warning.int_or("line", 0), warning.string_or("detail", ""),
                                  warning.string_or("description", ""),
                                  warning.string_or("url", "")));
  return texts;
}

std::vector<std::string> in_order(std::vector<std::string> texts) {
  std::sort(texts.begin(), texts.end());
  return texts;
}

std::vector<std::string> last_lines(const std::vector<LintWarning>& warnings) {
  std::vector<std::string> lines;
  lines.reserve(warnings.size());
  for (const auto& warning : warnings)
    lines.push_back(std::to_string(warning.range.last));
  return lines;
}

std::vector<std::string> recorded_last_lines(const Json& row) {
  std::vector<std::string> lines;
  if (const auto* list = row.find("warnings"))
    for (const auto& warning : list->as_array())
      lines.push_back(std::to_string(warning.int_or("end", 0)));
  return lines;
}

/// What an ordinary build of the row warns of.
std::vector<LintWarning> build_warnings(const Json& row) {
  auto request = request_of(row);
  Linter linter(check_override(request.options.language));
  IgnoredSources ignored(request.ignore);
  RecordedBases bases;
  SilentProgress progress;
  request.options.checks = {&linter, &ignored};
  try {
    make_plan(parse_dockerfile(request.text, request.name, linter), request.options, bases,
              progress);
  } catch (const Error&) {
    // The row's error is looked at where the check reports it.
    return linter.warnings();
  }
  return linter.warnings();
}

void check_error(Comparison& found, const CheckReport& report, const Json& row) {
  const auto wanted = row.string_or("build_error", "");
  found.expect_bool("there is an error (" + (report.error ? report.error->message : "") + ")",
                    report.error.has_value(), !wanted.empty());
  if (!report.error || wanted.empty())
    return;
  if (wanted.starts_with("lint violation"))
    found.expect_bool("the error is '" + wanted + "'",
                      report.error->message.find(wanted) != std::string::npos, true);
  if (const auto line = row.int_or("error_line", 0); line > 0)
    found.expect("line of the error", std::to_string(report.error->range.first),
                 std::to_string(line));
}

CheckReport report_of(const Json& row) {
  RecordedBases bases;
  SilentProgress progress;
  return check_dockerfile(request_of(row), bases, progress);
}

Verdict check_snippet(const Json& row) {
  const auto report = report_of(row);
  Comparison found;
  found.expect("the check's warnings", in_order(texts_of(report.warnings)),
               in_order(recorded(row, "lint_warnings")));
  found.expect("the build's warnings", in_order(texts_of(build_warnings(row))),
               in_order(recorded(row, "warnings")));
  check_error(found, report, row);
  return found.verdict();
}

Verdict check_case(const Json& row) {
  const auto report = report_of(row);
  Comparison found;
  found.expect("warnings", texts_of(report.warnings), recorded(row, "warnings"));
  found.expect("last lines", last_lines(report.warnings), recorded_last_lines(row));
  check_error(found, report, row);
  return found.verdict();
}

} // namespace

std::vector<Part> lint_parts() {
  return {{"tables/lint.jsonl", read_lines, check_snippet},
          {"tables/lint_cases.jsonl", read_lines, check_case}};
}

} // namespace cairn::test
