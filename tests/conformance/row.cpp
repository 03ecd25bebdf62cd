#include "row.hpp"

#include "util/error.hpp"
#include "util/text.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace cairn::test {

namespace {

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file)
    throw Error("{}: cannot be opened", path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

} // namespace

std::string conformance_root() {
  const char* given = std::getenv("CAIRN_CONFORMANCE");
  return given != nullptr ? given : CAIRN_SOURCE_ROOT "/../shared/conformance";
}

bool is_there(const std::string& root, const Part& part) {
  return std::filesystem::exists(root + "/" + part.path);
}

std::vector<Row> read_lines(const std::string& path) {
  std::vector<Row> rows;
  std::istringstream lines(read_file(path));
  std::size_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    auto value = Json::parse(line);
    auto name = value.string_or("name", "");
    // The names that globs are matched with are no names of rows.
    if (name.empty() || value.find("pattern") != nullptr)
      name = std::to_string(number);
    rows.push_back({std::move(name), std::move(value)});
  }
  return rows;
}

std::vector<Row> read_folders(const std::string& path) {
  std::vector<Row> rows;
  for (const auto& entry : std::filesystem::directory_iterator(path)) {
    const auto folder = entry.path().string();
    auto value = Json::object();
    value.set("dockerfile", read_file(folder + "/Dockerfile"));
    if (std::filesystem::exists(folder + "/result"))
      value.set("result", trim_right(read_file(folder + "/result")));
    rows.push_back({entry.path().filename().string(), std::move(value)});
  }
  std::sort(rows.begin(), rows.end(),
            [](const Row& one, const Row& other) { return one.name < other.name; });
  return rows;
}

std::vector<Row> read_dockerfile(const std::string& path) {
  return {{"Dockerfile", Json::object().set("dockerfile", read_file(path))}};
}

Verdict check_row(const Part& part, const Row& row) {
  try {
    return part.check(row.value);
  } catch (const Error& error) {
    return Verdict::differs(std::string("error: ") + error.what());
  }
}

std::string message_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

bool expects_error(const Json& row) {
  const auto* error = row.find("error");
  return error != nullptr && (error->is_string() || error->as_bool());
}

std::vector<std::string> strings_of(const Json& row, std::string_view key) {
  const auto* list = row.find(key);
  return list != nullptr ? list->as_strings() : std::vector<std::string>();
}

void Comparison::expect(std::string_view what, std::string_view found, std::string_view wanted) {
  if (found != wanted)
    text_ += fmt::format("{}{}: expected {}, found {}", text_.empty() ? "" : "; ", what,
                         Json(wanted).compact(), Json(found).compact());
}

void Comparison::expect(std::string_view what, const std::vector<std::string>& found,
                        const std::vector<std::string>& wanted) {
  if (found != wanted)
    text_ += fmt::format("{}{}: expected {}, found {}", text_.empty() ? "" : "; ", what,
                         Json::strings(wanted).compact(), Json::strings(found).compact());
}

void Comparison::expect_bool(std::string_view what, bool found, bool wanted) {
  expect(what, found ? "true" : "false", wanted ? "true" : "false");
}

Verdict Comparison::verdict() const {
  return text_.empty() ? Verdict{} : Verdict::differs(text_);
}

} // namespace cairn::test
