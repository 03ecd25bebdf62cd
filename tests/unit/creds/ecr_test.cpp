#include "creds/cloud/ecr.hpp"
#include "exchange.hpp"
#include "util/crypto.hpp"

using namespace cairn;

namespace {

constexpr const char* registry = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";

struct EcrFixture : CloudFixture {
  EcrFixture() {
    set("AWS_ACCESS_KEY_ID=AKIDEXAMPLE");
    set("AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
    set("AWS_EC2_METADATA_DISABLED=true");
  }

  std::optional<MintedCredential> mint(const std::string& host = registry) {
    return make_ecr_token_provider(services())->mint(host);
  }
};

std::string authorization(const std::string& token, const std::string& expires) {
  return R"({"authorizationData":[{"authorizationToken":")" + token + R"(","expiresAt":)" +
         expires + "}]}";
}

} // namespace

TEST_CASE("registries of Amazon are known by their names, and where their API is") {
  struct Row {
    const char* name;
    const char* url; ///< None: not one of Amazon's.
  };
  for (const auto& row : {
           Row{registry, "https://api.ecr.eu-west-1.amazonaws.com/"},
           Row{"123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com",
               "https://ecr-fips.us-gov-west-1.amazonaws.com/"},
           Row{"123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn",
               "https://api.ecr.cn-north-1.amazonaws.com.cn/"},
           Row{"123456789012.dkr-ecr.eu-west-1.on.aws", "https://ecr.eu-west-1.api.aws/"},
           Row{"123456789012.dkr.ecr.us-iso-east-1.c2s.ic.gov",
               "https://api.ecr.us-iso-east-1.c2s.ic.gov/"},
           Row{"public.ecr.aws", "https://api.ecr-public.us-east-1.amazonaws.com/"},
           Row{"12345678901.dkr.ecr.eu-west-1.amazonaws.com", nullptr},
           Row{"123456789012.dkr.ecr.eu-west-1.amazonaws.com.evil.example", nullptr},
           Row{"123456789012.dkr.ecr.evil.example/.amazonaws.com", nullptr},
           Row{"evil.example/123456789012.dkr.ecr.eu-west-1.amazonaws.com", nullptr},
           Row{"123456789012.dkr.ecr.eu-west-1.amazonaws.com:443", nullptr},
           Row{"123456789012.dkr.ecr..amazonaws.com", nullptr},
           Row{"x.public.ecr.aws", nullptr},
           Row{"docker.io", nullptr},
           Row{"", nullptr},
       }) {
    CAPTURE(row.name);
    const auto found = parse_ecr_registry(row.name);
    CHECK(found.has_value() == (row.url != nullptr));
    if (found && row.url != nullptr)
      CHECK(found->url == row.url);
  }
}

TEST_CASE_FIXTURE(EcrFixture, "a token is asked for with a signature, and is user and password") {
  answers = {answer(authorization(base64_encode("AWS:the password"), "1.440978960E9"))};
  const auto minted = mint();
  REQUIRE(minted);
  CHECK(minted->credential.username == "AWS");
  CHECK(minted->credential.password == "the password");
  CHECK(minted->credential.describe() ==
        fmt::format("credential \"{}\" of Amazon ECR (AWS_ACCESS_KEY_ID)", registry));
  CHECK(minted->expires == from_unix(1'440'978'960));
  // The signature is that of OpenSSL's command line for the same text.
  CHECK(sent() ==
        std::vector<std::string>{
            "POST https://api.ecr.eu-west-1.amazonaws.com/\n"
            "Content-Type: application/x-amz-json-1.1\n"
            "X-Amz-Target: AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken\n"
            "X-Amz-Date: 20150830T123600Z\n"
            "Authorization: AWS4-HMAC-SHA256 "
            "Credential=AKIDEXAMPLE/20150830/eu-west-1/ecr/aws4_request, "
            "SignedHeaders=content-type;host;x-amz-date;x-amz-target, "
            "Signature=ce953a52a1215175c49d9a611ae10b5db817f776f0ad5d2a6ff9b0198dd390bc\n\n{}"});
}

TEST_CASE_FIXTURE(EcrFixture, "the public registry has an API of its own") {
  answers = {answer(R"({"authorizationData":{"authorizationToken":")" + base64_encode("AWS:p") +
                    R"("}})")};
  const auto minted = mint("public.ecr.aws");
  REQUIRE(minted);
  CHECK(minted->expires == now + std::chrono::hours(12));
  const auto request = sent().front();
  CHECK(request.starts_with("POST https://api.ecr-public.us-east-1.amazonaws.com/\n"));
  CHECK(request.find("X-Amz-Target: SpencerFrontendService.GetAuthorizationToken\n") !=
        std::string::npos);
  CHECK(request.find("/us-east-1/ecr-public/aws4_request") != std::string::npos);
}

TEST_CASE_FIXTURE(EcrFixture, "answers that are no token are errors, and never shown") {
  for (const char* body :
       {"", "[]", "{}", R"({"authorizationData":[]})", R"({"authorizationData":[7]})",
        R"({"authorizationData":[{"authorizationToken":"hush"}]})",
        R"({"authorizationData":[{"authorizationToken":"%%%"}]})",
        R"({"authorizationData":[{"authorizationToken":"QVdTOg=="}]})"}) {
    CAPTURE(body);
    answers = {answer(body)};
    const auto said = complaint([&] { mint(); });
    CHECK(said.starts_with("POST https://api.ecr.eu-west-1.amazonaws.com/: "));
    CHECK(said.find("hush") == std::string::npos);
  }
}

TEST_CASE_FIXTURE(EcrFixture, "an expiry that cannot be is that of twelve hours") {
  for (const char* expires : {"-1", "1e300", "\"soon\"", "99999999999"}) {
    CAPTURE(expires);
    answers = {answer(authorization(base64_encode("AWS:p"), expires))};
    CHECK(mint()->expires == now + std::chrono::hours(12));
  }
}

TEST_CASE_FIXTURE(EcrFixture, "what fails in passing can be tried again, the rest cannot") {
  answers = {answer("", 503), answer(R"({"__type":"X","message":"no"})", 400),
             answer("", 302, {{"Location", "https://evil.example/"}})};
  CHECK_THROWS_AS(mint(), TemporaryError);
  CHECK(complaint([&] { mint(); }).find("400 Bad Request: no") != std::string::npos);
  CHECK(complaint([&] { mint(); }).find("302") != std::string::npos);
  CHECK(http.requests().size() == 3);
}

TEST_CASE_FIXTURE(CloudFixture, "without keys there is no credential") {
  set("AWS_EC2_METADATA_DISABLED=true");
  CHECK_FALSE(make_ecr_token_provider(services())->mint(registry));
  CHECK(sent().empty());
}
