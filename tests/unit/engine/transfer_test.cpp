#include "engine.hpp"
#include "support/gate.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace cairn;
using namespace cairn::test;

TEST_SUITE_BEGIN("engine/transfer");

namespace {

std::size_t position(const std::vector<std::string>& lines, const std::string& start) {
  const auto found = std::find_if(lines.begin(), lines.end(),
                                  [&](const auto& line) { return line.starts_with(start); });
  REQUIRE(found != lines.end());
  return static_cast<std::size_t>(found - lines.begin());
}

} // namespace

TEST_CASE_FIXTURE(Engine, "a build that only configures reads no layer of its base") {
  base("base", {{{"f", "text"}}});
  options.output.push = PushImage::no;
  const auto report = build("FROM r.example/base\nENV A=b\nCMD [\"c\"]\n");
  CHECK(report.layers.size() == 1);
  CHECK(registry.count("GET", report.layers.front().digest.str()) == 0);
  CHECK(journal.lines().empty());
}

TEST_CASE_FIXTURE(Engine, "a build without a command makes no root") {
  base("base", {{{"f", "text"}}});
  write("g", "more");
  build("FROM r.example/base\nCOPY g /\nWORKDIR /w\n");
  CHECK(journal.lines().empty());
}

TEST_CASE_FIXTURE(Engine,
                  "the manifest and configuration of a base are fetched once for all stages") {
  const auto stored = base("base", {{{"f", "text"}}});
  build("FROM r.example/base AS a\nRUN one\nFROM r.example/base AS b\nRUN two\n"
        "FROM r.example/base\nCOPY --from=a / /a/\nCOPY --from=b / /b/\n");
  CHECK(registry.count("GET", "base/manifests") == 1);
  CHECK(registry.count("GET", stored.manifest.config.digest.str()) == 1);
}

TEST_CASE_FIXTURE(Engine, "the layer of an image that files are copied from is fetched once") {
  const auto stored = base("tools", {{{"a", "A"}, {"b", "B"}}});
  build("FROM scratch\nCOPY --from=r.example/tools /a /\nCOPY --from=r.example/tools /a /again\n");
  CHECK(registry.count("GET", "tools/manifests") == 1);
  CHECK(registry.count("GET", stored.manifest.layers.front().digest.str()) == 1);
  CHECK(image().layers == std::vector<Files>{{{"a", "A"}}, {{"again", "A"}}});
}

TEST_CASE_FIXTURE(Engine, "a base that is damaged on its way ends the build with its digest") {
  const auto stored = base("base", {{{"f", "text"}}});
  registry.damage(stored.manifest.layers.front().digest);
  CHECK(
      failure("FROM r.example/base\nRUN one\n").find(stored.manifest.layers.front().digest.str()) !=
      std::string::npos);
  CHECK(ran().empty());
  CHECK_FALSE(is_pushed());
}

TEST_CASE_FIXTURE(Engine, "a registry that is in trouble is asked again before the build fails") {
  base("base", {{{"f", "text"}}});
  registry.refuse("GET", "base/manifests", 503);
  CHECK(failure("FROM r.example/base\nRUN one\n").find("503") != std::string::npos);
  CHECK(registry.count("GET", "base/manifests") == 2);
}

TEST_CASE_FIXTURE(Engine, "blobs are pushed before the manifest, and the tag comes last") {
  options.output.destinations.push_back(ImageRef::parse("r.example/app:other"));
  build("FROM scratch\nRUN one\nRUN two\n");
  const auto lines = registry.lines();
  const auto first = position(lines, "PUT app/manifests/");
  CHECK(lines.size() - first == 2);
  CHECK(lines.at(first) == "PUT app/manifests/latest");
  CHECK(lines.at(first + 1) == "PUT app/manifests/other");
  CHECK(registry.count("PUT", "app/uploads") == 3);
}

TEST_CASE_FIXTURE(Engine, "blobs travel once to a repository that gets several tags") {
  options.output.destinations.push_back(ImageRef::parse("r.example/app:other"));
  const auto report = build("FROM scratch\nRUN one\n");
  CHECK(registry.count("PUT", report.layers.front().digest.str()) == 1);
}

TEST_CASE_FIXTURE(Engine, "what the registry has of a base is taken over and not sent") {
  const auto stored = base("base", {{{"f", "text"}}});
  build("FROM r.example/base\nENV A=b\n");
  const auto& layer = stored.manifest.layers.front().digest.str();
  CHECK(registry.count("GET", layer) == 0);
  CHECK(registry.count("PUT", layer) == 0);
  CHECK(image().layers.size() == 1);
}

TEST_CASE_FIXTURE(Engine, "files of a stage that runs no command are copied out of one fetch") {
  const auto stored = base("tools", {{{"a", "A"}, {"b", "B"}}});
  build("FROM r.example/tools AS tools\nFROM scratch\nCOPY --from=tools /a /\n");
  CHECK(registry.count("GET", stored.manifest.layers.front().digest.str()) == 1);
}

TEST_CASE_FIXTURE(Engine, "a base that goes to another registry is fetched once and sent early") {
  const auto stored = base("base", {{{"f", "text"}}});
  const auto& layer = stored.manifest.layers.front().digest.str();
  options.output.destinations = {ImageRef::parse("other.example/app:latest")};
  commands["two"].meanwhile = [&] {
    CHECK(comes_true([&] { return registry.count("PUT", layer) == 1; }));
  };
  build("FROM r.example/base\nRUN one\nRUN two\n");
  CHECK(registry.count("GET", layer) == 1);
}

TEST_CASE_FIXTURE(Engine, "a layer is sent while the next command runs, and asked for once") {
  commands["one"].makes = {{"1", "first"}};
  commands["two"].meanwhile = [&] {
    CHECK(comes_true([&] { return registry.count("PUT", "app/uploads") == 1; }));
  };
  const auto report = build("FROM scratch\nRUN one\nRUN two\n");
  CHECK(registry.count("HEAD", report.layers.front().digest.str()) == 1);
  CHECK(registry.count("PUT", report.layers.front().digest.str()) == 1);
}

TEST_CASE_FIXTURE(Engine, "a layer that could not be sent early is sent at the end") {
  commands["one"].makes = {{"1", "first"}};
  registry.refuse("PUT", "app/uploads", 403);
  commands["two"].meanwhile = [&] {
    CHECK(comes_true([&] { return registry.count("PUT", "app/uploads") == 1; }));
    registry.heal();
  };
  build("FROM scratch\nRUN one\nRUN two\n");
  CHECK(image().layers.front() == Files{{"1", "first"}});
}

TEST_CASE_FIXTURE(Engine, "a blob that cannot be pushed leaves no tag behind") {
  registry.refuse("PUT", "app/uploads", 403);
  CHECK(failure("FROM scratch\nRUN one\n") != "");
  CHECK(registry.count("PUT", "app/manifests") == 0);
}

TEST_CASE_FIXTURE(Engine,
                  "the digest is reported after the last tag, and not when the push fails") {
  options.output.reports.digest_file = path("digest");
  registry.refuse("PUT", "app/manifests", 403);
  CHECK(failure("FROM scratch\nRUN one\n") != "");
  CHECK_FALSE(try_open_at(current_directory(), path("digest"), 0));
  registry.heal();
  const auto report = build("FROM scratch\nRUN one\n");
  const auto file = try_open_at(current_directory(), path("digest"), 0);
  REQUIRE(file);
  CHECK(read_file(*file, 100).starts_with(report.digest.str()));
}

TEST_CASE_FIXTURE(Engine,
                  "layers stand in the order of their steps, however long each takes to write") {
  commands["large"].makes = {{"large", std::string(4'000'000, 'x')}};
  commands["small"].makes = {{"small", "y"}};
  build("FROM scratch\nRUN large\nRUN small\n");
  const auto layers = image().layers;
  REQUIRE(layers.size() == 2);
  CHECK(layers[0].contains("large"));
  CHECK(layers[1].contains("small"));
}

TEST_CASE_FIXTURE(Engine, "the same build gives the same image by the same clock") {
  commands["one"].makes = {{"1", "first"}};
  const auto first = build("FROM scratch\nRUN one\n").digest;
  CHECK(build("FROM scratch\nRUN one\n").digest == first);
  now += std::chrono::seconds(1);
  CHECK(build("FROM scratch\nRUN one\n").digest != first);
}

TEST_SUITE_END();
