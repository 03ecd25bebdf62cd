#include "support.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

namespace cairn::test {

std::string source_root() {
  return CAIRN_SOURCE_ROOT;
}

std::optional<std::string> conformance_path(const std::string& name) {
  const char* given = std::getenv("CAIRN_CONFORMANCE");
  const std::string root = given != nullptr ? given : source_root() + "/../shared/conformance";
  auto path = root + "/" + name;
  if (!std::filesystem::exists(path)) {
    say_skipped(path + " is not there");
    return std::nullopt;
  }
  return path;
}

void say_skipped(const std::string& what) {
  std::cerr << "skipped: " << what << '\n';
}

std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file)
    throw Error("{}: cannot be opened", path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void write_text(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

std::vector<Json> read_rows(const std::string& path) {
  std::vector<Json> rows;
  std::istringstream lines(read_text(path));
  for (std::string line; std::getline(lines, line);)
    rows.push_back(Json::parse(line));
  return rows;
}

std::string error_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.detail().empty() ? error.what() : error.what() + ("\n" + error.detail());
  }
  return {};
}

std::string refusal(const std::string& text) {
  return error_of([&] { (void)parse_dockerfile(text, "Dockerfile"); });
}

} // namespace cairn::test
