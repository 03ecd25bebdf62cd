#include "creds/cloud/aws_signature.hpp"

#include <doctest/doctest.h>

using namespace cairn;

namespace {

// The keys and the moment of AWS's test suite for Signature Version 4.
const AwsKeys suite_keys{.id = "AKIDEXAMPLE", .secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"};
constexpr AwsScope suite_scope{"us-east-1", "service"};
constexpr Time suite_time = from_unix(1'440'938'160); // 2015-08-30T12:36:00Z

std::string sign(Request request, const AwsScope& scope = suite_scope) {
  sign_aws(request, suite_keys, scope, suite_time);
  return request.authorization;
}

std::string expected(std::string_view headers, std::string_view signature,
                     std::string_view service = "service") {
  return fmt::format("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/{}/aws4_request, "
                     "SignedHeaders={}, Signature={}",
                     service, headers, signature);
}

Request request(const std::string& method, const std::string& url) {
  Request made;
  made.method = method;
  made.url = url;
  return made;
}

} // namespace

TEST_CASE("requests of AWS's test suite get its signatures") {
  struct Row {
    const char* name;
    Request request;
    const char* headers;
    const char* signature;
  };
  auto form = request("POST", "https://example.amazonaws.com/");
  form.headers.set("Content-Type", "application/x-www-form-urlencoded");
  form.body = std::string("Param1=value1");
  auto sorted = request("GET", "https://example.amazonaws.com/");
  sorted.headers.set("My-Header1", "value1");
  for (const auto& row : {
           Row{"get-vanilla", request("GET", "https://example.amazonaws.com/"), "host;x-amz-date",
               "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
           Row{"post-vanilla", request("POST", "https://example.amazonaws.com/"), "host;x-amz-date",
               "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
           Row{"get-vanilla-query-order-key-case",
               request("GET", "https://example.amazonaws.com/?Param2=value2&Param1=value1"),
               "host;x-amz-date",
               "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
           Row{"post-x-www-form-urlencoded", form, "content-type;host;x-amz-date",
               "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
       }) {
    CAPTURE(row.name);
    CHECK(sign(row.request) == expected(row.headers, row.signature));
  }
}

TEST_CASE("the example of AWS's documentation, ListUsers of IAM, gets its signature") {
  auto list = request("GET", "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08");
  list.headers.set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
  CHECK(sign(list, {"us-east-1", "iam"}) ==
        expected("content-type;host;x-amz-date",
                 "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7", "iam"));
}

TEST_CASE("the token of temporary keys is sent and signed") {
  auto made = request("GET", "https://example.amazonaws.com/");
  auto keys = suite_keys;
  keys.session = "session";
  sign_aws(made, keys, suite_scope, suite_time);
  REQUIRE(made.headers.find("x-amz-security-token") != nullptr);
  CHECK(*made.headers.find("x-amz-security-token") == "session");
  CHECK(*made.headers.find("x-amz-date") == "20150830T123600Z");
  CHECK(made.authorization.find("SignedHeaders=host;x-amz-date;x-amz-security-token,") !=
        std::string::npos);
}

TEST_CASE("a signature covers method, path, query, headers and body") {
  const auto base = request("GET", "https://example.amazonaws.com/");
  auto with_header = base;
  with_header.headers.set("X-Other", "1");
  auto with_body = base;
  with_body.body = std::string("x");
  for (const auto& other :
       {request("PUT", "https://example.amazonaws.com/"), request("GET", "https://example.org/"),
        request("GET", "https://example.amazonaws.com/a"),
        request("GET", "https://example.amazonaws.com/?a"), with_header, with_body})
    CHECK(sign(other) != sign(base));
}
