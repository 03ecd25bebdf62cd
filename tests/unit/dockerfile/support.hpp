#pragma once

#include "dockerfile/dockerfile.hpp"
#include "util/error.hpp"
#include "util/json.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cairn::test {

/// A file of the conformance data, or nothing where that data is not installed
/// (CAIRN_CONFORMANCE, by default ../shared/conformance beside the source root).
std::optional<std::string> conformance_path(const std::string& name);

/// Says on stderr why a test does nothing.
void say_skipped(const std::string& what);

std::string read_text(const std::string& path);
void write_text(const std::string& path, const std::string& text);

/// One JSON value per line.
std::vector<Json> read_rows(const std::string& path);

/// The Error that `body` throws as "message" or "message\ndetail"; "" when it throws none.
std::string error_of(const std::function<void()>& body);

/// The same of parsing `text` as a Dockerfile.
std::string refusal(const std::string& text);

/// The only instruction behind "FROM x".
template<class T>
T second(const std::string& text) {
  auto file = parse_dockerfile("FROM x\n" + text, "Dockerfile");
  REQUIRE(file.stages[0].instructions.size() == 1);
  return std::get<T>(file.stages[0].instructions[0]);
}

/// The source root, for the golden files.
std::string source_root();

} // namespace cairn::test
