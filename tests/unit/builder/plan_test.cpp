#include "builder/execute/schedule.hpp"
#include "builder/plan/planner.hpp"
#include "builder/plan/print_plan.hpp"
#include "dockerfile/dockerfile.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>

#include <cstdlib>
#include <fstream>

using namespace cairn;

TEST_SUITE_BEGIN("builder/plan");

namespace {

/// Knows two images; every other one has an empty configuration.
class FakeBases final : public BaseConfigs {
public:
  void prefetch(const std::vector<ImageSource>& images) override {
    for (const auto& image : images)
      prefetched.push_back(image.name);
  }

  ImageConfig config(const ImageSource& image) override {
    ImageConfig config;
    config.platform = image.platform;
    if (image.name == "busybox") {
      config.config.env = Environment({"PATH=/bin"});
      config.config.cmd = {"sh"};
    }
    if (image.name == "triggers") {
      config.config.on_build = {"COPY --from=tools /t /t", "ENV TRIGGERED=yes"};
    }
    return config;
  }

  std::vector<std::string> prefetched;
};

Plan plan_of(const std::string& text, const PlanOptions& options = {}) {
  FakeBases bases;
  SilentProgress progress;
  auto with_platform = options;
  if (!options.language.platform_is_asked_for)
    with_platform.language.target_platform = Platform::parse("linux/amd64");
  with_platform.language.build_platform = Platform::parse("linux/amd64");
  return make_plan(parse_dockerfile(text, "Dockerfile"), with_platform, bases, progress);
}

std::string error_of(const std::string& text, const PlanOptions& options = {}) {
  try {
    plan_of(text, options);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

template<class A>
const A& action(const Plan& plan, std::size_t stage, std::size_t step) {
  return std::get<A>(plan.stages.at(stage).steps.at(step).action);
}

} // namespace

TEST_CASE("plans print as the golden files say") {
  const std::string folder = CAIRN_SOURCE_ROOT "/tests/golden/plan";
  const auto directory = open_at(current_directory(), folder, O_RDONLY | O_DIRECTORY);
  const bool accept = std::getenv("CAIRN_ACCEPT") != nullptr;
  for (const auto& name : list_directory(directory)) {
    CAPTURE(name);
    const auto one = open_at(directory, name, O_RDONLY | O_DIRECTORY);
    const auto text = print_plan(plan_of(read_file(one, "Dockerfile", 1 << 20)));
    if (accept)
      std::ofstream(join_path(folder, name + "/plan")) << text;
    CHECK(text == read_file(one, "plan", 1 << 20));
  }
}

TEST_CASE("stages that the target does not need are gone") {
  PlanOptions options;
  const std::string text = "FROM busybox AS a\nRUN one\nFROM busybox AS b\nRUN two\n"
                           "FROM scratch AS c\nCOPY --from=a /x /x\n";
  CHECK(plan_of(text).stages.size() == 2);
  options.language.targets = {"B"};
  CHECK(plan_of(text, options).stages.size() == 1);
  options.language.targets = {"0"};
  CHECK(plan_of(text, options).stages.at(0).name == "a");
}

TEST_CASE("images of stages that are not needed are not looked up") {
  FakeBases bases;
  SilentProgress progress;
  make_plan(parse_dockerfile("FROM unneeded AS a\nFROM busybox", "Dockerfile"), {}, bases,
            progress);
  CHECK(bases.prefetched == std::vector<std::string>{"busybox"});
}

TEST_CASE("FROM sees global arguments and nothing else") {
  CHECK(std::get<ImageSource>(plan_of("ARG V=busybox\nFROM ${V}").stages.at(0).base).name ==
        "busybox");
  CHECK(error_of("ARG V\nFROM $V") == "Dockerfile:2: FROM: base name ($V) should not be blank");
}

TEST_CASE("a stage inherits environment and arguments of the stage it is built from") {
  const auto plan = plan_of("FROM busybox AS a\nARG X=1\nENV Y=2\nFROM a\nRUN echo");
  const auto& run = action<RunAction>(plan, 1, 0);
  CHECK(run.environment.get("X") == "1");
  CHECK(run.environment.get("Y") == "2");
  CHECK(plan.stages.at(1).config.config.env.get("X") == std::nullopt);
}

TEST_CASE("ONBUILD triggers run right after FROM and may need further stages") {
  const auto plan = plan_of("FROM busybox AS tools\nRUN make\nFROM triggers\nENV A=$TRIGGERED");
  REQUIRE(plan.stages.size() == 2);
  CHECK(plan.stages.at(0).name == "tools");
  CHECK(plan.stages.at(1).config.config.env.get("A") == "yes");
  CHECK(plan.stages.at(1).config.config.on_build.empty());
}

TEST_CASE("proxies are given to a command and are neither in its history nor in the image") {
  PlanOptions options;
  options.language.build_args = {{"HTTP_PROXY", "http://p"}};
  const auto plan = plan_of("FROM busybox\nRUN x", options);
  CHECK(action<RunAction>(plan, 0, 0).proxies.get("HTTP_PROXY") == "http://p");
  CHECK(plan.stages.at(0).steps.at(0).created_by == "RUN /bin/sh -c x # buildkit");
  CHECK_FALSE(plan.stages.at(0).config.config.env.get("HTTP_PROXY").has_value());
}

TEST_CASE("platform arguments are there once a stage declares them, and are the build's") {
  const auto plan = plan_of("FROM --platform=linux/arm64 busybox\nARG TARGETARCH\nRUN x");
  CHECK(action<RunAction>(plan, 0, 1).environment.get("TARGETARCH") == "amd64");
  CHECK(plan.stages.at(0).config.platform.architecture == "arm64");
}

TEST_CASE("TARGETSTAGE is the name of the stage that becomes the image") {
  const auto plan = plan_of("FROM busybox AS a\nARG TARGETSTAGE\nRUN x\nFROM a AS last");
  CHECK(action<RunAction>(plan, 0, 1).environment.get("TARGETSTAGE") == "last");
  const auto unnamed = plan_of("FROM busybox\nARG TARGETSTAGE\nRUN x");
  CHECK(action<RunAction>(unnamed, 0, 1).environment.get("TARGETSTAGE") == "default");
}

TEST_CASE("in a stage built from another one ENV goes before that one's ARG") {
  const auto plan = plan_of("FROM busybox AS a\nENV G=env\nARG G=arg\nFROM a\nRUN x\nLABEL l=$G");
  CHECK(action<RunAction>(plan, 1, 0).environment.get("G") == "env");
  CHECK(plan.stages.at(1).config.config.labels.at("l") == "env");
}

TEST_CASE("a destination that expands to nothing is the working directory") {
  CHECK(action<CopyAction>(plan_of("FROM busybox\nCOPY a $nothing"), 0, 0).destination.empty());
}

TEST_CASE("a relative WORKDIR goes on from the one before") {
  const auto plan = plan_of("FROM busybox\nWORKDIR /a\nWORKDIR b/../c\nWORKDIR /");
  CHECK(action<DirectoryAction>(plan, 0, 1).path == "/a/c");
  CHECK(std::holds_alternative<ConfigAction>(plan.stages.at(0).steps.at(2).action));
}

TEST_CASE("an image whose name is like a stage's says so, should it not exist") {
  const auto plan = plan_of("FROM scratch AS build\nFROM biuld\nCOPY --from=biuld a /");
  const auto& stage = plan.stages.at(0);
  CHECK(std::get<ImageSource>(stage.base).hint == "there is a stage called \"build\"");
  CHECK(std::get<ImageSource>(action<CopyAction>(plan, 0, 0).from).hint ==
        "there is a stage called \"build\"");
  const auto other = plan_of("FROM scratch AS build\nFROM alpine");
  CHECK(std::get<ImageSource>(other.stages.at(0).base).hint.empty());
}

TEST_CASE("a named context replaces an image and a stage") {
  PlanOptions options;
  options.named_contexts = {{"busybox", "oci-layout:///layouts/b:1"}, {"files", "/some/files"}};
  const auto plan = plan_of("FROM busybox\nCOPY --from=files a /", options);
  CHECK(std::get<ImageSource>(plan.stages.at(0).base).layout_path == "/layouts/b");
  CHECK(std::get<DirectorySource>(action<CopyAction>(plan, 0, 0).from).path == "/some/files");
}

TEST_CASE("a named context that is a directory or a URL fills the stage that begins with it") {
  PlanOptions options;
  options.named_contexts = {{"files", "/some/files"}, {"web", "https://h/c.tar.gz"}};
  const auto plan =
      plan_of("FROM files AS a\nFROM web\nCOPY --from=a x /\nCOPY --from=web y /", options);
  CHECK(std::holds_alternative<EmptyFilesystem>(plan.stages.at(1).base));
  CHECK(std::get<DirectorySource>(action<CopyAction>(plan, 0, 0).from).path == "/some/files");
  CHECK(std::get<UrlSource>(action<CopyAction>(plan, 1, 0).from).url == "https://h/c.tar.gz");
  CHECK(std::get<UrlSource>(action<CopyAction>(plan, 1, 2).from).url == "https://h/c.tar.gz");
  CHECK(plan.stages.at(1).steps.at(0).created_by == "FROM web");
  CHECK(plan.stages.at(1).config.config.working_dir == "/");
}

TEST_CASE(
    "sources of ADD are files of the context and URLs, history has them as they were written") {
  const auto plan =
      plan_of("FROM busybox\nARG H=H.example\nADD --checksum=sha256:" + std::string(64, '0') +
              " https://$H/x#y /d/\nADD a https://h/b c.git /d/");
  const auto& first = action<CopyAction>(plan, 0, 1);
  const auto& url = std::get<UrlSource>(first.sources.at(0));
  CHECK(url.url == "https://h.example/x");
  CHECK(url.checksum->hex() == std::string(64, '0'));
  CHECK(plan.stages.at(0).steps.at(1).created_by == "ADD https://H.example/x#y /d/ # buildkit");
  const auto& second = action<CopyAction>(plan, 0, 2).sources;
  CHECK(std::get<LocalSource>(second.at(0)).pattern == "a");
  CHECK(std::get<UrlSource>(second.at(1)).url == "https://h/b");
  CHECK(std::get<LocalSource>(second.at(2)).pattern == "c.git");
}

TEST_CASE("sources of ADD are git repositories, history has them without their passwords") {
  const auto plan = plan_of("FROM a\nARG L=me:secret\n"
                            "ADD --keep-git-dir=true https://$L@h/x.git?commit=abc#v1:d "
                            "git@h:y.git github.com/o/r /d/");
  const auto& sources = action<CopyAction>(plan, 0, 1).sources;
  const auto& first = std::get<GitSource>(sources.at(0)).reference;
  CHECK(first.remote == "https://me:secret@h/x.git");
  CHECK(first.ref == "v1");
  CHECK(first.subdirectory == "d");
  CHECK(first.checksum == "abc");
  CHECK(first.keep_git_dir == true);
  CHECK(std::get<GitSource>(sources.at(1)).reference.keep_git_dir == true);
  CHECK(std::get<LocalSource>(sources.at(2)).pattern == "github.com/o/r");
  CHECK(plan.stages.at(0).steps.at(1).created_by ==
        "ADD https://***@h/x.git?commit=abc#v1:d git@h:y.git github.com/o/r /d/ # buildkit");
}

TEST_CASE("a named context is a git repository, also in its short form") {
  PlanOptions options;
  options.named_contexts = {{"one", "https://h/x.git#v1"}, {"two", "github.com/o/r"}};
  options.language.build_args = {{"BUILDKIT_CONTEXT_KEEP_GIT_DIR", "1"}};
  const auto plan = plan_of("FROM one\nCOPY --from=two x /", options);
  const auto& one = std::get<GitSource>(action<CopyAction>(plan, 0, 0).from);
  CHECK(one.reference.ref == "v1");
  CHECK(one.reference.keep_git_dir == true);
  CHECK(std::get<GitSource>(action<CopyAction>(plan, 0, 1).from).reference.url() ==
        "https://github.com/o/r");
}

TEST_CASE("what a cache knows of a repository is its commit and what is taken of it, no secret") {
  const auto identity = [](const std::string& text) {
    return parse_git_source(text)->identity(*GitId::parse(std::string(40, 'a')));
  };
  const auto plain = identity("https://h/x.git");
  CHECK(identity("https://me:secret@other/y.git#main") == plain);
  for (const auto* other : {"https://h/x.git#:d", "https://h/x.git?submodules=0",
                            "https://h/x.git?mtime=commit", "https://h/x.git?keep-git-dir=1"})
    CHECK(identity(other) != plain);
  const auto kept = identity("https://me:secret@h/x.git?keep-git-dir=1#main");
  CHECK(kept.find("secret") == std::string::npos);
  CHECK(kept != identity("https://h/x.git?keep-git-dir=1#dev"));
}

TEST_CASE("a named context is the stage of its name, whose instructions are not followed") {
  PlanOptions options;
  options.named_contexts = {{"one", "/some/files"}, {"two", "docker-image://other"}};
  const auto plan = plan_of("FROM busybox AS one\nRUN x\nFROM busybox AS Two\nRUN y\nFROM two\n"
                            "COPY --from=one a /\nCOPY --from=0 b /",
                            options);
  CHECK_FALSE(whole_schedule(plan).runs_commands(plan));
  CHECK(std::get<ImageSource>(plan.stages.at(0).base).name == "other");
  for (const std::size_t step : {0U, 1U})
    CHECK(std::get<DirectorySource>(action<CopyAction>(plan, 1, step).from).path == "/some/files");
}

TEST_CASE("a named context has an image's name, however that is spelled, and may be a platform's") {
  PlanOptions options;
  options.named_contexts = {
      {"alpine", "/plain"}, {"alpine::linux/arm64", "/arm"}, {"a/b:1", "/ab"}};
  const auto path_of = [&](const std::string& from, const char* platform) {
    options.language.target_platform = Platform::parse(platform);
    options.language.platform_is_asked_for = true;
    const auto plan = plan_of("FROM scratch\nCOPY --from=" + from + " a /", options);
    return std::get<DirectorySource>(action<CopyAction>(plan, 0, 0).from).path;
  };
  for (const auto* name : {"alpine", "Alpine", "alpine:latest", "library/alpine",
                           "docker.io/library/alpine", "index.docker.io/library/alpine:latest"})
    CHECK(path_of(name, "linux/amd64") == "/plain");
  CHECK(path_of("alpine", "linux/arm64") == "/arm");
  options.named_contexts.emplace_back("docker.io/library/alpine", "/long");
  options.named_contexts.emplace_back("a/b:1", "/later");
  CHECK(path_of("alpine", "linux/amd64") == "/plain");
  CHECK(path_of("docker.io/library/alpine", "linux/amd64") == "/long");
  CHECK(path_of("docker.io/a/b:1", "linux/amd64") == "/later");
  const auto other = plan_of("FROM scratch\nCOPY --from=alpine:3 a /", options);
  CHECK(std::holds_alternative<ImageSource>(action<CopyAction>(other, 0, 0).from));
}

TEST_CASE("scratch and context are no names of named contexts, and scratch is empty") {
  PlanOptions options;
  options.named_contexts = {
      {"scratch", "/a"}, {"context", "/b"}, {"none", "docker-image://scratch"}};
  const auto plan = plan_of("FROM scratch\nCOPY --from=none a /\nCOPY --from=scratch a /", options);
  CHECK(std::holds_alternative<EmptyFilesystem>(plan.stages.at(0).base));
  for (const std::size_t step : {0U, 1U})
    CHECK(std::holds_alternative<EmptyFilesystem>(action<CopyAction>(plan, 0, step).from));
}

TEST_CASE("an image says the platform that was asked for, an empty one never another") {
  PlanOptions options;
  options.language.target_platform = Platform::parse("linux/amd64");
  const auto of = [&](const std::string& text) {
    const auto plan = plan_of(text, options);
    return plan.stages.at(plan.target).config.platform.str();
  };
  CHECK(of("FROM --platform=linux/arm64 scratch\nENV A=b") == "linux/amd64");
  options.language.target_platform = Platform::parse("linux/arm/v7");
  options.language.platform_is_asked_for = true;
  CHECK(of("FROM --platform=linux/amd64 busybox") == "linux/arm/v7");
}

TEST_CASE("heredocs of COPY are expanded unless their name is quoted") {
  const auto plan = plan_of("FROM busybox\nENV A=b\nCOPY <<X <<'Y' /\n$A\nX\n$A\nY\n");
  const auto& copy = action<CopyAction>(plan, 0, 1);
  CHECK(copy.files.at(0).content == "b\n");
  CHECK(copy.files.at(1).content == "$A\n");
}

TEST_CASE("what cannot be built is an error with its place") {
  struct Row {
    std::string text;
    std::string error;
  };
  for (const auto& row :
       {Row{"FROM a AS c\nCOPY --from=b x /\nFROM a AS b\nFROM c",
            "Dockerfile:2: cannot copy from stage \"b\", it needs to be defined before current "
            "stage \"c\""},
        Row{"FROM a AS x\nCOPY --from=x y /",
            "Dockerfile:2: circular dependency detected on stage: x"},
        Row{"FROM a\nCOPY --from=1 y /", "Dockerfile:2: invalid stage index 1"},
        Row{"FROM a\nCOPY --from=-1 y /\nFROM b", "Dockerfile:2: invalid stage index -1"},
        Row{"FROM a AS x\nCOPY --from=y y /\nFROM a AS y\nCOPY --from=x y /\nFROM b",
            "Dockerfile:4: circular dependency detected on stage: x"},
        Row{"FROM a AS x\nCOPY --from=$y y /\nFROM b",
            "Dockerfile:2: variable expansion is not supported for --from: $y"},
        Row{"FROM a AS x\nFROM a AS y\nCOPY --from=x y /\nFROM a AS x", ""},
        Row{"FROM a AS x\nFROM a AS y\nCOPY --from=x y /\nFROM a AS x\nFROM y",
            "Dockerfile:3: cannot copy from stage \"x\", it needs to be defined before current "
            "stage \"y\""},
        Row{"FROM a\nCOPY https://me:secret@example.org/x.git /",
            "Dockerfile:2: COPY: source can't be a git ref for COPY: "
            "https://***@example.org/x.git"},
        Row{"FROM a\nADD https://example.org/x.git?a=b /",
            "Dockerfile:2: https://example.org/x.git?a=b: unexpected query \"a\""},
        Row{"FROM a\nADD --checksum=sha256:0 https://example.org/x.git /",
            "Dockerfile:2: invalid checksum \"sha256:0\", expected hex commit hash"},
        Row{"FROM a\nADD --checksum=ab https://example.org/x.git?commit=cd /",
            "Dockerfile:2: ADD: checksum mismatch \"ab\" != \"cd\""},
        Row{"FROM a\nADD --keep-git-dir=true https://example.org/x.git?keep-git-dir=0 /",
            "Dockerfile:2: ADD: inconsistent keep-git-dir configuration: "
            "https://example.org/x.git?keep-git-dir=0"},
        Row{"FROM a\nADD https://[x /", "Dockerfile:2: 'https://[x' is not an http or https URL"},
        Row{"FROM a\nADD --checksum=sha256:0 https://example.org/x /",
            "Dockerfile:2: ADD --checksum=sha256:0: it must be \"sha256:\" and 64 hexadecimal "
            "digits"},
        Row{"FROM a\nADD --checksum=sha256:0 x /",
            "Dockerfile:2: ADD: checksum requires HTTP(S) or Git sources"},
        Row{"FROM a\nADD --checksum=sha256:0 https://example.org/x https://example.org/x /",
            "Dockerfile:2: ADD: checksum can't be specified for multiple sources"},
        Row{"FROM a\nCOPY https://example.org/x /",
            "Dockerfile:2: COPY: source can't be a URL for COPY: https://example.org/x"},
        Row{"FROM a\nRUN --mount=type=bind,target=/a/.. x",
            "Dockerfile:2: RUN: --mount=type=bind,target=/a/..: invalid mount target \"/\""},
        Row{"FROM a\nRUN --mount=from=1,target=/c x",
            "Dockerfile:2: RUN: --mount=from=1,target=/c: invalid stage index 1"},
        Row{"FROM a\nRUN --security=insecure x",
            "Dockerfile:2: RUN --security=insecure is not allowed"},
        Row{"FROM a\nEXPOSE 99999",
            "Dockerfile:2: EXPOSE: invalid port in '99999': it must be a number up to 65535"}}) {
    CAPTURE(row.text);
    CHECK(error_of(row.text) == row.error);
  }
  PlanOptions options;
  options.language.targets = {"bild"};
  CHECK(error_of("FROM a AS build", options) ==
        "Dockerfile: target stage \"bild\" could not be found (did you mean build?)");
}

TEST_SUITE_END();
