#include "language_plan.hpp"

#include <doctest/doctest.h>

using namespace cairn;
using namespace cairn::test;

TEST_SUITE_BEGIN("builder/language epoch");

namespace {

const std::string declared =
    "FROM scratch\nARG SOURCE_DATE_EPOCH\nENV A=${SOURCE_DATE_EPOCH-unset}";

std::string message(const std::string& text, const BuildArgs& build_args = {}) {
  const auto error = language_error(text, build_args);
  return error.substr(0, error.find('\n'));
}

} // namespace

TEST_CASE("SOURCE_DATE_EPOCH is a build argument, or else a global ARG's default") {
  CHECK(language_plan(declared, {{"SOURCE_DATE_EPOCH", "7"}}).epoch == from_unix(7));
  const auto with_default = "ARG SOURCE_DATE_EPOCH=5\n" + declared;
  CHECK(language_plan(with_default).epoch == from_unix(5));
  CHECK(env_of(language_plan(with_default), "A") == "5");
  CHECK(language_plan(with_default, {{"SOURCE_DATE_EPOCH", "7"}}).epoch == from_unix(7));
  CHECK(language_plan("ARG T=5\nARG SOURCE_DATE_EPOCH=${T}0\nFROM scratch").epoch == from_unix(50));
}

TEST_CASE("an ARG in a stage gives no epoch") {
  const auto plan =
      language_plan("FROM scratch\nARG SOURCE_DATE_EPOCH=9\nENV A=$SOURCE_DATE_EPOCH");
  CHECK_FALSE(plan.epoch.has_value());
  CHECK(env_of(plan, "A") == "9");
}

TEST_CASE("an empty SOURCE_DATE_EPOCH is none, and unset in stages") {
  const auto plan =
      language_plan("ARG SOURCE_DATE_EPOCH=5\n" + declared, {{"SOURCE_DATE_EPOCH", ""}});
  CHECK_FALSE(plan.epoch.has_value());
  CHECK(env_of(plan, "A") == "unset");
}

TEST_CASE("stages see the seconds in their plainest form") {
  CHECK(env_of(language_plan(declared, {{"SOURCE_DATE_EPOCH", "+007"}}), "A") == "7");
}

TEST_CASE("the epoch of a context that is a directory is none") {
  const auto plan = language_plan(declared, {{"SOURCE_DATE_EPOCH", "context"}});
  CHECK_FALSE(plan.epoch.has_value());
  CHECK(env_of(plan, "A") == "unset");
}

TEST_CASE("what cannot be an epoch is refused where it stands") {
  const std::string what = "SOURCE_DATE_EPOCH: 'soon' is not a number of seconds since 1970, "
                           "\"context\", a build context or a stage";
  CHECK(message("FROM scratch", {{"SOURCE_DATE_EPOCH", "soon"}}) == what);
  CHECK(message("ARG A\nARG SOURCE_DATE_EPOCH=soon\nFROM scratch") == "Dockerfile:2: " + what);
  for (const std::string value : {"-1", "1.5", "0x10", "9223372037", "99999999999999999999"})
    CHECK(message("FROM scratch", {{"SOURCE_DATE_EPOCH", value}})
              .starts_with("SOURCE_DATE_EPOCH: '" + value + "' is not a number"));
}

TEST_CASE("a stage stands for a time only as FROM scratch with one remote ADD") {
  const auto with = [](const std::string& stage) {
    return message("ARG SOURCE_DATE_EPOCH=src\n" + stage + "\nFROM scratch");
  };
  CHECK(with("FROM busybox AS src\nADD https://h/x /") ==
        "Dockerfile:2: SOURCE_DATE_EPOCH: its stage must be FROM scratch");
  CHECK(with("FROM scratch AS src\nCOPY a /") ==
        "Dockerfile:2: SOURCE_DATE_EPOCH: its stage holds a COPY, and may hold ARG and one remote "
        "ADD");
  for (const std::string add : {"ADD a /", "ADD https://h/x https://h/y /", "ARG A",
                                "ADD <<E /\n1\nE", "ADD https://h/x /\nADD https://h/y /"})
    CHECK(with("FROM scratch AS src\n" + add) ==
          "Dockerfile:2: SOURCE_DATE_EPOCH: its stage must hold exactly one ADD, of one remote "
          "source");
}

TEST_CASE("the epoch of a context that has a time is that time") {
  PlanOptions options;
  options.context_time = from_unix(11);
  const auto plan = language_plan(declared, {{"SOURCE_DATE_EPOCH", "context"}}, options);
  CHECK(plan.epoch == from_unix(11));
  CHECK(env_of(plan, "A") == "11");
  options.context_time = from_unix(-11);
  CHECK(!language_plan(declared, {{"SOURCE_DATE_EPOCH", "context"}}, options).epoch);
}

TEST_CASE("a named context and a stage of one remote ADD stand for the time of what is fetched") {
  PlanOptions options;
  options.named_contexts = {
      {"files", "/some/files"}, {"Repo", "https://h/x.git#v1"}, {"web", "https://h/c.tar.gz"}};
  std::string asked;
  options.remote_time = [&](const RemoteSource& source) {
    const auto* git = std::get_if<GitSource>(&source);
    asked = git != nullptr ? git->text : std::get<UrlSource>(source).url;
    return std::optional(from_unix(git != nullptr ? 22 : 33));
  };
  const auto epoch = [&](const std::string& value, const std::string& stage = "") {
    const auto text = stage.empty() ? declared : "FROM scratch AS src\n" + stage + "\n" + declared;
    return language_plan(text, {{"SOURCE_DATE_EPOCH", value}, {"V", "v2"}}, options).epoch;
  };
  CHECK(epoch("repo") == from_unix(22));
  CHECK(asked == "https://h/x.git#v1");
  CHECK(epoch("web") == from_unix(33));
  CHECK(!epoch("files"));
  CHECK(epoch("src", "ADD https://h/y /") == from_unix(33));
  CHECK(asked == "https://h/y");
  CHECK(epoch("src", "ARG V\nARG W=w\nADD --keep-git-dir https://h/$W.git#$V /") == from_unix(22));
  CHECK(asked == "https://h/w.git#v2");
}

TEST_CASE("a remote source that says no time gives no epoch") {
  PlanOptions options;
  options.named_contexts = {{"web", "https://h/c.tar.gz"}};
  options.remote_time = [](const RemoteSource&) { return std::optional<Time>(); };
  CHECK(!language_plan(declared, {{"SOURCE_DATE_EPOCH", "web"}}, options).epoch);
}

TEST_SUITE_END();
