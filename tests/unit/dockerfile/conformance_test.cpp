#include "check.hpp"

using namespace cairn::test;

TEST_CASE("Dockerfiles parse to the tree that BuildKit's parser gives") {
  check_part(parser_parts(), "parser/cases.jsonl");
}

TEST_CASE("BuildKit's own parser files give its results") {
  check_part(parser_parts(), "parser/testfiles");
}

TEST_CASE("BuildKit's negative parser files are refused") {
  check_part(parser_parts(), "parser/testfiles-negative");
}

TEST_CASE("instructions keep their lines across comments and continuations") {
  check_part(parser_parts(), "parser/testfile-line/Dockerfile");
}

TEST_CASE("one word expands as in BuildKit's table") {
  check_part(word_parts(), "tables/env.jsonl");
}

TEST_CASE("words split as in BuildKit's table") {
  check_part(word_parts(), "tables/words.jsonl");
}

TEST_CASE("expansions name the variables that were set and those that were not") {
  check_part(word_parts(), "tables/expand.jsonl");
}
