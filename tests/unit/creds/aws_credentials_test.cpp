#include "creds/cloud/aws_credentials.hpp"
#include "exchange.hpp"

using namespace cairn;

namespace {

std::string sts_answer(const std::string& id,
                       std::string_view action = "AssumeRoleWithWebIdentity") {
  return fmt::format("<{0}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{0}Result>"
                     "<Credentials><AccessKeyId>{1}</AccessKeyId>"
                     "<SecretAccessKey>s/{1}</SecretAccessKey><SessionToken>t+{1}</SessionToken>"
                     "<Expiration>2015-08-30T13:36:00Z</Expiration></Credentials></{0}Result>"
                     "</{0}Response>",
                     action, id);
}

constexpr const char* json_keys = R"({"Code":"Success","AccessKeyId":"J","SecretAccessKey":"js",)"
                                  R"("Token":"jt","Expiration":"2015-08-30T18:00:00Z"})";

std::string id_of(const std::optional<AwsKeys>& keys) {
  return keys ? keys->id : "none";
}

} // namespace

TEST_CASE_FIXTURE(CloudFixture, "a machine without an identity in AWS gives nothing") {
  set("HOME=" + directory.path());
  CHECK_FALSE(find_aws_keys(services(), "eu-west-1"));
  CHECK(sent().empty());
  CHECK(sent_to_metadata() ==
        std::vector<std::string>{"PUT http://169.254.169.254/latest/api/token\n"
                                 "X-aws-ec2-metadata-token-ttl-seconds: 21600\n\n"});
}

TEST_CASE_FIXTURE(CloudFixture, "keys in variables come first, and ask nobody") {
  set("AWS_ACCESS_KEY_ID=A");
  set("AWS_SECRET_ACCESS_KEY=s");
  set("AWS_SESSION_TOKEN=t");
  set("AWS_WEB_IDENTITY_TOKEN_FILE=/none");
  set("AWS_ROLE_ARN=arn");
  const auto keys = find_aws_keys(services(), "eu-west-1");
  REQUIRE(keys);
  CHECK(keys->id == "A");
  CHECK(keys->secret == "s");
  CHECK(keys->session == "t");
  CHECK(sent().empty());
}

TEST_CASE_FIXTURE(CloudFixture, "a web identity is exchanged at STS, without a signature") {
  set("AWS_WEB_IDENTITY_TOKEN_FILE=" + file("token", "e30.e30.sig\n"));
  set("AWS_ROLE_ARN=arn:aws:iam::123456789012:role/build");
  answers = {answer(sts_answer("W"))};
  const auto keys = find_aws_keys(services(), "eu-west-1");
  REQUIRE(keys);
  CHECK(keys->id == "W");
  CHECK(keys->secret == "s/W");
  CHECK(keys->session == "t+W");
  CHECK(keys->expires == from_unix(1'440'941'760));
  CHECK(sent() == std::vector<std::string>{
                      "POST https://sts.eu-west-1.amazonaws.com/\n"
                      "Content-Type: application/x-www-form-urlencoded\n\n"
                      "Action=AssumeRoleWithWebIdentity"
                      "&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fbuild"
                      "&RoleSessionName=cairn&Version=2011-06-15&WebIdentityToken=e30.e30.sig"});
}

TEST_CASE_FIXTURE(CloudFixture, "the region of the environment, China and own endpoints count") {
  set("AWS_WEB_IDENTITY_TOKEN_FILE=" + file("token", "jwt"));
  set("AWS_ROLE_ARN=arn");
  set("AWS_ROLE_SESSION_NAME=me");
  answers = {answer(sts_answer("W")), answer(sts_answer("W")), answer(sts_answer("W"))};
  CHECK(find_aws_keys(services(), "cn-north-1"));
  set("AWS_REGION=us-gov-west-1");
  CHECK(find_aws_keys(services(), "eu-west-1"));
  set("AWS_ENDPOINT_URL_STS=http://127.0.0.1:4566");
  CHECK(find_aws_keys(services(), "eu-west-1"));
  CHECK(http.lines() == std::vector<std::string>{"POST https://sts.cn-north-1.amazonaws.com.cn/",
                                                 "POST https://sts.us-gov-west-1.amazonaws.com/",
                                                 "POST http://127.0.0.1:4566/"});
  CHECK(sent().front().find("&RoleSessionName=me&") != std::string::npos);
}

TEST_CASE_FIXTURE(CloudFixture, "what STS says against it is told, without the token") {
  set("AWS_WEB_IDENTITY_TOKEN_FILE=" + file("token", "hush.hush.hush"));
  set("AWS_ROLE_ARN=arn:role");
  answers = {answer("<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>"
                    "<Message>Not authorized</Message></Error></ErrorResponse>",
                    403),
             answer("<E><Code>Bad</Code><Message>hush.hush.hush is bad</Message></E>", 400)};
  CHECK(complaint([&] { find_aws_keys(services(), "eu-west-1"); }) ==
        "AWS_WEB_IDENTITY_TOKEN_FILE: POST https://sts.eu-west-1.amazonaws.com/: arn:role: "
        "403 AccessDenied: Not authorized\n");
  const auto echoed = complaint([&] { find_aws_keys(services(), "eu-west-1"); });
  CHECK(echoed.find("400 Bad") != std::string::npos);
  CHECK(echoed.find("hush") == std::string::npos);
}

TEST_CASE_FIXTURE(CloudFixture, "the profile of the shared files, whose two halves are one") {
  set("AWS_SHARED_CREDENTIALS_FILE=" +
      file("credentials", "[default]\naws_access_key_id=D\naws_secret_access_key=ds\n"
                          "[ci]\naws_access_key_id=C\naws_secret_access_key=cs\n"));
  set("AWS_CONFIG_FILE=" + file("config", "[profile ci]\naws_session_token=ct\nregion=r\n"));
  CHECK(id_of(find_aws_keys(services(), "eu-west-1")) == "D");
  set("AWS_PROFILE=ci");
  const auto keys = find_aws_keys(services(), "eu-west-1");
  REQUIRE(keys);
  CHECK(keys->session == "ct");
  CHECK(keys->source == "AWS profile \"ci\"");
}

TEST_CASE_FIXTURE(CloudFixture, "a profile may take a role with another's keys") {
  set("AWS_SHARED_CREDENTIALS_FILE=" +
      file("credentials", "[base]\naws_access_key_id=AKIDEXAMPLE\naws_secret_access_key=x\n"));
  set("AWS_CONFIG_FILE=" + file("config", "[default]\nrole_arn=arn:r\nsource_profile=base\n"
                                          "external_id=e\nregion=eu-central-1\n"));
  answers = {answer(sts_answer("R", "AssumeRole"))};
  CHECK(id_of(find_aws_keys(services(), "eu-west-1")) == "R");
  REQUIRE(sent().size() == 1);
  const auto request = sent().front();
  CHECK(request.starts_with("POST https://sts.eu-central-1.amazonaws.com/\n"
                            "Content-Type: application/x-www-form-urlencoded\n"
                            "X-Amz-Date: 20150830T123600Z\n"
                            "Authorization: AWS4-HMAC-SHA256 "
                            "Credential=AKIDEXAMPLE/20150830/eu-central-1/sts/aws4_request, "
                            "SignedHeaders=content-type;host;x-amz-date, Signature="));
  CHECK(request.ends_with("\n\nAction=AssumeRole&RoleArn=arn%3Ar&RoleSessionName=cairn"
                          "&Version=2011-06-15&ExternalId=e"));
}

TEST_CASE_FIXTURE(CloudFixture, "a profile that leads nowhere is an error that names it") {
  set("AWS_SHARED_CREDENTIALS_FILE=/none");
  struct Row {
    const char* config;
    const char* message;
  };
  for (const auto& row :
       {Row{"[default]\nrole_arn=r\nsource_profile=gone\n", "source_profile gone has no keys"},
        Row{"[default]\nrole_arn=r\nsource_profile=a\n[profile a]\nrole_arn=r\n"
            "source_profile=default\n",
            "source_profile leads on and on"},
        Row{"[default]\ncredential_process=/bin/x\n", "credential_process is not supported"},
        Row{"[default]\nrole_arn=r\ncredential_source=Nowhere\n", "unknown source 'Nowhere'"}}) {
    CAPTURE(row.config);
    entries = {"AWS_SHARED_CREDENTIALS_FILE=/none"};
    set("AWS_CONFIG_FILE=" + file("config", row.config));
    const auto said = complaint([&] { find_aws_keys(services(), "eu-west-1"); });
    CHECK(said.starts_with("AWS profile \"default\": "));
    CHECK(said.find(row.message) != std::string::npos);
  }
}

TEST_CASE_FIXTURE(CloudFixture, "the container's endpoint is asked with its token") {
  SUBCASE("EKS Pod Identity") {
    set("AWS_CONTAINER_CREDENTIALS_FULL_URI=http://169.254.170.23/v1/credentials");
    set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=" + file("pod-token", "pod.jwt\n"));
    metadata_answers = {answer(json_keys)};
    CHECK(id_of(find_aws_keys(services(), "eu-west-1")) == "J");
    CHECK(sent_to_metadata() ==
          std::vector<std::string>{"GET http://169.254.170.23/v1/credentials\n"
                                   "Accept: application/json\nAuthorization: pod.jwt\n"});
  }
  SUBCASE("ECS") {
    set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/v2/credentials/id");
    metadata_answers = {answer(json_keys)};
    CHECK(id_of(find_aws_keys(services(), "eu-west-1")) == "J");
    CHECK(sent_to_metadata() ==
          std::vector<std::string>{
              "GET http://169.254.170.2/v2/credentials/id\nAccept: application/json\n"});
  }
  SUBCASE("https goes out into the world") {
    set("AWS_CONTAINER_CREDENTIALS_FULL_URI=https://keys.example/x");
    answers = {answer(json_keys)};
    CHECK(id_of(find_aws_keys(services(), "eu-west-1")) == "J");
  }
  SUBCASE("plain HTTP to anyone else is refused") {
    set("AWS_CONTAINER_CREDENTIALS_FULL_URI=http://keys.example/x");
    CHECK(complaint([&] {
            find_aws_keys(services(), "eu-west-1");
          }).find("http://keys.example/x: refused, a secret would leave TLS") != std::string::npos);
  }
  SUBCASE("an answer without keys is an error") {
    set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/x");
    metadata_answers = {answer("{\"AccessKeyId\":\"\"}")};
    CHECK(complaint([&] {
            find_aws_keys(services(), "eu-west-1");
          }).find("the answer has no \"AccessKeyId\"") != std::string::npos);
  }
}

TEST_CASE_FIXTURE(CloudFixture, "the instance is asked by IMDSv2") {
  metadata_answers = {answer("imds-token"), answer("build role\n"), answer(json_keys)};
  const auto keys = find_aws_keys(services(), "eu-west-1");
  REQUIRE(keys);
  CHECK(keys->id == "J");
  CHECK(keys->expires == from_unix(1'440'957'600));
  CHECK(sent_to_metadata() ==
        std::vector<std::string>{
            "PUT http://169.254.169.254/latest/api/token\n"
            "X-aws-ec2-metadata-token-ttl-seconds: 21600\n\n",
            "GET http://169.254.169.254/latest/meta-data/iam/security-credentials/\n"
            "X-aws-ec2-metadata-token: imds-token\n",
            "GET http://169.254.169.254/latest/meta-data/iam/security-credentials/build%20role\n"
            "X-aws-ec2-metadata-token: imds-token\n"});
}

TEST_CASE_FIXTURE(CloudFixture, "an instance without a role has no keys") {
  metadata_answers = {answer("imds-token"), answer("", 404)};
  CHECK_FALSE(find_aws_keys(services(), "eu-west-1"));
  set("AWS_EC2_METADATA_DISABLED=true");
  CHECK_FALSE(find_aws_keys(services(), "eu-west-1"));
  CHECK(metadata.requests().size() == 2);
}
