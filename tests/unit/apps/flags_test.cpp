#include "apps/shared/flags.hpp"
#include "apps/shared/help.hpp"
#include "util/error.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace cairn;

namespace {

constexpr FlagSpec specs[] = {
    {.name = "file", .shorthand = "f", .group = "Input", .preset = "Dockerfile", .help = "A file"},
    {.name = "cache",
     .type = FlagType::boolean,
     .support = Support::later,
     .group = "Input",
     .preset = "false",
     .help = "A switch"},
    {.name = "quiet",
     .shorthand = "q",
     .type = FlagType::boolean,
     .group = "Input",
     .help = "Another"},
    {.name = "arg", .type = FlagType::list, .group = "More", .help = "Many"},
    {.name = "level",
     .shorthand = "l",
     .type = FlagType::integer,
     .group = "More",
     .help = "A number"},
    {.name = "ttl", .type = FlagType::duration, .group = "More", .help = "A time"},
    {.name = "extra", .type = FlagType::lines, .group = "More", .help = "Further words"},
    {.name = "oldFile", .group = "Old", .visibility = Visibility::hidden, .alias_of = "file"},
    {.name = "oldCache", .group = "Old", .visibility = Visibility::hidden, .alias_of = "cache"}};

/// "name=value" for each use, joined by blanks; then "| word" for each word.
std::string read(const std::vector<std::string>& arguments) {
  const auto parsed = parse_flags(specs, arguments);
  std::string out;
  for (const auto& use : parsed.uses)
    out += std::string(out.empty() ? "" : " ") + std::string(use.name) + "=" + use.value.text();
  for (const auto& word : parsed.words)
    out += " | " + word;
  return out;
}

std::string flag_refusal(const std::vector<std::string>& arguments) {
  try {
    parse_flags(specs, arguments);
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

} // namespace

TEST_CASE("flags are written as pflag reads them") {
  struct Row {
    std::vector<std::string> arguments;
    std::string expected;
    const char* reason;
  };
  const std::vector<Row> rows = {
      {{}, "", "nothing given"},
      {{"--file", "a"}, "file=a", "the value is the next word"},
      {{"--file=a"}, "file=a", "the value follows ="},
      {{"--file="}, "file=", "an empty value"},
      {{"--file", ""}, "file=", "an empty word is a value too"},
      {{"--file", "--cache"}, "file=--cache", "a value may look like a flag"},
      {{"--file=a=b=c"}, "file=a=b=c", "the first = separates"},
      {{"--file=a\nb"}, "file=a\nb", "a value may hold newlines"},
      {{"-f", "a"}, "file=a", "shorthand with the next word"},
      {{"-fa.b/c"}, "file=a.b/c", "shorthand with the value attached"},
      {{"-f=a"}, "file=a", "shorthand with ="},
      {{"-qf", "a"}, "quiet=true file=a", "shorthands in one word"},
      {{"-q=false"}, "quiet=false", "a boolean shorthand with ="},
      {{"-l-1"}, "level=-1", "a negative number"},
      {{"--level", "-1"}, "level=-1", "a negative number as a word"},
      {{"--cache"}, "cache=true", "a boolean alone is true"},
      {{"--cache=F"}, "cache=F", "Go's words for booleans"},
      {{"--cache", "true"}, "cache=true | true", "a boolean never takes the next word"},
      {{"--arg", "a,b", "--arg=c"}, "arg=a,b arg=c", "commas do not separate"},
      {{"--file=a", "--file=b"}, "file=b", "the last one counts"},
      {{"--oldFile=a"}, "file=a", "an old name is the flag itself"},
      {{"--file=a", "--oldFile=b"}, "file=b", "under either name"},
      {{"--oldCache"}, "cache=true", "an old boolean takes no word either"},
      {{"--cache", "--", "--file", "-x"}, "cache=true | --file | -x", "-- ends the flags"},
      {{"--"}, "", "and may be the last word"},
      {{"-"}, " | -", "a dash alone is a word"},
      {{"word", "--file=a"}, "file=a | word", "words may stand anywhere"},
      {{"--ttl=1h30m"}, "ttl=1h30m", "a duration"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.reason);
    CHECK(read(row.arguments) == row.expected);
  }
}

TEST_CASE("a list has a plural, and text can hold words of the command line") {
  struct Row {
    std::vector<std::string> arguments;
    std::string expected;
    const char* reason;
  };
  const std::vector<Row> rows = {
      {{"--args", "a", "b=c", "-q"}, "arg=a arg=b=c quiet=true", "words up to the next flag"},
      {{"--args", "--cache"}, "cache=true", "an empty list"},
      {{"--args"}, "", "an empty list at the end"},
      {{"--args", "", "a"}, "arg=a", "empty words are no values"},
      {{"--args", "a", "--", "b"}, "arg=a | b", "-- ends the list and the flags"},
      {{"--args=a\nb c\n\n"}, "arg=a arg=b c", "a line each"},
      {{"--args=--cache"}, "arg=--cache", "a line may look like a flag"},
      {{"--args=", "a"}, " | a", "an empty text is no list, and takes no words"},
      {{"--args", "a\nb", "c"}, "arg=a arg=b arg=c", "words of several lines"},
      {{"--args", "a", "--arg", "b"}, "arg=a arg=b", "beside the singular"},
      {{"--args=a\r\nb\r\n"}, "arg=a arg=b", "lines as Windows ends them"},
      {{"--extra=--file=a\n-q\nword"}, "file=a quiet=true | word", "flags and words"},
      {{"--extra", "--arg\na b"}, "arg=a b", "a line may be the value of the one before"},
      {{"--extra=", "--file=a"}, "file=a", "nothing"},
      {{"--extra=--file", "a"}, "file=a", "it takes the place of the flag"},
      {{"--extra=--extra=-q"}, "quiet=true", "within itself"},
      {{"--extra=--\n-q"}, " | -q", "-- ends the flags there too"},
      {{"--args=[\"a b\", \"c=\\\"d\\\"\"]"}, "arg=a b arg=c=\"d\"", "a list in JSON"},
      {{"--args", "[]", "--cache"}, "cache=true", "an empty one"},
      {{"--args=[a]\n[b"}, "arg=[a] arg=[b", "lines that begin with a bracket"},
      {{"--args=[1, \"a\"]"}, "arg=[1, \"a\"]", "a list of other things is a line"},
      {{"--extra=[\"--arg\", \"a\\nb\"]"}, "arg=a\nb", "words in JSON may have several lines"},
      {{"index", "[\"a@b\", \"c@d\"]"}, " | index | a@b | c@d", "words in JSON"},
      {{"index", "a@b\nc@d\n"}, " | index | a@b | c@d", "words of several lines are several"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.reason);
    CHECK(read(row.arguments) == row.expected);
  }
  CHECK(flag_refusal({"--files=a"}) == "unknown flag: --files (did you mean --file?)");
  CHECK(flag_refusal({"--extra"}) == "flag needs an argument: --extra");
  CHECK(flag_refusal({"--extra=--wrong"}) == "unknown flag: --wrong");
}

TEST_CASE("what pflag refuses is refused with the flag's name") {
  struct Row {
    std::vector<std::string> arguments;
    std::string expected;
    const char* reason;
  };
  const std::vector<Row> rows = {
      {{"--fil=a"}, "unknown flag: --fil (did you mean --file?)", "a slip"},
      {{"--nothing-like-it"}, "unknown flag: --nothing-like-it", "nothing is near"},
      {{"--f=a"}, "unknown flag: --f", "a shorthand takes one dash"},
      {{"-x"}, "unknown shorthand flag: 'x' in -x", "an unknown shorthand"},
      {{"-qx"}, "unknown shorthand flag: 'x' in -x", "among others"},
      {{"--file"}, "flag needs an argument: --file", "the command line ends"},
      {{"-f"}, "flag needs an argument: -f", "the same for a shorthand"},
      {{"--cache=yes"}, "--cache: 'yes' is neither true nor false", "no word of Go's"},
      {{"--cache="}, "--cache: '' is neither true nor false", "an empty boolean"},
      {{"--cache=yes", "--cache=true"},
       "--cache: 'yes' is neither true nor false",
       "all occurrences are checked"},
      {{"--level=1.5"}, "--level: '1.5' is not a whole number", "no integer"},
      {{"--ttl=5"}, "--ttl: '5' is not a duration such as 336h or 6h30m", "no unit"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.reason);
    CHECK(flag_refusal(row.arguments) == row.expected);
  }
}

TEST_CASE("a long value does not exhaust the stack") {
  const std::string value(2'000'000, 'x');
  CHECK(read({"--arg=" + value}).size() == value.size() + 4);
}

TEST_CASE("the use of an old name is reported once per use") {
  const auto parsed = parse_flags(specs, {"--oldFile=a"});
  REQUIRE(parsed.deprecated.size() == 1);
  CHECK(parsed.deprecated[0] == "--oldFile is an old name of --file");
}

TEST_CASE("the help groups flags, aligns them and tells what they do here") {
  CHECK(flag_help(specs) == "\n"
                            "Input:\n"
                            "  -f, --file string    A file (default Dockerfile)\n"
                            "      --cache          A switch; not supported yet\n"
                            "  -q, --quiet          Another\n"
                            "\n"
                            "More:\n"
                            "      --arg multi-arg  Many\n"
                            "  -l, --level int      A number\n"
                            "      --ttl duration   A time\n"
                            "      --extra lines    Further words\n");
}
