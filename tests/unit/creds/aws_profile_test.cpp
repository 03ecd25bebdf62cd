#include "creds/cloud/aws_profile.hpp"
#include "util/error.hpp"

#include <doctest/doctest.h>

using namespace cairn;

TEST_CASE("profiles are sections, in one of the two files behind the word profile") {
  const auto credentials =
      parse_aws_profiles("[default]\naws_access_key_id = A\n\n[ci]\nAWS_ACCESS_KEY_ID=B\n",
                         AwsFileKind::credentials, "credentials");
  CHECK(credentials.at("default").at("aws_access_key_id") == "A");
  CHECK(credentials.at("ci").at("aws_access_key_id") == "B");
  const auto config = parse_aws_profiles(
      "[profile ci]\nregion=eu-west-1\n[default]\nregion=x\n[sso-session s]\na=b\n"
      "[profile \"two words\"]\nregion=y\n[ci]\nregion=ignored\n",
      AwsFileKind::config, "config");
  CHECK(config.at("ci").at("region") == "eu-west-1");
  CHECK(config.at("two words").at("region") == "y");
  CHECK(config.size() == 3);
}

TEST_CASE("comments, blank lines and nested settings do not count") {
  const auto profiles = parse_aws_profiles(
      "# one\r\n; two\r\n[default]\r\n\r\ns3 =\r\n  max_queue_size = 7\r\nregion = r # not this\r\n"
      "aws_secret_access_key = a#b;c=d\r\n",
      AwsFileKind::config, "config");
  CHECK(profiles.at("default").at("region") == "r");
  CHECK(profiles.at("default").at("aws_secret_access_key") == "a#b;c=d");
  CHECK(profiles.at("default").count("max_queue_size") == 0);
}

TEST_CASE("what is no such file is refused with its line, without showing it") {
  struct Row {
    const char* text;
    const char* message;
  };
  for (const auto& row :
       {Row{"[default]\nhush", "f:2: neither [SECTION] nor NAME = VALUE"},
        Row{"a = hush", "f:1: a setting before any [SECTION]"},
        Row{"[hush", "f:1: a section is [NAME]"}, Row{"[]", "f:1: a section is [NAME]"},
        Row{"[a]\n= hush", "f:2: neither [SECTION] nor NAME = VALUE"}}) {
    CAPTURE(row.text);
    CHECK_THROWS_WITH_AS(parse_aws_profiles(row.text, AwsFileKind::credentials, "f"), row.message,
                         Error);
  }
}
