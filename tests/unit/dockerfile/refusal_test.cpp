#include "dockerfile/dockerfile.hpp"
#include "support.hpp"

#include <doctest/doctest.h>

using namespace cairn;
using namespace cairn::test;

TEST_CASE("a mistake is answered with file, line and what is wrong") {
  struct Row {
    std::string text; ///< Behind "FROM x".
    std::string error;
  };
  const Row rows[] = {
      {"RNU x", "unknown instruction RNU (did you mean RUN?)"},
      {"COPY --form=a b c", "COPY: unknown flag --form (did you mean --from?)"},
      {"COPY --link=perhaps a b", "COPY: --link=perhaps: must be true or false"},
      {"COPY --link= a b", "COPY: --link=: must be true or false"},
      {"COPY --chown a b", "COPY: the flag --chown needs a value"},
      {"COPY --from=a --from=b c d", "COPY: the flag --from is there twice"},
      {"COPY a", "COPY: needs a source and a destination"},
      {"ADD --from=x a b", "ADD: unknown flag --from"},
      {"FROM a b", "FROM: must be of the form FROM image or FROM image AS name"},
      {"FROM a AS 1b", "FROM: '1b' cannot be the name of a stage"},
      {"RUN --network=bridge x", "RUN: --network=bridge: must be one of default, none, host"},
      {"RUN --security=secure x",
       "RUN: --security=secure: must be one of sandbox, insecure (did you mean insecure?)"},
      {"RUN --network= x", "RUN: --network=: must be one of default, none, host"},
      {"RUN --security= x", "RUN: --security=: must be one of sandbox, insecure"},
      {"RUN --mount= x", "RUN: --mount=: there is no value"},
      {"RUN --mount=a\\\"b x", "RUN: --mount=a\"b: 'a\"b': a quote must enclose the whole field"},
      {"RUN --mount=target=/x,from=$b x",
       "RUN: --mount=target=/x,from=$b: from=$b: must not hold a variable"},
      {"RUN --device=a,b=c x", "RUN: --device=a,b=c: unknown key in 'b=c'"},
      {"CMD [1]", "a JSON array of words may hold nothing but strings"},
      {"ENV A", "'A' has no value"},
      {"ENV A=1 B", "'B' is not of the form name=value"},
      {"ENV", "ENV: needs at least one argument"},
      {"LABEL =b", "LABEL: '=b' has no name"},
      {"ARG =b", "ARG: '=b' has no name"},
      {"ARG", "ARG: needs at least one argument"},
      {"USER", "USER: needs exactly one argument"},
      {"WORKDIR --x /a", "WORKDIR: unknown flag --x"},
      {"VOLUME [\"\"]", "VOLUME: a path is empty"},
      {"SHELL sh -c", "SHELL: must be a JSON array"},
      {"SHELL []", "SHELL: needs at least one argument"},
      {"HEALTHCHECK", "HEALTHCHECK: needs at least one argument"},
      {"HEALTHCHECK TCP 7", "HEALTHCHECK: 'TCP' must be CMD or NONE"},
      {"HEALTHCHECK NONE x", "HEALTHCHECK: NONE takes no arguments"},
      {"HEALTHCHECK CMD", "HEALTHCHECK: CMD needs a command"},
      {"HEALTHCHECK --interval=5 CMD x",
       "HEALTHCHECK: --interval=5: must be a duration such as 30s or 1m30s"},
      {"HEALTHCHECK --timeout=1us CMD x", "HEALTHCHECK: --timeout=1us: must be 0 or at least 1ms"},
      {"HEALTHCHECK --retries=-1 CMD x",
       "HEALTHCHECK: --retries=-1: must be a number, and not negative"},
      {"ONBUILD", "ONBUILD: needs an instruction"},
      {"ONBUILD FROM y", "ONBUILD: FROM cannot be a trigger"},
      {"ONBUILD MAINTAINER y", "ONBUILD: MAINTAINER cannot be a trigger"},
      {"ONBUILD ONBUILD RUN y", "ONBUILD: ONBUILD cannot be a trigger"},
      {"ONBUILD ENV A", "'A' has no value"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    const auto error = error_of([&] { parse_dockerfile("FROM x\n" + row.text, "Dockerfile"); });
    CHECK(error.substr(0, error.find('\n')) == "Dockerfile:2: " + row.error);
    CHECK(error.find("\n  1 | FROM x\n> 2 | " + row.text) != std::string::npos);
  }
}

TEST_CASE("an instruction before FROM is refused, except ARG") {
  CHECK(error_of([] { parse_dockerfile("ARG A\nRUN x\nFROM y", "Dockerfile"); }) ==
        "Dockerfile:2: RUN: must come after FROM\n  1 | ARG A\n> 2 | RUN x");
  CHECK(error_of([] { parse_dockerfile("ARG A\n", "Dockerfile"); }) ==
        "Dockerfile: the file has no FROM");
}

TEST_CASE("triggers of triggers do not use up the stack") {
  std::string line = "FROM x\n";
  for (int i = 0; i < 8000; ++i)
    line += "ONBUILD ";
  CHECK_THROWS_AS(parse_dockerfile(line + "RUN x", "Dockerfile"), Error);
}
