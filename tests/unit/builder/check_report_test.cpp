#include "builder/plan/checks/check.hpp"
#include "check.hpp"
#include "util/error.hpp"
#include "util/file.hpp"
#include "util/json.hpp"
#include "util/rooted_path.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>

#include <cstdlib>
#include <fstream>

using namespace cairn;

TEST_SUITE_BEGIN("builder/check_report");

namespace {

class NoBases final : public BaseConfigs {
public:
  void prefetch(const std::vector<ImageSource>&) override {}
  ImageConfig config(const ImageSource& image) override { throw Error("{}", image.name); }
};

CheckReport report_of(const std::string& text) {
  NoBases bases;
  SilentProgress progress;
  return check_dockerfile({.name = "Dockerfile", .text = text, .ignore = {}, .options = {}}, bases,
                          progress);
}

} // namespace

TEST_CASE("reports read as the golden files say") {
  const std::string folder = CAIRN_SOURCE_ROOT "/tests/golden/check";
  const auto directory = open_at(current_directory(), folder, O_RDONLY | O_DIRECTORY);
  const bool accept = std::getenv("CAIRN_ACCEPT") != nullptr;
  for (const auto& name : list_directory(directory)) {
    CAPTURE(name);
    const auto one = open_at(directory, name, O_RDONLY | O_DIRECTORY);
    const auto report = report_of(read_file(one, "Dockerfile", 1 << 20));
    for (const auto& [file, text] :
         {std::pair("text", check_text(report)), std::pair("json", check_json(report))}) {
      if (accept)
        std::ofstream(join_path(folder, name + "/" + file)) << text;
      CHECK(text == read_file(one, file, 1 << 20));
    }
  }
}

TEST_CASE("a report in JSON is JSON whatever the Dockerfile holds") {
  const auto report = report_of("FROM scratch\nCOPY ${\xff\xfe:-x} \"\x01\" /\nFO\xff\n");
  const auto json = Json::parse(check_json(report));
  CHECK(json.find("buildError")->string_or("message", "").find("\xEF\xBF\xBD") !=
        std::string::npos);
}

TEST_CASE("checks of recorded Dockerfiles find what BuildKit's found") {
  test::check_part(test::lint_parts(), "tables/lint_cases.jsonl");
}

TEST_SUITE_END();
