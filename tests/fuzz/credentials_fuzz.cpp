#include "creds/cloud/aws_profile.hpp"
#include "creds/cloud/ecr.hpp"
#include "creds/cloud/sts_answer.hpp"
#include "creds/docker/config_merge.hpp"
#include "creds/docker/helper_protocol.hpp"
#include "util/error.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace cairn;

namespace {

/// Knows one server and keeps nothing.
class OneServer final : public HelperBackend {
public:
  std::optional<Credential> get(const std::string& server) override {
    const auto image = image_on_server(server);
    if (!image || image->registry() != "r.io")
      return std::nullopt;
    Credential credential;
    credential.username = server;
    credential.password = server;
    return credential;
  }
  void store(const std::string&, const Credential&) override {}
  void erase(const std::string&) override {}
  std::map<std::string, std::string> list() override { return {}; }
};

void serve(std::string_view text) {
  OneServer backend;
  for (const auto* action : {"get", "store", "erase"}) {
    const auto answer = serve_helper({"docker-credential-fuzz", "1"}, {action}, text, backend);
    // One line at most, so that nobody can fake another answer.
    const auto line_end = answer.output.find('\n');
    if (line_end != std::string::npos && line_end + 1 != answer.output.size())
      std::abort();
  }
}

/// What is merged once is the same when it is merged again.
void merge(std::string_view text) {
  SilentProgress silent;
  ConfigMerge once(silent);
  once.add(DockerConfig::parse(text, "config.json"));
  const auto document = once.document();
  ConfigMerge twice(silent);
  twice.add(DockerConfig::parse(document.compact(), "config.json"));
  if (twice.document() != document)
    std::abort();
}

} // namespace

// The first byte chooses what the rest is: AWS's files, an answer of STS, a helper's stdin, a
// configuration, the name of a registry.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0)
    return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  try {
    switch (data[0] % 5) {
    case 0:
      static_cast<void>(parse_aws_profiles(text, AwsFileKind::credentials, "credentials"));
      static_cast<void>(parse_aws_profiles(text, AwsFileKind::config, "config"));
      break;
    case 1:
      static_cast<void>(xml_element(text, "AccessKeyId"));
      break;
    case 2:
      serve(text);
      break;
    case 3:
      merge(text);
      break;
    default:
      static_cast<void>(parse_ecr_registry(text));
    }
  } catch (const Error&) {
    // Refusing is fine; crashing is not.
    return 0;
  }
  return 0;
}
