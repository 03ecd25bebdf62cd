#include "executor_line.hpp"
#include "util/error.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <variant>
#include <vector>

using namespace cairn;

namespace {

/// "accepted" or the message.
std::string refusal(const Words& arguments, const Words& variables = {}) {
  try {
    parse_executor(arguments, ProcessEnvironment(variables));
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

struct Refusal {
  Words arguments;
  std::string message;
  const char* reason;
};

void check_refusals(const std::vector<Refusal>& rows) {
  for (const auto& row : rows) {
    CAPTURE(row.reason);
    Words all = row.arguments;
    all.emplace_back("--no-push");
    CHECK(refusal(all) == row.message);
  }
}

} // namespace

TEST_CASE("without flags the defaults are kaniko's") {
  const auto command = parse({});
  const auto& build = command.build;
  CHECK(build.context.context == "/workspace/");
  CHECK(build.context.dockerfile == "Dockerfile");
  CHECK(build.language.targets.empty());
  CHECK(build.language.target_platform == Platform::host());
  CHECK(build.execution.isolation == Isolation::automatic);
  CHECK(build.execution.work_directory == "/kaniko");
  CHECK(build.execution.snapshots == SnapshotScope::each_step);
  CHECK_FALSE(build.times.epoch.has_value());
  CHECK_FALSE(build.output.format.has_value());
  CHECK(build.output.compression.method == Compression::gzip);
  CHECK_FALSE(build.output.compression.level.has_value());
  CHECK(command.registry.push_check == PushCheck::before_work);
  CHECK(command.registry.asked_helpers() == all_credential_helpers());
  CHECK(command.log.verbosity == Verbosity::info);
  CHECK(command.log.format == LogFormat::automatic);
  CHECK(command.warnings.empty());
}

TEST_CASE("each flag sets what it names") {
  struct Row {
    Words arguments;
    std::function<bool(const BuildCommand&)> holds;
    const char* reason;
  };
  const std::vector<Row> rows = {
      {{"-c", "dir:///src", "--context-sub-path=a"},
       [](const auto& c) {
         return c.build.context.context == "dir:///src" && c.build.context.sub_path == "a";
       },
       "the context"},
      {{"--context-base=/w", "--context=./"},
       [](const auto& c) { return c.build.context.context == "/w/./"; },
       "a path is in the base"},
      {{"--context-base=/w", "--context=/app"},
       [](const auto& c) { return c.build.context.context == "/w//app"; },
       "one that begins with a slash too"},
      {{"--context-base=/w", "--context=https://git.test/team/app.git#main:service"},
       [](const auto& c) {
         return c.build.context.context == "https://git.test/team/app.git#main:service";
       },
       "a repository is not"},
      {{"--context-base=/w", "--context=git@git.test:team/app.git"},
       [](const auto& c) { return c.build.context.context == "git@git.test:team/app.git"; },
       "nor is one without a scheme"},
      {{"--context-base=/w", "--context=dir:///src"},
       [](const auto& c) { return c.build.context.context == "dir:///src"; },
       "nor what has a scheme"},
      {{"--context-base=", "--context=app"},
       [](const auto& c) { return c.build.context.context == "app"; },
       "no workspace, no base"},
      {{"--results-limit=3K"},
       [](const auto& c) { return c.build.output.reports.results_limit == 3072; },
       "what results may have"},
      {{"--build-context=base=docker-image://alpine:3", "--build-context", "src=/src"},
       [](const auto& c) {
         return c.build.context.named ==
                std::vector<NameValue>{{"base", "docker-image://alpine:3"}, {"src", "/src"}};
       },
       "named contexts, in order"},
      {{"--target=a,b", "--target=2"},
       [](const auto& c) {
         return c.build.language.targets == Words{"a", "b", "2"};
       },
       "targets, repeated or separated by commas"},
      {{"--target="},
       [](const auto& c) { return c.build.language.targets.empty(); },
       "an empty target is the last stage: pipelines pass unset parameters"},
      {{"--build-arg=A=b=c", "--build-arg", "E="},
       [](const auto& c) {
         return c.build.language.build_args == std::vector<NameValue>{{"A", "b=c"}, {"E", ""}};
       },
       "build arguments keep commas, equals signs and emptiness"},
      {{"--label=a=b,c", "--annotation=x=y"},
       [](const auto& c) {
         return c.build.language.labels == std::vector<NameValue>{{"a", "b,c"}} &&
                c.build.output.annotations.at("x") == "y";
       },
       "labels and annotations"},
      {{"--custom-platform=linux/arm64/v8"},
       [](const auto& c) { return c.build.language.target_platform.str() == "linux/arm64"; },
       "the platform, normalised"},
      {{"--customPlatform=linux/s390x"},
       [](const auto& c) { return c.build.language.target_platform.str() == "linux/s390x"; },
       "under its old name"},
      {{"-d", "localhost:5000/a", "--destination=b:1"},
       [](const auto& c) {
         return c.build.output.destinations.size() == 2 &&
                c.build.output.destinations[0].str() == "localhost:5000/a:latest";
       },
       "destinations, with a default tag"},
      {{"--tarPath=/o.tar", "--oci-layout-path=/oci"},
       [](const auto& c) {
         return c.build.output.tar_path == "/o.tar" && c.build.output.oci_layout_path == "/oci";
       },
       "files of the image"},
      {{"--image-format=oci", "--compression=zstd", "--compression-level=19"},
       [](const auto& c) {
         return c.build.output.format == ImageFormat::oci &&
                c.build.output.compression.method == Compression::zstd &&
                c.build.output.compression.level == 19;
       },
       "format and compression"},
      {{"--compression-level=0"},
       [](const auto& c) { return !c.build.output.compression.level.has_value(); },
       "level 0 is the default one, as in kaniko"},
      {{"--isolation=namespace", "--force", "--single-snapshot", "--reproducible"},
       [](const auto& c) {
         return c.build.execution.isolation == Isolation::namespaces &&
                c.build.execution.force == Force::yes &&
                c.build.execution.snapshots == SnapshotScope::whole_stage &&
                c.build.times.reproducible;
       },
       "execution"},
      {{"--ignore-path=/a/../b/", "--ignore-path", "c"},
       [](const auto& c) {
         return c.build.execution.ignore_paths == Words{"/b", "/c"};
       },
       "ignored paths, seen from the root"},
      {{"--insecure", "--skip-tls-verify-pull", "--insecure-registry=a:1", "--insecure-registry=b",
        "--skip-tls-verify-registry=c"},
       [](const auto& c) {
         const auto& r = c.registry.options;
         return r.insecure_push && !r.insecure_pull && !r.skip_tls_verify_push &&
                r.skip_tls_verify_pull && r.insecure_registries.size() == 2 &&
                r.skip_tls_verify_registries.count("c") == 1;
       },
       "registries that are not asked for a certificate"},
      {{"--push-retry=3", "--image-download-retry=5"},
       [](const auto& c) { return c.registry.extra_attempts == 5; },
       "the larger number of attempts"},
      {{"--skip-push-permission-check"},
       [](const auto& c) { return c.registry.push_check == PushCheck::none; },
       "no question before the work"},
      {{"--credential-helpers="},
       [](const auto& c) { return c.registry.asked_helpers().empty(); },
       "no helper"},
      {{"--credential-helpers=gitlab", "--credential-helpers=ecr"},
       [](const auto& c) {
         return c.registry.asked_helpers() ==
                std::vector{CredentialHelper::gitlab, CredentialHelper::ecr};
       },
       "those helpers alone"},
      {{"-v", "WARNING", "--log-format=json", "--log-timestamp"},
       [](const auto& c) {
         return c.log.verbosity == Verbosity::warn && c.log.format == LogFormat::json &&
                c.log.time == LogTime::timestamp;
       },
       "the log"},
      {{"--dryrun"}, [](const auto& c) { return c.dry_run == DryRun::yes; }, "a dry run"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.reason);
    CHECK(row.holds(parse(row.arguments)));
  }
}

TEST_CASE("flags that change nothing here are accepted in every form that kaniko knows") {
  const Words rows[] = {
      {"--cache=false"},
      {"--cache-run-layers=true", "--cache-copy-layers", "--no-push-cache"},
      {"--cache-dir=/cache", "--cache-ttl=6h30m"},
      {"--compressed-caching=false"},
      {"--snapshot-mode=redo"},
      {"--snapshotMode=time"},
      {"--use-new-run", "--ignore-var-run=false", "--whitelist-var-run"},
      {"--skip-unused-stages", "--force-build-metadata"},
      {"--image-fs-extract-retry=3"},
      {"--skip-default-registry-fallback"},
      {"--materialize=false", "--check=false"},
      {"--git=branch=main"},
      {"--bucket="},
      {"--cleanup", "--pre-cleanup"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.front());
    CHECK_NOTHROW(parse(row));
  }
}

TEST_CASE("work that comes later is refused by name, never skipped") {
  check_refusals({
      {{"-b", "bucket"}, "--bucket: not supported yet", "contexts in buckets"},
      {{"--materialize"}, "--materialize: not supported yet", "the built root"},
      {{"-c", "s3://b/k"}, "--context: s3:// contexts are not supported yet", "S3"},
      {{"-c", "gs://b/k"}, "--context: gs:// contexts are not supported yet", "GCS"},
  });
}

TEST_CASE("values that mean nothing are refused") {
  check_refusals({
      {{"--secret=id=a"}, "--secret: id=a: there is no file 'a'", "no variable either"},
      {{"--import-cache-mounts=oci:"},
       "--import-cache-mounts: 'oci:' names no directory",
       "a layout"},
      {{"--isolation=chroot"},
       "--isolation: 'chroot' is none of auto, namespace, supervised, inplace, none",
       "another builder's word"},
      {{"--snapshot-mode=fast"},
       "--snapshot-mode: 'fast' is none of full, redo, time",
       "checked although it changes nothing"},
      {{"--label=a"}, "--label: 'a' is not of the form name=value", "no ="},
      {{"--annotation==a"}, "--annotation: '=a' is not of the form name=value", "no name"},
      {{"--build-arg=="}, "--build-arg: '=' is neither NAME nor NAME=value", "no name"},
      {{"--build-context=a"}, "--build-context: 'a' is not of the form name=value", "no ="},
      {{"--compression=lz4"}, "--compression: 'lz4' is neither gzip nor zstd", "unknown"},
      {{"--compression-level=10"}, "--compression-level: 10 is more than gzip's 9", "for gzip"},
      {{"--compression=zstd", "--compression-level=23"},
       "--compression-level: 23 is not between -1 and 22",
       "for zstd"},
      {{"--push-retry=-1"}, "--push-retry: -1 is not between 0 and 1000000", "negative"},
      {{"--ignore-path=/"}, "--ignore-path: '/' would leave out the whole filesystem", "the root"},
      {{"--ignore-path="}, "--ignore-path: '' would leave out the whole filesystem", "empty"},
      {{"--kaniko-dir=here"}, "--kaniko-dir: 'here' is not an absolute path", "relative"},
      {{"--context="}, "--context: say where the build context is", "empty"},
      {{"--context=ftp://h/x"}, "--context: unknown kind of context 'ftp://'", "unknown"},
      {{"--verbosity=loud"},
       "--verbosity: 'loud' is none of trace, debug, info, warn, error, fatal, panic",
       "unknown"},
      {{"--log-format=xml"}, "--log-format: 'xml' is none of auto, text, color, json", "unknown"},
      {{"--custom-platform=vax"},
       "--custom-platform: platform 'vax': unknown operating system or architecture",
       "unknown"},
      {{"--credential-helpers=vault"},
       "--credential-helpers: 'vault' is none of env, google, ecr, acr, gitlab",
       "unknown"},
      {{"--destinaton=a"}, "unknown flag: --destinaton (did you mean --destination?)", "a slip"},
  });
  CHECK(refusal({"-d", "a/Upper"}).starts_with("--destination: "));
}

TEST_CASE("pipelines give lists and lines") {
  const auto command = parse({"--build-args", "A=1", "B=2", "--destinations=r.io/a:1\nr.io/b:2",
                              "--extra-args=--label=x=y z\n--target\nfinal\n"});
  const auto& build = command.build;
  CHECK(build.language.build_args.size() == 2);
  CHECK(build.output.destinations.size() == 2);
  CHECK(build.language.labels.at(0).second == "y z");
  CHECK(build.language.targets == Words{"final"});
}

TEST_CASE("flags that contradict each other are refused") {
  check_refusals({
      {{"--compression=zstd", "--image-format=docker"},
       "--compression: images of Docker's format have no zstd layers; use --image-format=oci",
       "Docker's format has no media type for it"},
      {{"--tar-path=/x", "--image-format=oci"},
       "--tar-path: an archive of docker save cannot hold an image of --image-format=oci; "
       "use --oci-layout-path",
       "kaniko refuses it too"},
      {{"--tar-path=/x", "--compression=zstd"},
       "--tar-path: an archive of docker save cannot hold layers of --compression=zstd",
       "kaniko refuses it too"},
      {{"--image-name-with-digest-file=/x"},
       "--image-name-with-digest-file: there is no --destination to name",
       "nothing to name"},
      {{"--image-name-tag-with-digest-file=/x"},
       "--image-name-tag-with-digest-file: there is no --destination to name",
       "nothing to name"},
      {{"--image-url-file=/x"},
       "--image-url-file: there is no --destination to name",
       "nothing to name"},
      {{"--images-file=/x"}, "--images-file: there is no --destination to name", "nothing to name"},
  });
}

TEST_CASE("an image goes somewhere, or is said not to") {
  const std::string missing = "you must provide --destination, or use --no-push";
  CHECK(refusal({}) == missing);
  CHECK(refusal({"--tar-path=/x"}) == missing);
  CHECK(refusal({"--no-push=false"}) == missing);
  CHECK(refusal({"--no-push"}) == "accepted");
  CHECK(refusal({"--destination=a"}) == "accepted");
  CHECK(refusal({"--dryrun"}) == "accepted");
  CHECK(refusal({"-d", "a@sha256:" + std::string(64, 'a')})
            .ends_with("ends with a digest: an image is pushed under a tag"));
}

TEST_CASE("KANIKO_NO_PUSH wins over the flag, in both directions") {
  const auto push = [](const Words& arguments, const std::string& value) {
    Words all = arguments;
    all.emplace_back("--destination=a");
    const auto command = parse_executor(all, ProcessEnvironment({"KANIKO_NO_PUSH=" + value}));
    return std::get<BuildCommand>(command).build.output.push;
  };
  CHECK(push({}, "true") == PushImage::no);
  CHECK(push({"--no-push=false"}, "1") == PushImage::no);
  CHECK(push({"--no-push"}, "false") == PushImage::yes);
  CHECK(push({"--no-push"}, "") == PushImage::no);
  CHECK(refusal({"-d", "a"}, {"KANIKO_NO_PUSH=maybe"}) ==
        "KANIKO_NO_PUSH: 'maybe' is neither true nor false");
}

TEST_CASE("the flag wins over KANIKO_DIR") {
  const auto directory = [](const Words& arguments, const Words& variables) {
    return parse(arguments, variables).build.execution.work_directory;
  };
  CHECK(directory({}, {"KANIKO_DIR=/other"}) == "/other");
  CHECK(directory({"--kaniko-dir=/flag"}, {"KANIKO_DIR=/other"}) == "/flag");
  CHECK(directory({"--kaniko-dir="}, {"KANIKO_DIR=/other"}) == "/other");
}

TEST_CASE("a context that is to be preserved keeps the build out of the container's filesystem") {
  const auto isolation = [](const Words& arguments, const Words& variables) {
    return parse(arguments, variables).build.execution.isolation;
  };
  CHECK(isolation({"--preserve-context"}, {}) == Isolation::not_in_place);
  CHECK(isolation({}, {"KANIKO_PRESERVE_CONTEXT=1"}) == Isolation::not_in_place);
  CHECK(isolation({"--preserve-context=false"}, {"KANIKO_PRESERVE_CONTEXT=1"}) ==
        Isolation::automatic);
  CHECK(isolation({"--preserve-context", "--isolation=none"}, {}) == Isolation::none);
  CHECK(refusal({"--no-push", "--preserve-context", "--isolation=inplace"}) ==
        "--preserve-context: not supported yet with --isolation=inplace");
}

TEST_CASE("other commands have flags of their own, which follow them") {
  const auto command = std::get<PushCommand>(
      parse_executor({"push", "image.tar", "-d", "a.example/b:1", "--push-retry=2"},
                     ProcessEnvironment({"KANIKO_REGISTRY_MIRROR=m.example"})));
  CHECK(command.path == "image.tar");
  CHECK(command.settings.destinations.front().str() == "a.example/b:1");
  CHECK(command.settings.registry.extra_attempts == 2);
  CHECK(refusal({"push", "a", "-d", "b", "--context=x"}) == "unknown flag: --context");
  CHECK(refusal({"completion"}) == "completion: Cairn has no scripts for shells");
  CHECK(refusal({"--insecure", "index"}) == "index: a command comes before its flags");
}

TEST_CASE("kaniko's experiments are not looked at") {
  CHECK(refusal({"--no-push"}, {"FF_KANIKO_COPY_AS_ROOT=nonsense", "FF_KANIKO_UNKNOWN=1"}) ==
        "accepted");
}

TEST_CASE("a build argument without a value takes the environment's") {
  const auto args = parse({"--build-arg=A", "--build-arg=B", "--build-arg=C=c"},
                          {"A=from environment", "C=unused"})
                        .build.language.build_args;
  CHECK(args == std::vector<NameValue>{{"A", "from environment"}, {"B", ""}, {"C", "c"}});
}

TEST_CASE("SOURCE_DATE_EPOCH in the environment is a build argument, unless one is given") {
  using Arguments = std::vector<NameValue>;
  const auto arguments = [](const Words& flags, const Words& variables) {
    return parse(flags, variables).build.language.build_args;
  };
  const Words variable = {"SOURCE_DATE_EPOCH=1000"};
  CHECK(arguments({}, variable) == Arguments{{"SOURCE_DATE_EPOCH", "1000"}});
  CHECK(arguments({"--build-arg=SOURCE_DATE_EPOCH=5"}, variable) ==
        Arguments{{"SOURCE_DATE_EPOCH", "5"}});
  CHECK(arguments({"--build-arg=SOURCE_DATE_EPOCH"}, variable) ==
        Arguments{{"SOURCE_DATE_EPOCH", "1000"}});
  CHECK(arguments({"--build-arg=SOURCE_DATE_EPOCH="}, variable) ==
        Arguments{{"SOURCE_DATE_EPOCH", ""}});
  CHECK(arguments({}, {"SOURCE_DATE_EPOCH="}).empty());
}

TEST_CASE("commands are told from flags") {
  const ProcessEnvironment none;
  CHECK(std::holds_alternative<VersionCommand>(parse_executor({"version"}, none)));
  CHECK(std::holds_alternative<VersionCommand>(parse_executor({"--force", "version"}, none)));
  for (const Words& words : {Words{"help"}, Words{"--help"}, Words{"-h"}, Words{"--force", "-h"}}) {
    const auto command = parse_executor(words, none);
    REQUIRE(std::holds_alternative<HelpCommand>(command));
    CHECK(std::get<HelpCommand>(command).text.find("--destination multi-arg") != std::string::npos);
  }
  CHECK(refusal({"--cache", "true"}) == "unknown command \"true\" for \"executor\"");
  CHECK(refusal({"build"}) == "unknown command \"build\" for \"executor\"");
  try {
    parse_executor({"--cache", "true"}, none);
  } catch (const Error& error) {
    CHECK(error.detail().find("--cache=false") != std::string::npos);
  }
}

TEST_CASE("what is odd but harmless becomes a warning") {
  CHECK(parse({"--tarPath=/x"}).warnings == Words{"--tarPath is an old name of --tar-path"});
  CHECK(parse({"--cache-repo=r/c"}).warnings ==
        Words{"--cache-repo has no effect without --cache"});
}
