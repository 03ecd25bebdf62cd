#include "net/content_disposition.hpp"

#include <doctest/doctest.h>

using namespace cairn;

TEST_CASE("a Content-Disposition suggests a name, wherever the server thinks the file lies") {
  struct Row {
    const char* header;
    std::optional<std::string> name;
    const char* reason;
  };
  const Row rows[] = {
      {"attachment; filename=f.txt", "f.txt", "a token"},
      {"attachment; filename=\"a b.txt\"", "a b.txt", "quoted"},
      {"ATTACHMENT ;FileName = \"f\" ; size=1", "f", "case and blanks do not count"},
      {"inline; filename=\"a\\\"b\\\\c\"", "a\"b\\c", "escaped quotes and backslashes"},
      {"attachment; filename=\"C:\\dir\\f\"", "C:\\dir\\f", "other backslashes are the name's"},
      {"attachment; filename=\"../../etc/passwd\"", "passwd", "the last component of a path"},
      {"attachment; filename=\"/\"", "", "no component"},
      {"attachment; filename=\"..\"", "..", "is_file_name() refuses it"},
      {"attachment; filename*=UTF-8''%e2%82%ac", "\xE2\x82\xAC", "RFC 8187"},
      {"attachment; filename*=utf-8'en'a%2fb; filename=c", "b", "a slash may be encoded"},
      {"attachment; filename=c; filename*=UTF-8''d", "d", "the extended form goes first"},
      {"attachment; filename*=iso-8859-1''%e4", "\xC3\xA4", "the other charset of RFC 5987"},
      {"attachment; filename=c; filename*=koi8-r''d", "c", "a charset that nobody must know"},
      {"attachment; filename=c; filename*=UTF-8''%zz", "c", "damaged encoding"},
      {"attachment; filename=c; filename*=d", "c", "no charset"},
      {"attachment", std::nullopt, "no name"},
      {"", std::nullopt, "nothing"},
      {"filename=f", std::nullopt, "no type"},
      {"attachment; filename=\"f", std::nullopt, "no end"},
      {"attachment; filename", std::nullopt, "no value"},
      {"attachment; filename=a b", std::nullopt, "more than a token"},
      {"attachment; =f", std::nullopt, "no parameter"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.header);
    CAPTURE(row.reason);
    CHECK(suggested_file_name(row.header) == row.name);
  }
}

TEST_CASE("a file's name is one component") {
  for (const auto* name : {"f", "a b", "...", ".hidden", "\xC3\xA4"})
    CHECK(is_file_name(name));
  CHECK(is_file_name(std::string(255, 'x')));
  for (const std::string& name :
       {std::string(), std::string("."), std::string(".."), std::string("a/b"), std::string("/"),
        std::string("a\0b", 3), std::string(256, 'x')})
    CHECK_FALSE(is_file_name(name));
}
