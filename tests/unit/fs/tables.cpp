#include "tables.hpp"

#include "util/error.hpp"

#include <cstdlib>
#include <fstream>
#include <iostream>

namespace cairn::test {

std::optional<std::vector<Json>> conformance_table(const std::string& name) {
  const char* given = std::getenv("CAIRN_CONFORMANCE");
  const std::string root = given != nullptr ? given : CAIRN_SOURCE_ROOT "/../shared/conformance";
  const auto path = root + "/tables/" + name + ".jsonl";
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    std::cerr << "skipped: " << path << " is not there\n";
    return std::nullopt;
  }
  std::vector<Json> rows;
  for (std::string line; std::getline(file, line);)
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

} // namespace cairn::test
