#include "builder/plan/checks/check_report.hpp"

#include "dockerfile/syntax/unicode.hpp"
#include "net/redact.hpp"
#include "util/crypto.hpp"
#include "util/json.hpp"
#include "util/text.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace cairn {

namespace {

constexpr std::string_view ruler = "--------------------\n";

std::string warning_text(const LintWarning& warning, const SourceFile& source) {
  const auto& rule = info(warning.rule);
  std::string text = fmt::format("WARNING: {}", rule.name);
  if (const auto page = url(warning.rule); !page.empty())
    text += " - " + page;
  text += fmt::format("\n{}\n{}\n{}:{}\n", printable(redact_text(warning.detail)), rule.description,
                      printable(source.name), warning.range.first);
  if (const auto lines = excerpt(source, warning.range); !lines.empty())
    text.append(ruler).append(redact_text(lines)).append("\n").append(ruler);
  return text + "\n";
}

std::string summary(const CheckReport& report) {
  const auto count = report.warnings.size();
  const auto number = count == 1 ? std::string("1 warning has been found!")
                                 : fmt::format("{} warnings have been found!", count);
  if (report.end == CheckReport::End::not_reached)
    return count == 0 ? "" : "Check ended by an error, " + number + "\n";
  return count == 0 ? "Check complete, no warnings found.\n" : "Check complete, " + number + "\n";
}

/// JSON holds nothing but UTF-8, a Dockerfile anything.
std::string valid_utf8(std::string_view text) {
  std::string valid;
  while (!text.empty()) {
    const auto point = decode_utf8(text);
    const bool broken = point.value == 0xFFFD && point.size == 1;
    valid += broken ? std::string_view("\xEF\xBF\xBD") : text.substr(0, point.size);
    text.remove_prefix(point.size);
  }
  return valid;
}

Json location(SourceRange range) {
  auto position = [](int line) { return Json::object().set("line", line); };
  Json ranges = Json::array();
  if (range.first > 0)
    ranges.push(
        Json::object().set("start", position(range.first)).set("end", position(range.last)));
  return Json::object().set("sourceIndex", 0).set("ranges", std::move(ranges));
}

Json warning_json(const LintWarning& warning) {
  const auto& rule = info(warning.rule);
  auto json = Json::object();
  json.set("ruleName", rule.name).set("description", rule.description);
  if (const auto page = url(warning.rule); !page.empty())
    json.set("url", page);
  return json.set("detail", valid_utf8(redact_text(warning.detail)))
      .set("location", location(warning.range));
}

} // namespace

std::string check_text(const CheckReport& report) {
  auto warnings = report.warnings;
  std::stable_sort(warnings.begin(), warnings.end(), [](const auto& one, const auto& other) {
    return one.range.first < other.range.first;
  });
  std::string text;
  for (const auto& warning : warnings)
    text += warning_text(warning, report.source);
  return text + summary(report);
}

std::string check_json(const CheckReport& report) {
  Json warnings = Json::array();
  for (const auto& warning : report.warnings)
    warnings.push(warning_json(warning));
  Json sources = Json::array();
  sources.push(Json::object()
                   .set("filename", valid_utf8(report.source.name))
                   .set("language", "Dockerfile")
                   .set("data", base64_encode(report.source.text)));
  auto json = Json::object();
  json.set("warnings", std::move(warnings)).set("sources", std::move(sources));
  if (report.error)
    json.set("buildError", Json::object()
                               .set("message", valid_utf8(redact_text(report.error->message)))
                               .set("location", location(report.error->range)));
  return json.pretty() + "\n";
}

} // namespace cairn
