#include "registry/challenge.hpp"

#include <doctest/doctest.h>

using namespace cairn;

TEST_CASE("challenges are read as servers write them") {
  struct Row {
    const char* header;
    std::vector<Challenge> challenges;
    const char* because;
  };
  const std::vector<Row> rows = {
      {R"(Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push")",
       {{"bearer",
         {{"realm", "https://auth.docker.io/token"},
          {"service", "registry.docker.io"},
          {"scope", "repository:a/b:pull,push"}}}},
       "a comma in quotes separates nothing"},
      {"Basic realm=\"x\"", {{"basic", {{"realm", "x"}}}}, "a password"},
      {"Basic", {{"basic", {}}}, "without any parameter"},
      {"BEARER Realm=\"R\" , Service=s",
       {{"bearer", {{"realm", "R"}, {"service", "s"}}}},
       "case and blanks do not count"},
      {"Basic realm=\"a\", Bearer realm=\"b\",service=\"s\"",
       {{"basic", {{"realm", "a"}}}, {"bearer", {{"realm", "b"}, {"service", "s"}}}},
       "two in one header"},
      {"Negotiate, Basic realm=x",
       {{"negotiate", {}}, {"basic", {{"realm", "x"}}}},
       "one without parameters first"},
      {"Bearer realm=https://a.example/token?x=1,service=s",
       {{"bearer", {{"realm", "https://a.example/token?x=1"}, {"service", "s"}}}},
       "a URL without quotes"},
      {R"(Bearer realm="a\"b\\c")", {{"bearer", {{"realm", "a\"b\\c"}}}}, "escaped characters"},
      {"Bearer realm=\"\",error=\"insufficient_scope\"",
       {{"bearer", {{"realm", ""}, {"error", "insufficient_scope"}}}},
       "an empty value"},
      {"Bearer realm=\"a\",realm=\"b\"", {{"bearer", {{"realm", "a"}}}}, "the first of two counts"},
      {"Bearer realm=\"never ends", {{"bearer", {}}}, "an open quote ends what can be read"},
      {"", {}, "nothing"},
      {" , ,", {}, "commas alone"},
      {"\"odd\"", {}, "no scheme"},
      {"Negotiate YWJj==",
       {{"negotiate", {{"ywjj", "="}}}},
       "a token of 68 characters means nothing here"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.header);
    CAPTURE(row.because);
    CHECK(parse_challenges(row.header) == row.challenges);
  }
}
