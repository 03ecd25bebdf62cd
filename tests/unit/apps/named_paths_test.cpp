#include "apps/executor/flag_table.hpp"
#include "apps/executor/named_paths.hpp"
#include "apps/executor/parse_command.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>

using namespace cairn;

TEST_SUITE_BEGIN("apps/named_paths");

namespace {

/// What a command line names, as "option=path".
std::set<std::string> named(std::vector<std::string> arguments,
                            const std::vector<std::string>& environment = {}) {
  arguments.emplace_back("--no-push");
  const auto command =
      std::get<BuildCommand>(parse_executor(arguments, ProcessEnvironment(environment)));
  std::set<std::string> found;
  for (const auto& path : command.build.execution.named_paths)
    found.insert(path.option + "=" + path.path);
  return found;
}

/// Flags with these words in their help that name no path of this machine.
const std::set<std::string_view> no_paths = {"context-sub-path", // a part of the context
                                             "ignore-path",      // a path of the image
                                             "check",
                                             "git",
                                             "cleanup",
                                             "preserve-context",
                                             "pre-cleanup",
                                             "materialize",
                                             "use-new-run",
                                             "image-fs-extract-retry",
                                             "force-build-metadata",
                                             "reproducible",
                                             "force",
                                             "snapshot-mode"};

} // namespace

TEST_CASE("every flag that names a file, a directory or a path is known to do so") {
  for (const auto& flag : executor_flags()) {
    const auto& spec = flag.spec;
    if (!spec.alias_of.empty() || no_paths.contains(spec.name))
      continue;
    for (const auto* word : {"file", "FILE", "directory", "path", "PATH", "SOCKET", "src="})
      if (spec.help.find(word) != std::string_view::npos)
        CHECK_MESSAGE(names_paths(spec.name), "--", spec.name, ": ", spec.help);
  }
}

TEST_CASE("contexts, layouts, caches, keys and reports are read out of their values") {
  CHECK(named({"--context=dir:///src/app", "--build-context=lib=/src/lib",
               "--build-context=base=oci-layout:///bases/x:latest@sha256:1",
               "--build-context=image=docker-image://busybox", "--cache-repo=oci:/cache/c",
               "--cache", "--export-cache-mounts=oci:/mounts", "--tar-path=image.tar",
               "--digest-file=https://server/digest", "--oci-layout-path=/out/layout"}) ==
        std::set<std::string>{"--context=/src/app", "--build-context=/src/lib",
                              "--build-context=/bases/x", "--cache-repo=/cache",
                              "--export-cache-mounts=/mounts", "--tar-path=image.tar",
                              "--oci-layout-path=/out/layout"});
  CHECK(named({"--context=tar:///in/context.tar"}) ==
        std::set<std::string>{"--context=/in/context.tar"});
  CHECK(named({"--context=https://github.com/a/b.git"}).empty());
  CHECK(named({"--context-base=/w", "--context=/"}) ==
        std::set<std::string>{"--context-base=/w", "--context=/w//"});
  CHECK(named({"--context-base=/w", "--context=https://github.com/a/b.git"}) ==
        std::set<std::string>{"--context-base=/w"});
}

TEST_CASE("variables that credentials are read from name paths, too") {
  CHECK(named({}, {"AWS_WEB_IDENTITY_TOKEN_FILE=/var/run/secrets/eks/token", "HOME=/root"}) ==
        std::set<std::string>{"AWS_WEB_IDENTITY_TOKEN_FILE=/var/run/secrets/eks/token",
                              "HOME=/root/.docker", "HOME=/root/.aws",
                              "HOME=/root/.config/gcloud"});
}

TEST_SUITE_END();
