#include "builder/roots/directory_root.hpp"
#include "engine.hpp"
#include "support/gate.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>

using namespace cairn;
using namespace cairn::test;
using Lines = std::vector<std::string>;

TEST_SUITE_BEGIN("engine/in place");

namespace {

/// A directory stands for "/", and is cleared for each stage as that is.
struct InPlaceDirectory : InPlaceEngine {
  InPlaceDirectory() {
    make_directories(path("root"));
    roots = [this](IsolationMode, const RootServices& services) {
      clear_root(open_directory(path("root")), services.ignored);
      return std::make_unique<DirectoryRootFilesystem>(services, DirectoryRoot{path("root")},
                                                       path("root"));
    };
  }

  Lines files() const {
    auto names = list_directory(open_directory(path("root")));
    std::sort(names.begin(), names.end());
    return names;
  }
};

} // namespace

TEST_CASE_FIXTURE(InPlaceDirectory, "in place what one stage left is gone when the next begins") {
  if (!may_unpack())
    return;
  base("one", {{{"1", "base"}}});
  base("two", {{{"2", "base"}}});
  commands["left"].makes = {{"left", "made"}};
  commands["right"].makes = {{"right", "made"}};
  std::map<std::string, Lines> had;
  for (const std::string name : {"left", "right"})
    commands[name].meanwhile = [&, name] { had[name] = files(); };
  build("FROM r.example/one AS left\nRUN left\n"
        "FROM r.example/two\nCOPY --from=left /left /copied\nRUN right\n");
  CHECK(had["left"] == Lines{"1", "left"});
  CHECK(had["right"] == Lines{"2", "copied", "right"});
  CHECK(image().layers ==
        std::vector<Files>{{{"2", "base"}}, {{"copied", "made"}}, {{"right", "made"}}});
}

TEST_CASE_FIXTURE(InPlaceEngine, "in place stages are built one after the other, each in a root") {
  base("base", {{{"f", "text"}}});
  commands["right"].makes = {{"out", "binary"}};
  build("FROM r.example/base AS left\nRUN left\nRUN left again\n"
        "FROM scratch AS right\nRUN right\n"
        "FROM left\nCOPY --from=right /out /r\nRUN last\n");
  CHECK(journal.lines() == Lines{"probe",          "borrow", //
                                 "root",           "apply 1",        "run left",  "end left",
                                 "commit",                                                  //
                                 "run left again", "end left again", "commit",              //
                                 "root",           "run right",      "end right", "commit", //
                                 "root",           "apply 3",        "admit /r",  "apply 1",
                                 "run last",       "end last",       "commit",    "give back"});
}

TEST_CASE_FIXTURE(InPlaceEngine, "in place no two commands run at the same time") {
  std::string text;
  std::string copies = "FROM scratch\n";
  std::atomic<int> running = 0;
  std::atomic<int> most = 0;
  for (const std::string name : {"a", "b", "c", "d"}) {
    text += fmt::format("FROM scratch AS {0}\nRUN {0}\n", name);
    copies += fmt::format("COPY --from={} / /\n", name);
    commands[name].meanwhile = [&] {
      most = std::max(most.load(), ++running);
      --running;
    };
  }
  build(text + copies);
  CHECK(ran() == Lines{"a", "b", "c", "d"});
  CHECK(most == 1);
}

TEST_CASE_FIXTURE(InPlaceEngine, "in place a stage finds its own files and no other stage's") {
  base("one", {{{"1", "base"}}});
  base("two", {{{"2", "base"}}});
  std::map<std::string, Lines> found;
  for (const std::string name : {"left", "right", "third"}) {
    commands[name].makes = {{name, "made"}};
    commands[name].finds = [&, name](const Lines& paths) { found[name] = paths; };
  }
  build("FROM r.example/one AS left\nRUN left\n"
        "FROM r.example/two AS right\nCOPY --from=left /left /copied\nRUN right\n"
        "FROM left\nCOPY --from=right /right /copied\nRUN third\n");
  CHECK(found["left"] == Lines{"/1"});
  CHECK(found["right"] == Lines{"/2", "/copied"});
  CHECK(found["third"] == Lines{"/1", "/copied", "/left"});
}

TEST_CASE_FIXTURE(InPlaceEngine, "in place a layer is written before the next command changes it") {
  commands["one"].makes = {{"1", "first"}};
  commands["one"].written = [&] { journal.add("write one"); };
  build("FROM scratch\nRUN one\nRUN two\n");
  const auto lines = journal.lines();
  const auto place = [&](const std::string& line) {
    return std::find(lines.begin(), lines.end(), line) - lines.begin();
  };
  CHECK(place("end one") < place("write one"));
  CHECK(place("write one") < place("run two"));
}

TEST_CASE_FIXTURE(InPlaceEngine, "in place files of the context are read before a command runs") {
  write("f", "text");
  commands["one"].does_anywhere = [&] { write("f", "changed"); };
  build("FROM scratch AS a\nCOPY f /\nFROM scratch\nRUN one\nCOPY --from=a /f /\n");
  CHECK(image().layers.back() == Files{{"f", "text"}});
}

TEST_CASE_FIXTURE(Engine,
                  "where files stay as they are the next command runs as a layer is written") {
  Gate begun;
  commands["one"].makes = {{"1", "first"}};
  commands["one"].written = [&] { CHECK(begun.pass()); };
  commands["two"].meanwhile = [&] { begun.open(); };
  build("FROM scratch\nRUN one\nRUN two\n");
  CHECK(ran() == Lines{"one", "two"});
  CHECK(image().layers.front() == Files{{"1", "first"}});
}

TEST_CASE_FIXTURE(InPlaceEngine,
                  "in place a step that is found is in the root for those after it") {
  use_cache();
  commands["one"].makes = {{"1", "first"}};
  build("FROM scratch\nRUN one\n");
  journal.clear();
  Lines found;
  commands["two"].finds = [&](const Lines& paths) { found = paths; };
  build("FROM scratch\nRUN one\nRUN two\n");
  CHECK(found == Lines{"/1"});
  CHECK(journal.lines() ==
        Lines{"probe", "borrow", "root", "apply 1", "run two", "end two", "commit", "give back"});
}

TEST_CASE_FIXTURE(InPlaceEngine, "in place the root is given back before anything is pushed") {
  commands["one"].makes = {{"1", "first"}};
  std::size_t pushed = 0;
  on_give_back = [&] { pushed = registry.count("PUT", "app/"); };
  build("FROM scratch\nRUN one\n");
  CHECK(pushed == 0);
  CHECK(is_pushed());
}

TEST_CASE_FIXTURE(InPlaceEngine,
                  "in place nothing begins after a failure but giving the root back") {
  commands["left"].exit_status = 7;
  CHECK(failure("FROM scratch AS left\nRUN left\nRUN left again\n"
                "FROM scratch AS right\nRUN right\n"
                "FROM left\nCOPY --from=right / /r/\n")
            .find("exit status 7") != std::string::npos);
  CHECK(journal.lines() == Lines{"probe", "borrow", "root", "run left", "end left", "give back"});
  CHECK_FALSE(is_pushed());
}

TEST_CASE_FIXTURE(InPlaceEngine, "no root is borrowed for a build without a command") {
  write("f", "text");
  build("FROM scratch AS a\nCOPY f /\nFROM scratch\nCOPY --from=a / /\n");
  CHECK(journal.lines().empty());
}

TEST_SUITE_END();
