#include "context/git/git_address.hpp"
#include "util/error.hpp"

#include <doctest/doctest.h>

using namespace cairn;

TEST_CASE("addresses of repositories in their parts") {
  using Scheme = GitAddress::Scheme;
  struct Row {
    const char* text;
    Scheme scheme;
    const char* user;
    const char* password;
    const char* authority;
    const char* path;
    const char* url;
  };
  const Row rows[] = {
      {"https://h/x.git", Scheme::https, "", "", "h", "/x.git", "https://h/x.git"},
      {"https://a:p%40s@H:8443/x%20y", Scheme::https, "a", "p@s", "h:8443", "/x%20y",
       "https://h:8443/x%20y"},
      {"http://[::1]:80/x", Scheme::http, "", "", "[::1]:80", "/x", "http://[::1]:80/x"},
      {"ssh://git@h/x%20y", Scheme::ssh, "git", "", "h", "/x y", "ssh://h/x y"},
      {"git+ssh://h/~me/x", Scheme::ssh, "", "", "h", "~me/x", "ssh://h/~me/x"},
      {"git://h/x", Scheme::git, "", "", "h", "/x", "git://h/x"},
      {"git@h:group/x.git", Scheme::ssh, "git", "", "h", "group/x.git", "ssh://h/group/x.git"},
      {"h:/srv/x", Scheme::ssh, "", "", "h", "/srv/x", "ssh://h/srv/x"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    const auto address = GitAddress::parse(row.text);
    CHECK(address.scheme == row.scheme);
    CHECK(address.user == row.user);
    CHECK(address.password == row.password);
    CHECK(address.authority() == row.authority);
    CHECK(address.path == row.path);
    CHECK(address.url() == row.url);
  }
  CHECK(GitAddress::parse("http://[::1]:80/x").machine() == "::1");
}

TEST_CASE("what could read this machine's files, run programs or be an option is no address") {
  const char* rows[] = {
      "/srv/x.git",
      "file:///srv/x.git",
      "./x:y",
      "ext::sh -c id",
      "fd::7",
      "ssh://-oProxyCommand=id/x",
      "-oProxyCommand=id:x",
      "--upload-pack=id",
      "-h@host:x",
      "host:-x",
      "https://h/",
      "https://h",
      "https:///x",
      "https://h:0/x",
      "https://h:99999/x",
      "https://h:8x/x",
      "https://ho st/x",
      "https://[::1/x",
      "https://[h]x/y",
      "ssh://h/x%0ay",
      "git://h/x%00y",
      "ssh://h/%zz",
      "",
  };
  for (const auto* text : rows) {
    CAPTURE(text);
    CHECK_THROWS_AS(GitAddress::parse(text), Error);
  }
}

TEST_CASE("an address that is none is not shown with its password") {
  CHECK_THROWS_WITH_AS(GitAddress::parse("https://me:secret@h:0/x"),
                       doctest::Contains("'…@h:0/x' is not the address"), Error);
}

TEST_CASE("what URLs of submodules mean") {
  struct Row {
    const char* remote;
    const char* url;
    const char* means;
  };
  const Row rows[] = {
      {"https://h/g/x.git", "https://other/y.git", "https://other/y.git"},
      {"https://h/g/x.git", "../y.git", "https://h/g/y.git"},
      {"https://h/g/x.git", "../../y.git/", "https://h/y.git"},
      {"https://h/g/x.git", "./y.git", "https://h/g/x.git/y.git"},
      {"https://h/g/x.git/", "../../z/y.git", "https://h/z/y.git"},
      {"https://me:secret@h/x.git", "../y.git", "https://me:secret@h/y.git"},
      {"git@h:x.git", "../y.git", "git@h:y.git"},
      {"git@h:g/x.git", "../y.git", "git@h:g/y.git"},
  };
  for (const auto& row : rows)
    CHECK(resolve_git_url(row.remote, row.url) == row.means);
}

TEST_CASE("a submodule's relative URL leads to no other host") {
  for (const auto* url : {"../../other.example/x.git", "../../../x.git", "../../../../../x"}) {
    CAPTURE(url);
    CHECK_THROWS_AS(resolve_git_url("https://h/x.git", url), Error);
  }
  CHECK_THROWS_AS(resolve_git_url("git@h:x.git", "../../other:x.git"), Error);
}
