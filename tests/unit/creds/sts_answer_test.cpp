#include "creds/cloud/sts_answer.hpp"
#include "util/error.hpp"

#include <doctest/doctest.h>

using namespace cairn;

TEST_CASE("the first element of a name gives its text") {
  CHECK(xml_element("<?xml version=\"1.0\"?>\n<A xmlns=\"u\"><!-- c --><B>1</B><B>2</B></A>",
                    "B") == "1");
  CHECK(xml_element("<A><B x='y'>a&amp;b&lt;&#65;&#x20ac;</B></A>", "B") == "a&b<A\xe2\x82\xac");
  CHECK(xml_element("<A><B/></A>", "B") == "");
  CHECK_FALSE(xml_element("<A><B>1</B></A>", "C"));
  CHECK_FALSE(xml_element("", "A"));
}

TEST_CASE("an element that holds elements has no text") {
  CHECK(xml_element("<R><C><K>k</K></C><K>other</K></R>", "K") == "k");
  CHECK_FALSE(xml_element("<R><C>x<K>k</K></C></R>", "C"));
}

TEST_CASE("documents that are not well formed are refused") {
  for (const char* text : {
           "<A>",
           "<A></B>",
           "</A>",
           "<A",
           "text",
           "<A><B>&unknown;</B></A>",
           "<A><B>&amp</B></A>",
           "<A><B>&#0;</B></A>",
           "<A><B>&#x110000;</B></A>",
           "<!DOCTYPE A [<!ENTITY x 'y'>]><A><B>&x;</B></A>",
           "<A><![CDATA[x]]></A>",
           "<A><!-- </A>",
           "<A><>1</></A>",
       }) {
    CAPTURE(text);
    CHECK_THROWS_AS(xml_element(text, "B"), Error);
  }
  std::string deep;
  for (int i = 0; i < 40; ++i)
    deep += "<A>";
  CHECK_THROWS_AS(xml_element(deep, "B"), Error);
}
