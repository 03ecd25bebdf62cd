#include "creds/cloud/gitlab.hpp"

#include <doctest/doctest.h>

using namespace cairn;

namespace {

std::string password(const std::vector<std::string>& entries, const char* image) {
  const auto found = make_gitlab_keychain(Variables(entries))->find(ImageRef::parse(image));
  return found ? found->password : "none";
}

} // namespace

TEST_CASE("a job's credentials are for its own servers") {
  const std::vector<std::string> job = {"CI_REGISTRY=registry.gitlab.example:5050",
                                        "CI_REGISTRY_USER=gitlab-ci-token",
                                        "CI_REGISTRY_PASSWORD=job",
                                        "CI_DEPENDENCY_PROXY_SERVER=gitlab.example:443",
                                        "CI_DEPENDENCY_PROXY_USER=p",
                                        "CI_DEPENDENCY_PROXY_PASSWORD=proxy",
                                        "CI_DEPLOY_USER=d",
                                        "CI_DEPLOY_PASSWORD=deploy"};
  CHECK(password(job, "registry.gitlab.example:5050/a/b") == "job");
  CHECK(password(job, "gitlab.example/group/dependency_proxy/containers/alpine") == "proxy");
  CHECK(password(job, "gitlab.example:443/group/x") == "proxy");
  CHECK(password(job, "registry.gitlab.example/a") == "none");
  CHECK(password(job, "registry.gitlab.example:6060/a") == "none");
  CHECK(password(job, "docker.io/a/b") == "none");
}

TEST_CASE("a deploy token counts where the job has no password for the registry") {
  const std::vector<std::string> job = {"CI_REGISTRY=r.example", "CI_DEPLOY_USER=d",
                                        "CI_DEPLOY_PASSWORD=deploy"};
  CHECK(password(job, "r.example/a") == "deploy");
  CHECK(password({"CI_DEPLOY_USER=d", "CI_DEPLOY_PASSWORD=deploy"}, "r.example/a") == "none");
}
