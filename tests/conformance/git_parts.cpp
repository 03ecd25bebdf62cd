#include "context/git/git_reference.hpp"
#include "parts.hpp"
#include "util/error.hpp"

namespace cairn::test {

namespace {

std::string text_of(std::optional<bool> value) {
  return value ? (*value ? "true" : "false") : "null";
}

std::string member(const Json& row, std::string_view name) {
  const auto* value = row.find(name);
  return value != nullptr ? value->compact() : "null";
}

/// What is no git reference has an error that says so; any other error is of a git reference.
Verdict check_failure(const Json& row, const std::string& input) {
  if (!row.bool_or("is_git_error", false))
    return parse_git_reference(input) ? Verdict::differs(input + ": it is no git reference")
                                      : Verdict{};
  Comparison found;
  found.expect(input + " error", message_of([&] { (void)parse_git_reference(input); }),
               row.string_or("error", ""));
  return found.verdict();
}

Verdict check_git_reference(const Json& row) {
  const auto input = row.string_or("input", "");
  if (expects_error(row))
    return check_failure(row, input);
  const auto reference = parse_git_reference(input);
  if (!reference)
    return Verdict::differs(input + ": it is a git reference");
  Comparison found;
  found.expect(input + " remote", reference->remote, row.string_or("remote", ""));
  found.expect(input + " short name", reference->short_name, row.string_or("short_name", ""));
  found.expect(input + " ref", reference->ref, row.string_or("ref", ""));
  found.expect(input + " subdir", reference->subdirectory, row.string_or("subdir", ""));
  found.expect(input + " checksum", reference->checksum, row.string_or("checksum", ""));
  found.expect(input + " .git", text_of(reference->keep_git_dir), member(row, "keep_git_dir"));
  found.expect(input + " submodules", text_of(reference->submodules), member(row, "submodules"));
  found.expect_bool(input + " unencrypted", reference->unencrypted,
                    row.bool_or("unencrypted", false));
  return found.verdict();
}

} // namespace

std::vector<Part> git_parts() {
  return {{"tables/gitrefs.jsonl", read_lines, check_git_reference}};
}

} // namespace cairn::test
