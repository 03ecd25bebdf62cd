#include "executor_line.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

#include <doctest/doctest.h>

#include <unistd.h>

#include <string>

using namespace cairn;

namespace {

/// The message with which these flags are refused; "" when they are not.
std::string conflict(Words arguments) {
  try {
    parse(std::move(arguments));
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

bool names(const std::string& message, const std::string& one, const std::string& other) {
  return message.find(one) != std::string::npos && message.find(other) != std::string::npos;
}

} // namespace

TEST_CASE("outputs that would be written over each other are refused, and both flags named") {
  struct Row {
    Words flags;
    const char* one;
    const char* other;
  };
  for (const auto& row : {
           Row{{"--oci-layout-path=/d", "--export-cache-mounts=oci:/d"},
               "--oci-layout-path",
               "--export-cache-mounts"},
           Row{{"--oci-layout-path=/d/", "--export-cache-mounts=oci:/x/../d"},
               "--oci-layout-path",
               "--export-cache-mounts"},
           Row{{"--cache-dir=/d", "--oci-layout-path=/d"}, "--cache-dir", "--oci-layout-path"},
           Row{{"--cache-dir=/d", "--oci-layout-path=/d/mounts/x"},
               "--cache-dir",
               "--oci-layout-path"},
           Row{{"--cache-dir=/d", "--export-cache-mounts=oci:/d"},
               "--cache-dir",
               "--export-cache-mounts"},
           Row{{"--export-cache-mounts=oci:/d", "--export-cache-mounts=oci:/d"},
               "--export-cache-mounts",
               "--export-cache-mounts"},
           Row{{"--oci-layout-path=/d", "--tar-path=/d/index.json"},
               "--oci-layout-path",
               "--tar-path"},
           Row{{"--oci-layout-path=/d", "--tar-path=/d/blobs/x.tar"},
               "--oci-layout-path",
               "--tar-path"},
           Row{{"--build-context=base=oci-layout:///d:latest", "--export-cache-mounts=oci:/d"},
               "--build-context base",
               "--export-cache-mounts"},
           Row{{"--tar-path=/d.tar", "--digest-file=/d.tar"}, "--tar-path", "--digest-file"},
           Row{{"--digest-file=/d", "--base-images-file=/d"},
               "--digest-file",
               "--base-images-file"},
           Row{{"--build-context=base=oci-layout:///d", "--export-cache-mounts=oci:/d"},
               "--build-context base",
               "--export-cache-mounts"},
           Row{{"--context=/d", "--oci-layout-path=/d"}, "--context", "--oci-layout-path"},
           Row{{"--context=dir:///d", "--export-cache-mounts=oci:/d"},
               "--context",
               "--export-cache-mounts"},
       }) {
    const auto message = conflict(row.flags);
    CAPTURE(row.flags[0]);
    CAPTURE(row.flags[1]);
    CAPTURE(message);
    CHECK(names(message, row.one, row.other));
  }
}

TEST_CASE("outputs that do not meet are taken, even side by side in one directory") {
  for (const auto& flags : std::vector<Words>{
           {"--oci-layout-path=/d", "--tar-path=/d/image.tar"},
           {"--oci-layout-path=/d", "--export-cache-mounts=oci:/d2"},
           {"--cache-dir=/d", "--oci-layout-path=/d/out"},
           {"--cache", "--cache-repo=oci:/d", "--oci-layout-path=/d"},
           {"--import-cache-mounts=oci:/d", "--export-cache-mounts=oci:/d"},
           {"--build-context=base=oci-layout:///d", "--oci-layout-path=/d"},
           {"--context=/d", "--oci-layout-path=/d/out"},
           {"--digest-file=/dev/null", "--base-images-file=/dev/null"},
       }) {
    CAPTURE(flags[0]);
    CAPTURE(flags[1]);
    CHECK(conflict(flags) == "");
  }
}

TEST_CASE("a link does not hide that two outputs are one") {
  const TempDir directory("/tmp");
  REQUIRE(::symlink(directory.path().c_str(), (directory.path() + "/link").c_str()) == 0);
  const auto message = conflict({"--oci-layout-path=" + directory.path() + "/d",
                                 "--export-cache-mounts=oci:" + directory.path() + "/link/d"});
  CHECK(names(message, "--oci-layout-path", "--export-cache-mounts"));
}
