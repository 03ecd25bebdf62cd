#include "errors.hpp"
#include "fs/tree/links.hpp"

#include <doctest/doctest.h>

#include <map>

using namespace cairn;
using test::error_of;

namespace {

/// Links by name, and how often somebody asked for one.
struct Links {
  std::map<std::string, std::string> targets;
  std::size_t lookups = 0;

  LinkReader reader() {
    return [this](const RootedPath& path) -> std::optional<std::string> {
      ++lookups;
      const auto found = targets.find(path.str());
      return found != targets.end() ? std::optional(found->second) : std::nullopt;
    };
  }
};

RootedPath path_to(const std::string& path) {
  return RootedPath::parse(path);
}

std::string deep(std::size_t levels) {
  std::string path;
  for (std::size_t i = 0; i < levels; ++i)
    path += "/d";
  return path;
}

} // namespace

TEST_SUITE_BEGIN("fs/links");

TEST_CASE("links are followed inside the root, the last one when that is asked for") {
  Links links{{{"/a", "/x/y"}, {"/x/y/l", "../z"}, {"/up", "../../../e"}}};
  CHECK(resolve_links(path_to("/a/l/f"), LastLink::follow, links.reader()) == path_to("/x/z/f"));
  CHECK(resolve_links(path_to("/a/l"), LastLink::keep, links.reader()) == path_to("/x/y/l"));
  CHECK(resolve_links(path_to("/up/q"), LastLink::follow, links.reader()) == path_to("/e/q"));
}

TEST_CASE("each component of a name is looked up once, however long the name is") {
  Links links;
  resolve_links(path_to(deep(2000)), LastLink::follow, links.reader());
  CHECK(links.lookups == 2000);
}

TEST_CASE("links deep in a name cost what their targets have components, not what lies above") {
  Links links{{{deep(1000) + "/l", "."}}};
  std::string path = deep(1000);
  for (int i = 0; i < 200; ++i)
    path += "/l";
  CHECK(resolve_links(path_to(path), links.reader(), {}) == path_to(deep(1000)));
  CHECK(links.lookups == 1200);
}

TEST_CASE("it is told where each link led, the inner ones first") {
  Links links{{{"/a", "/b/c"}, {"/b", "/real"}}};
  std::string ends;
  resolve_links(path_to("/a/f"), links.reader(),
                [&](const RootedPath& end) { ends += end.str() + ";"; });
  CHECK(ends == "/real;/real/c;");
}

TEST_CASE("links that go round are an error") {
  Links links{{{"/a", "/b"}, {"/b", "a"}}};
  CHECK(error_of([&] { resolve_links(path_to("/a"), LastLink::follow, links.reader()); }) ==
        "'/a': too many levels of symbolic links");
}
