#include "oci/platform.hpp"
#include "oci/reference.hpp"
#include "parts.hpp"

namespace cairn::test {

namespace {

Verdict check_reference(const Json& row) {
  const auto input = row.string_or("input", "");
  // A name without a registry cannot be pulled from anywhere: it is an error here.
  if (expects_error(row) || row.string_or("domain", "").empty()) {
    const auto error = message_of([&] { (void)ImageRef::parse(input); });
    return error.empty() ? Verdict::differs(input + ": expected an error") : Verdict{};
  }
  const auto reference = ImageRef::parse(input);
  Comparison found;
  found.expect(input + " domain", reference.registry(), row.string_or("domain", ""));
  found.expect(input + " path", reference.repository(), row.string_or("path", ""));
  if (row.find("tag") != nullptr)
    found.expect(input + " tag", reference.tag().value_or(""), row.string_or("tag", ""));
  if (row.find("digest") != nullptr)
    found.expect(input + " digest", reference.digest() ? reference.digest()->str() : "",
                 row.string_or("digest", ""));
  return found.verdict();
}

Verdict check_platform(const Json& row) {
  const auto input = row.string_or("input", "");
  if (expects_error(row)) {
    const auto error = message_of([&] { (void)Platform::parse(input); });
    return error.empty() ? Verdict::differs(input + ": expected an error") : Verdict{};
  }
  const auto platform = Platform::parse(input);
  Comparison found;
  found.expect(input + " os", platform.os, row.string_or("os", ""));
  found.expect(input + " architecture", platform.architecture, row.string_or("architecture", ""));
  found.expect(input + " variant", platform.variant, row.string_or("variant", ""));
  found.expect(input + " version", platform.os_version, row.string_or("os_version", ""));
  return found.verdict();
}

} // namespace

std::vector<Part> oci_parts() {
  return {{"tables/references.jsonl", read_lines, check_reference},
          {"tables/platforms.jsonl", read_lines, check_platform}};
}

} // namespace cairn::test
