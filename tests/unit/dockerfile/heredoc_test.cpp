#include "dockerfile/dockerfile.hpp"
#include "dockerfile/syntax/heredoc.hpp"
#include "support.hpp"

#include <doctest/doctest.h>

using namespace cairn;
using namespace cairn::test;

TEST_CASE("the start of a heredoc is a word of its own") {
  struct Row {
    std::string word;
    std::optional<Heredoc> heredoc;
    std::string reason;
  };
  const Row rows[] = {
      {"<<EOF", Heredoc{"EOF", "", true, false, 0}, "the plain form"},
      {"<<-EOF", Heredoc{"EOF", "", true, true, 0}, "tabs are removed"},
      {"<<\"EOF\"", Heredoc{"EOF", "", false, false, 0}, "quotes forbid expansion"},
      {"<<'EOF'", Heredoc{"EOF", "", false, false, 0}, "single ones as well"},
      {"<<E'O'F", Heredoc{"EOF", "", false, false, 0}, "and of a part"},
      {"3<<EOF", Heredoc{"EOF", "", true, false, 3}, "a file descriptor"},
      {"<< EOF", Heredoc{"EOF", "", true, false, 0}, "blanks are allowed"},
      {"<<$EOF", Heredoc{"$EOF", "", true, false, 0}, "a terminator is not expanded"},
      {"<<'one two'", Heredoc{"one two", "", false, false, 0}, "quotes keep words together"},
      {"<<EOF x", std::nullopt, "two words"},
      {"<<", std::nullopt, "no terminator"},
      {"<<<EOF", std::nullopt, "a here-string"},
      {"x<<EOF", std::nullopt, "not at the start"},
      {"<<'EOF", std::nullopt, "a quote without partner"},
      {"<EOF", std::nullopt, "a redirection"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.reason);
    CHECK(parse_heredoc_word(row.word) == row.heredoc);
  }
}

TEST_CASE("only RUN, COPY, ADD and their triggers have heredocs") {
  CHECK(error_of([] {
          parse_dockerfile("FROM x\nENV A=<<E\nE\n", "Dockerfile");
        }).starts_with("Dockerfile:3: unknown instruction E"));
  CHECK(error_of([] {
          parse_dockerfile("FROM x\nCOPY [\"<<E\", \"/d\"]\nE\n", "Dockerfile");
        }).starts_with("Dockerfile:3: unknown instruction E"));
}

TEST_CASE("text that only the shell can read has no heredocs") {
  CHECK(find_heredocs("RUN echo ${a[1]} <<EOF").empty());
  CHECK(find_heredocs("RUN cat <<A <<-'B'").size() == 2);
}

TEST_CASE("RUN with nothing but a heredoc runs its body") {
  const auto run = second<instruction::Run>("RUN <<-EOF\n\techo $A\n\tEOF\n");
  CHECK(run.command == instruction::CommandForm{{"echo $A\n"}, instruction::Form::shell});
  CHECK(run.range == SourceRange{2, 4});
  CHECK(run.text == "RUN <<-EOF");
  CHECK(!run.script);
}

TEST_CASE("a body that starts with #! becomes a file that is run") {
  const auto run = second<instruction::Run>("RUN <<EOF\n#!/bin/awk\nBEGIN {}\nEOF\n");
  REQUIRE(run.script);
  CHECK(run.script->name == "EOF");
  CHECK(run.script->content == "#!/bin/awk\nBEGIN {}\n");
  CHECK(run.command.words == std::vector<std::string>{"/dev/pipes/EOF"});
}

TEST_CASE("#! counts behind the tabs that <<- removes") {
  const auto run = second<instruction::Run>("RUN <<-EOF\n\t#!/bin/awk\n\tBEGIN {}\n\tEOF\n");
  REQUIRE(run.script);
  CHECK(run.script->content == "#!/bin/awk\nBEGIN {}\n");
}

TEST_CASE("a command with heredocs leaves them to the shell") {
  const auto run = second<instruction::Run>("RUN cat <<A <<-'B' > x\n1\nA\n\t2\n\tB\n");
  CHECK(run.command.words == std::vector<std::string>{"cat <<A <<-'B' > x\n1\nA\n\t2\nB"});
  REQUIRE(run.heredocs.size() == 2);
  CHECK(run.heredocs[1] == Heredoc{"B", "\t2\n", false, true, 0});
}

TEST_CASE("COPY makes files of heredocs, beside its other sources") {
  const auto copy = second<instruction::Copy>("COPY a <<one <<-'two' b /d/\n$x\none\n\t$y\ntwo\n");
  CHECK(copy.sources == std::vector<std::string>{"a", "b"});
  CHECK(copy.destination == "/d/");
  REQUIRE(copy.files.size() == 2);
  CHECK(copy.files[0].name == "one");
  CHECK(copy.files[0].content == "$x\n");
  CHECK(copy.files[0].expand);
  CHECK(copy.files[1].content == "$y\n");
  CHECK(!copy.files[1].expand);
}

TEST_CASE("a trigger carries its heredocs") {
  const auto onbuild = second<instruction::Onbuild>("ONBUILD COPY <<E /d\nq\nE\n");
  CHECK(onbuild.trigger == "COPY <<E /d\nq\nE");
  const auto again = parse_trigger(onbuild.trigger, "ONBUILD of x");
  CHECK(std::get<instruction::Copy>(again).files[0].content == "q\n");
}

TEST_CASE("heredocs that cannot be are refused") {
  CHECK(error_of([] { second<instruction::Copy>("COPY <<E /d\nq\n"); }) ==
        "Dockerfile:2: the heredoc <<E does not end\n"
        "  1 | FROM x\n> 2 | COPY <<E /d\n"
        "hint: a line with nothing but E ends it");
  CHECK(error_of([] {
          second<instruction::Copy>("COPY a <<E\nE\n");
        }).starts_with("Dockerfile:2: COPY: the destination cannot be a heredoc"));
}
