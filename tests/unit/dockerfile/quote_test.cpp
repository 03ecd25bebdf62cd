#include "dockerfile/syntax/quote.hpp"

#include <doctest/doctest.h>

using namespace cairn;
using namespace std::string_literals;

TEST_CASE("strings are quoted as Go does it") {
  struct Row {
    std::string text;
    const char* quoted;
  };
  for (const auto& row : {
           Row{"", R"("")"},
           Row{"a b", R"("a b")"},
           Row{R"(a"b\c)", R"("a\"b\\c")"},
           Row{"\a\b\t\n\v\f\r", R"("\a\b\t\n\v\f\r")"},
           Row{"\x01\x1b\x7f\0"s, R"("\x01\x1b\x7f\x00")"},
           Row{"\u00e9\u4e2d\U0001f600", "\"\u00e9\u4e2d\U0001f600\""},
           Row{"\xff\xe4\xb8", R"("\xff\xe4\xb8")"},
           Row{"\u0085\u00a0\u00ad\u200b\u2028\ufeff\ue000",
               R"("\u0085\u00a0\u00ad\u200b\u2028\ufeff\ue000")"},
           Row{"\ufffd", "\"\ufffd\""},
           Row{"\U000e0001\U000f0000", R"("\U000e0001\U000f0000")"},
       }) {
    CAPTURE(row.text);
    CHECK(cairn::quoted(row.text) == row.quoted);
  }
}
