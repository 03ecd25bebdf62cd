// Checks every row of the parser's files and of the tables: rows DIR
// Prints a line of JSON for each, {part, name, result, detail}. scripts/conformance counts them.
#include "parts.hpp"
#include "util/error.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>

using namespace cairn;
using namespace cairn::test;

namespace {

void print(const Part& part, const Row& row, const Verdict& verdict) {
  constexpr std::array<const char*, 3> words = {"passed", "failed", "skipped"};
  auto line = Json::object();
  line.set("part", part.path)
      .set("name", part.path + ":" + row.name)
      .set("result", words[static_cast<std::size_t>(verdict.kind)])
      .set("detail", verdict.detail);
  fmt::print("{}\n", line.compact());
}

Verdict unknown(const Json&) {
  return Verdict::skipped("nothing in Cairn is held against this table yet");
}

std::vector<Part> known_parts() {
  std::vector<Part> all;
  for (const auto& parts :
       {parser_parts(), word_parts(), fs_parts(), oci_parts(), git_parts(), lint_parts()})
    all.insert(all.end(), parts.begin(), parts.end());
  return all;
}

/// The known parts, and the tables that none of them is about.
std::vector<Part> parts_in(const std::string& root) {
  auto parts = known_parts();
  if (!std::filesystem::is_directory(root + "/tables"))
    return parts;
  std::vector<Part> others;
  for (const auto& entry : std::filesystem::directory_iterator(root + "/tables")) {
    const auto path = "tables/" + entry.path().filename().string();
    const auto is_known = std::any_of(parts.begin(), parts.end(),
                                      [&](const Part& part) { return part.path == path; });
    if (path.ends_with(".jsonl") && !is_known)
      others.push_back({path, read_lines, unknown});
  }
  parts.insert(parts.end(), others.begin(), others.end());
  return parts;
}

} // namespace

int main(int argc, char** argv) try {
  if (argc != 2) {
    fmt::print(stderr, "usage: rows DIR\n");
    return 2;
  }
  const std::string root = argv[1];
  for (const auto& part : parts_in(root)) {
    if (!is_there(root, part)) {
      print(part, {}, Verdict::skipped(root + "/" + part.path + " is not there"));
      continue;
    }
    for (const auto& row : part.read(root + "/" + part.path))
      print(part, row, check_row(part, row));
  }
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "error: {}\n", error.what());
  return 1;
}
