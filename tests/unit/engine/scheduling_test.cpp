#include "engine.hpp"

#include <doctest/doctest.h>

using namespace cairn;
using namespace cairn::test;
using Lines = std::vector<std::string>;

TEST_SUITE_BEGIN("engine/scheduling");

TEST_CASE_FIXTURE(Engine, "a command's changes are a layer over those of the base") {
  base("base", {{{"etc/os", "linux"}}});
  commands["make"].makes = {{"bin/tool", "built"}};
  build("FROM r.example/base\nRUN make\n");
  CHECK(image().layers == std::vector<Files>{{{"etc/os", "linux"}}, {{"bin/tool", "built"}}});
}

TEST_CASE_FIXTURE(Engine, "steps are carried out in the order in which they are written") {
  build("FROM scratch\nRUN one\nRUN two\nRUN three\n");
  CHECK(ran() == Lines{"one", "two", "three"});
}

TEST_CASE_FIXTURE(Engine, "a stage that nothing needs is not built") {
  build("FROM r.example/absent AS unused\nRUN never\nFROM scratch\nRUN always\n");
  CHECK(ran() == Lines{"always"});
  CHECK(registry.count("GET", "absent") == 0);
}

TEST_CASE_FIXTURE(Engine, "a stage is built before those that begin with it or copy from it") {
  commands["compile"].makes = {{"out", "binary"}};
  build("FROM scratch AS first\nRUN compile\n"
        "FROM first AS second\nRUN strip\n"
        "FROM scratch\nCOPY --from=second /out /out\nRUN check\n");
  CHECK(ran() == Lines{"compile", "strip", "check"});
  CHECK(image().layers.front() == Files{{"out", "binary"}});
}

TEST_CASE_FIXTURE(Engine, "a stage whose files a mount shows is built before the command") {
  if (!may_unpack())
    return;
  commands["compile"].makes = {{"out", "binary"}};
  build("FROM scratch AS tools\nRUN compile\n"
        "FROM scratch\nRUN --mount=from=tools,target=/tools use\n");
  CHECK(ran() == Lines{"compile", "use"});
}

TEST_CASE_FIXTURE(Engine, "a stage that several need is built once") {
  build("FROM scratch AS common\nRUN once\n"
        "FROM common AS left\nRUN left\n"
        "FROM common AS right\nRUN right\n"
        "FROM scratch\nCOPY --from=left / /l/\nCOPY --from=right / /r/\n");
  CHECK(journal.count("run once") == 1);
}

TEST_CASE_FIXTURE(Engine, "the stage that was asked for is the image, and later ones are left") {
  options.language.targets = {"wanted"};
  commands["want"].makes = {{"wanted", "yes"}};
  build("FROM scratch AS wanted\nRUN want\nFROM wanted\nRUN never\n");
  CHECK(ran() == Lines{"want"});
  CHECK(image().layers == std::vector<Files>{{{"wanted", "yes"}}});
}

TEST_CASE_FIXTURE(Engine, "the isolation is found out once, and only for a command") {
  write("f", "text");
  build("FROM scratch\nCOPY f /f\n");
  CHECK(journal.count("probe") == 0);
  build("FROM scratch AS a\nRUN one\nFROM a\nRUN two\n");
  CHECK(journal.count("probe") == 1);
}

TEST_CASE_FIXTURE(Engine, "what a command left is what the next one's user is looked up in") {
  commands["add user"].makes = {{"etc/passwd", "worker:x:7:8::/home/worker:/bin/sh\n"}};
  commands["work"].makes = {{"done", "yes"}};
  build("FROM scratch\nRUN add user\nUSER worker\nRUN work\n");
  CHECK(ran() == Lines{"add user", "work"});
  CHECK(image().config.config.user == "worker");
  CHECK(failure("FROM scratch\nUSER worker\nRUN work\n").find("worker") != std::string::npos);
}

TEST_CASE_FIXTURE(Engine, "where no command can be run the RUN says why, and the rest is built") {
  mode = IsolationMode::none;
  write("f", "text");
  CHECK(failure("FROM scratch\nCOPY f /f\nRUN make\n").find("no command can be run here") !=
        std::string::npos);
  CHECK(ran().empty());
  CHECK_FALSE(is_pushed());
  build("FROM scratch\nCOPY f /f\n");
  CHECK(is_pushed());
}

TEST_SUITE_END();
