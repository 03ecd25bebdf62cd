#include "errors.hpp"
#include "fs/copy/users.hpp"

#include <doctest/doctest.h>

using namespace cairn;
using test::error_of;

namespace {

UserFiles files() {
  return {"root:x:0:0:root:/root:/bin/sh\n"
          "# a comment:x:7:7::/:\n"
          "daemon:x:1:1:daemon:/usr/sbin:/bin/false\n"
          "u1:x:501:601::/home/u1:/bin/sh\n"
          "broken:x:nobody:0::/root:/bin/sh\n"
          "short:x:9\n"
          "homeless:x:77:78::\n"
          "twin:x:501:999::/home/twin:/bin/sh\n",
          "root:x:0:\n"
          "staff:x:50:u1,daemon\n"
          "g1:x:701:\n"
          "more:x:51:daemon,u1\n"
          "bad:x:many:u1\n"};
}

} // namespace

TEST_CASE("--chown takes numbers, names, and both halves or one") {
  struct Row {
    const char* spec;
    Owner owner;
    const char* why;
  };
  const Row rows[] = {
      {"502", {502, 502}, "one number stands for user and group"},
      {"501", {501, 501}, "even when that user has a row with another group"},
      {"502:703", {502, 703}, "numbers stand for themselves"},
      {":704", {0, 704}, "without a user it is root"},
      {"u1", {501, 601}, "a name brings the group of its row"},
      {"u1:g1", {501, 701}, "a group's name is looked up in the other file"},
      {"u1:0", {501, 0}, "halves can be of different kinds"},
      {"5:g1", {5, 701}, "the other way round, too"},
      {"u1:", {501, 0}, "nothing behind the colon is root's group, as in BuildKit"},
      {"5:", {5, 0}, "whatever stands before it"},
      {"root", {0, 0}, "root is always 0"},
      {"root:root", {0, 0}, "and so is its group"},
      {"2147483647:1", {2147483647, 1}, "the largest id"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.spec);
    CAPTURE(row.why);
    CHECK(resolve_owner(row.spec, files()).owner == row.owner);
  }
}

TEST_CASE("root and numbers need no files") {
  for (const auto* spec : {"root", "root:root", "5", "5:6", ":7", "0:root", "5:", ":"}) {
    CAPTURE(spec);
    CHECK(is_numeric_owner(spec));
    CHECK(resolve_owner(spec, {}).unknown.empty());
  }
  CHECK_FALSE(is_numeric_owner("u1"));
  CHECK_FALSE(is_numeric_owner("5:g1"));
  CHECK_FALSE(is_numeric_owner("4294967295"));
}

static std::vector<std::string> reasons(const FoundOwner& found) {
  std::vector<std::string> all;
  for (const auto& each : found.unknown)
    all.push_back(each.why);
  return all;
}

TEST_CASE("a name in --chown that no row has is root's, and said with the file that lacks it") {
  struct Row {
    const char* spec;
    Owner owner;
    std::vector<std::string> unknown;
  };
  const Row rows[] = {
      {"nosuch", {0, 0}, {"unknown user 'nosuch': /etc/passwd of the image has no such row"}},
      {"u1:nosuch",
       {501, 601},
       {"unknown group 'nosuch': /etc/group of the image has no such row"}},
      {"nosuch:g1", {0, 701}, {"unknown user 'nosuch': /etc/passwd of the image has no such row"}},
      {"65535:4294967294",
       {65535, 65535},
       {"group id 4294967294 is out of range: the largest is 2147483647"}},
      {"4294967294", {0, 0}, {"user id 4294967294 is out of range: the largest is 2147483647"}},
      {"no:neither",
       {0, 0},
       {"unknown user 'no': /etc/passwd of the image has no such row",
        "unknown group 'neither': /etc/group of the image has no such row"}},
  };
  for (const auto& row : rows) {
    CAPTURE(row.spec);
    const auto found = resolve_owner(row.spec, files());
    CHECK(found.owner == row.owner);
    CHECK(reasons(found) == row.unknown);
  }
  CHECK(reasons(resolve_owner("u1", {})) ==
        std::vector<std::string>{"unknown user 'u1': /etc/passwd of the image is missing"});
  CHECK(resolve_owner("u1", {}).unknown.front().is_name);
  CHECK_FALSE(resolve_owner("4294967294", {}).unknown.front().is_name);
}

TEST_CASE("a row without numbers is nobody's row, least of all root's") {
  CHECK(resolve_owner("broken", files()).unknown.size() == 1);
  CHECK(resolve_owner("short", files()).unknown.size() == 1);
  CHECK(resolve_owner("# a comment", files()).unknown.empty());
}

TEST_CASE("a RUN's user has the groups that list it, and the home of its number") {
  CHECK(resolve_user("u1", files()) == Identity{{501, 601}, {50, 51}, "/home/u1"});
  CHECK(resolve_user("501", files()) == Identity{{501, 601}, {50, 51}, "/home/u1"});
  CHECK(resolve_user("u1:g1", files()) == Identity{{501, 701}, {}, "/home/u1"});
  CHECK(resolve_user("u1:5", files()) == Identity{{501, 5}, {}, "/home/u1"});
  CHECK(resolve_user("501:g1", files()) == Identity{{501, 701}, {}, "/home/u1"});
  CHECK(resolve_user("501:5", files()) == Identity{{501, 5}, {}, "/home/u1"});
  CHECK(resolve_user("1042", files()) == Identity{{1042, 0}, {}, "/"});
  CHECK(resolve_user("homeless", files()) == Identity{{77, 78}, {}, ""});
  CHECK(resolve_user("u1:g1:more", files()) == Identity{{501, 701}, {}, "/home/u1"});
  CHECK(resolve_user("twin", files()) == Identity{{501, 999}, {}, "/home/u1"});
  CHECK(resolve_user("daemon", files()) == Identity{{1, 1}, {50, 51}, "/usr/sbin"});
}

TEST_CASE("without USER a RUN is root") {
  CHECK(resolve_user("", files()) == Identity{{0, 0}, {}, "/root"});
  CHECK(resolve_user("", {}) == Identity{{0, 0}, {}, "/"});
}

TEST_CASE("a RUN's user must exist") {
  CHECK(error_of([] { resolve_user("nosuch", files()); }) ==
        "unknown user 'nosuch': /etc/passwd of the image has no such row");
  CHECK(error_of([] { resolve_user("root:nosuch", files()); }) ==
        "unknown group 'nosuch': /etc/group of the image has no such row");
  CHECK(error_of([] { resolve_user("root", {}); }) ==
        "unknown user 'root': /etc/passwd of the image is missing");
  CHECK(error_of([] { resolve_user("4294967295", files()); }) ==
        "user id 4294967295 is out of range: the largest is 2147483647");
}
