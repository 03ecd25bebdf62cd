#include "creds/docker/keychain.hpp"
#include "oci/media_type.hpp"
#include "registry/client.hpp"
#include "registry/resolve.hpp"
#include "support/fake_http.hpp"
#include "util/error.hpp"

#include <doctest/doctest.h>

using namespace cairn;
using namespace std::chrono_literals;

namespace {

const std::string layer_text = "a layer";

/// One credential for everything.
class OneCredential final : public Keychain {
public:
  std::optional<Credential> find(const ImageRef&) override {
    Credential credential;
    credential.username = "me";
    credential.password = "secret";
    credential.key = "r.example";
    credential.source = "config.json";
    return credential;
  }
  std::string places() const override { return "config.json"; }
};

struct Fixture {
  SilentProgress progress;
  AnonymousKeychain anonymous;
  OneCredential credential;
  RetryPolicy quick{.attempts = 3, .first = 0ms, .factor = 1, .cap = 0ms, .patience = 1s};

  RegistryServices services(Http& http, Keychain& keychain) {
    return {.http = http, .keychain = keychain, .progress = progress, .retry = quick};
  }
};

Response not_found() {
  return {404, {}, R"({"errors":[{"code":"MANIFEST_UNKNOWN"}]})"};
}

Response unauthorised(const std::string& challenge) {
  return {401, {{"WWW-Authenticate", challenge}}};
}

Response document(const std::string& text, std::string_view type) {
  return {200,
          {{"Content-Type", std::string(type)}, {"Docker-Content-Digest", Digest::of(text).str()}},
          text};
}

/// One that does not say its own media type.
std::string manifest_text() {
  return fmt::format(
      R"({{"schemaVersion":2,"config":{{"mediaType":"x","digest":"{}","size":2}},"layers":[]}})",
      Digest::of("{}").str());
}

Descriptor layer() {
  return {std::string(media_type::oci_layer), Digest::of(layer_text), layer_text.size()};
}

BlobOpener opener() {
  return [] { return std::make_unique<TextSource>(layer_text); };
}

bool ends_with(const Request& request, std::string_view end) {
  return request.url.ends_with(end);
}

} // namespace

TEST_CASE_FIXTURE(Fixture, "Docker Hub is spoken to at its endpoint") {
  FakeHttp http([](const Request&) { return not_found(); });
  RegistryClient client(services(http, anonymous), {});
  CHECK_FALSE(client.get_manifest(ImageRef::parse("busybox")));
  CHECK(http.lines() ==
        std::vector<std::string>{
            "GET https://registry-1.docker.io/v2/library/busybox/manifests/latest"});
}

TEST_CASE_FIXTURE(Fixture, "every media type is accepted") {
  FakeHttp http([](const Request& request) {
    const auto* accept = request.headers.find("accept");
    for (const auto type : {media_type::oci_index, media_type::docker_index,
                            media_type::oci_manifest, media_type::docker_manifest})
      CHECK(accept->find(type) != std::string::npos);
    return not_found();
  });
  RegistryClient(services(http, anonymous), {}).get_manifest(ImageRef::parse("r.example/a"));
}

TEST_CASE_FIXTURE(Fixture,
                  "one port is asked in plain text first, and believed when it is a registry") {
  struct Row {
    Response plain;
    const char* scheme;
    const char* reason;
  };
  for (const auto& row :
       {Row{{200}, "http", "it is one"}, Row{{401}, "http", "it wants a login"},
        Row{{400, {}, "Client sent an HTTP request to an HTTPS server."}, "https", "it says so"},
        Row{{301, {{"Location", "https://localhost:5000/v2/"}}}, "https", "it leads there"}}) {
    CAPTURE(row.reason);
    FakeHttp http([&](const Request& request) -> Response {
      CHECK(request.authorization.empty());
      if (!ends_with(request, "/v2/"))
        return not_found();
      return request.url.starts_with("http:") ? row.plain : Response{200};
    });
    RegistryClient client(services(http, anonymous), {});
    client.get_manifest(ImageRef::parse("localhost:5000/a:1"));
    CHECK(http.lines().back() ==
          fmt::format("GET {}://localhost:5000/v2/a/manifests/1", row.scheme));
  }
}

TEST_CASE_FIXTURE(Fixture, "an insecure registry is asked for TLS first, once") {
  FakeHttp http([](const Request& request) -> Response {
    if (request.url.starts_with("https:"))
      throw TlsError("wrong version number");
    return ends_with(request, "/v2/") ? Response{200} : not_found();
  });
  RegistryOptions options;
  options.insecure_registries = {"r.example"};
  RegistryClient client(services(http, anonymous), options);
  client.get_manifest(ImageRef::parse("r.example/a:1"));
  client.get_manifest(ImageRef::parse("r.example/a:2"));
  CHECK(http.lines() == std::vector<std::string>{"GET https://r.example/v2/",
                                                 "GET http://r.example/v2/",
                                                 "GET http://r.example/v2/a/manifests/1",
                                                 "GET http://r.example/v2/a/manifests/2"});
}

TEST_CASE_FIXTURE(Fixture, "when neither scheme works the first one's error counts") {
  FakeHttp http([](const Request& request) -> Response {
    if (request.url.starts_with("https:"))
      throw TlsError("unknown authority");
    return {400, {}, "Client sent an HTTP request to an HTTPS server."};
  });
  RegistryClient client(services(http, anonymous), {});
  CHECK_THROWS_WITH_AS(client.get_manifest(ImageRef::parse("localhost:5000/a")),
                       doctest::Contains("unknown authority"), TlsError);
}

TEST_CASE_FIXTURE(Fixture,
                  "a certificate that is not trusted is told, though plain HTTP is reset") {
  FakeHttp http([](const Request& request) -> Response {
    if (request.url.starts_with("https:"))
      throw TlsError("unknown authority");
    throw TemporaryError("connection reset");
  });
  RegistryOptions options;
  options.insecure_registries = {"r.example:5000"};
  RegistryClient client(services(http, anonymous), options);
  CHECK_THROWS_WITH_AS(client.get_manifest(ImageRef::parse("r.example:5000/a")),
                       doctest::Contains("unknown authority"), TlsError);
}

TEST_CASE_FIXTURE(Fixture, "plain HTTP is never tried unasked, however near the registry is") {
  for (const auto* registry : {"10.0.0.5:5000", "192.168.1.1", "registry.local:5000"}) {
    FakeHttp http([](const Request&) -> Response { throw TemporaryError("refused"); });
    RegistryClient client(services(http, anonymous), {});
    try {
      client.get_manifest(ImageRef::parse(std::string(registry) + "/a:1"));
      FAIL("no error");
    } catch (const TemporaryError& error) {
      CHECK(error.detail().find(std::string("--insecure-registry ") + registry) !=
            std::string::npos);
    }
    for (const auto& request : http.requests())
      CHECK(request.url.starts_with("https:"));
  }
}

TEST_CASE_FIXTURE(Fixture, "a token is preferred to sending the password") {
  FakeHttp http([](const Request& request) -> Response {
    if (request.url.starts_with("https://auth/"))
      return {200, {}, R"({"token":"t1"})"};
    if (request.authorization == "Bearer t1")
      return not_found();
    return unauthorised(R"(Basic realm="x", Bearer realm="https://auth/token",service="s")");
  });
  RegistryClient(services(http, credential), {}).get_manifest(ImageRef::parse("r.example/a:1"));
  const auto requests = http.requests();
  REQUIRE(requests.size() == 3);
  CHECK(requests[0].authorization.empty());
  CHECK(requests[1].authorization.starts_with("Basic "));
  CHECK(requests[2].authorization == "Bearer t1");
}

TEST_CASE_FIXTURE(Fixture, "what is for a registry is not for those it leads to") {
  RegistryOptions options;
  options.skip_tls_verify_registries = {"r.example"};
  options.certificates["r.example"] = "OWN";
  options.certificates["storage.example"] = "STORAGE";
  options.client_certificates["r.example"] = {"CERT", "KEY"};
  FakeHttp http([](const Request& request) -> Response {
    if (request.url.starts_with("https://auth.example/"))
      return {200, {}, R"({"token":"t1"})"};
    if (request.authorization.empty() && request.url.starts_with("https://r.example/"))
      return unauthorised(R"(Bearer realm="https://auth.example/token")");
    return request.method == "POST" ? Response{202, {{"Location", "https://storage.example/u"}}}
                                    : Response{201};
  });
  RegistryClient client(services(http, credential), options);
  client.upload_blob(ImageRef::parse("r.example/a"), layer(), opener());
  const auto requests = http.requests();
  REQUIRE(requests.size() == 4);
  CHECK(requests[0].tls->verify == TlsVerify::none);
  CHECK(requests[0].tls->certificate == "CERT");
  CHECK_FALSE(requests[0].led_from);
  // A redirect is for the client below to follow.
  CHECK(requests[0].tls_elsewhere("other.example")->verify == TlsVerify::full);
  CHECK(requests[0].tls_elsewhere("other.example")->extra_ca.empty());
  CHECK(requests[0].tls_elsewhere("storage.example")->extra_ca == "STORAGE");
  // The token server is the registry's, but the certificate shows the client to the registry alone.
  CHECK(requests[1].url.starts_with("https://auth.example/"));
  CHECK(requests[1].tls->extra_ca == "OWN");
  CHECK(requests[1].tls->certificate.empty());
  CHECK(requests[1].led_from == AddressScope::global);
  CHECK(requests[1].redirects == Redirects::same_origin);
  CHECK(requests[3].url.starts_with("https://storage.example/"));
  CHECK(requests[3].tls->verify == TlsVerify::full);
  CHECK(requests[3].tls->extra_ca == "STORAGE");
  CHECK(requests[3].tls->certificate.empty());
  CHECK(requests[3].led_from == AddressScope::global);
}

TEST_CASE_FIXTURE(Fixture, "a registry on this machine may lead to others there") {
  FakeHttp http([](const Request& request) -> Response {
    Response response{201};
    if (request.method == "POST")
      response = {202, {{"Location", "http://127.0.0.1:9000/u"}}};
    response.peer = AddressScope::loopback;
    return response;
  });
  RegistryClient(services(http, anonymous), {})
      .upload_blob(ImageRef::parse("localhost:5000/a"), layer(), opener());
  CHECK(http.requests().back().url.starts_with("http://127.0.0.1:9000/u"));
  CHECK(http.requests().back().led_from == AddressScope::loopback);
}

TEST_CASE_FIXTURE(Fixture, "an anonymous request for a token may be sent on") {
  FakeHttp http([](const Request& request) -> Response {
    return request.url.starts_with("https://auth/")
               ? Response{200, {}, R"({"token":"t1"})"}
               : unauthorised(R"(Bearer realm="https://auth/token")");
  });
  RegistryClient client(services(http, anonymous), {});
  CHECK_THROWS_AS(client.get_manifest(ImageRef::parse("r.example/a:1")), Error);
  CHECK(http.requests()[1].redirects == Redirects::follow);
}

TEST_CASE_FIXTURE(Fixture, "an answer without a Location is told with its request and status") {
  FakeHttp http([](const Request&) { return Response{202}; });
  RegistryClient client(services(http, anonymous), {});
  CHECK_THROWS_WITH_AS(
      client.upload_blob(ImageRef::parse("r.example/a"), layer(), opener()),
      doctest::Contains(
          "POST https://r.example/v2/a/blobs/uploads/: 202: the answer has no Location"),
      Error);
}

TEST_CASE_FIXTURE(Fixture, "JSON that is no manifest is an error") {
  for (const auto* text : {R"({"hello":"world"})", R"({"schemaVersion":2})", "[]", "5", "null",
                           R"({"schemaVersion":2,"manifests":{"a":1}})",
                           R"({"schemaVersion":2,"config":{},"layers":[]})"}) {
    CAPTURE(text);
    FakeHttp http([&](const Request&) { return document(text, media_type::oci_manifest); });
    RegistryClient client(services(http, anonymous), {});
    CHECK_THROWS_WITH_AS(client.get_manifest(ImageRef::parse("r.example/a:1")),
                         doctest::Contains("get manifest of r.example/a:1: "), Error);
  }
}

TEST_CASE_FIXTURE(Fixture, "a registry that takes no blob in one PUT is sent pieces from then on") {
  struct Row {
    int status;
    const char* body;
  };
  for (const auto& row : {Row{404, R"({"errors":[{"code":"BLOB_UNKNOWN"}]})"}, Row{404, ""},
                          Row{404, R"({"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]})"}, Row{405, ""},
                          Row{400, ""}, Row{501, ""}}) {
    CAPTURE(row.status);
    CAPTURE(row.body);
    FakeHttp http([&](const Request& request) -> Response {
      if (request.method == "POST")
        return {202, {{"Location", "/u"}}};
      if (request.method == "PATCH")
        return {202, {{"Location", "/u?2"}}};
      return request.body.index() == 0 ? Response{201} : Response{row.status, {}, row.body};
    });
    RegistryClient client(services(http, anonymous), {});
    const auto repository = ImageRef::parse("r.example/a");
    client.upload_blob(repository, layer(), opener());
    CHECK(http.requests().back().earlier_bytes == layer_text.size());
    const auto first = http.requests().size();
    client.upload_blob(repository, layer(), opener());
    const bool remembered = http.requests().size() - first == 3;
    CHECK(remembered == (std::string(row.body).find("UPLOAD") == std::string::npos));
  }
}

TEST_CASE_FIXTURE(Fixture, "a limit on the size of requests says nothing about smaller blobs") {
  FakeHttp http([&](const Request& request) -> Response {
    if (request.method == "POST" || request.method == "PATCH")
      return {202, {{"Location", "/u"}}};
    return {request.body.index() == 0 ? 201 : 413};
  });
  RegistryClient client(services(http, anonymous), {});
  client.upload_blob(ImageRef::parse("r.example/a"), layer(), opener());
  const auto first = http.requests().size();
  client.upload_blob(ImageRef::parse("r.example/a"), layer(), opener());
  CHECK(http.requests().size() == 2 * first);
}

TEST_CASE_FIXTURE(Fixture, "the same registries may be asked with another patience") {
  int asked = 0;
  FakeHttp http([&](const Request& request) -> Response {
    if (request.authorization.empty())
      return unauthorised("Basic realm=x");
    ++asked;
    return {503};
  });
  const RegistryClient usual(services(http, credential), {});
  auto patience = quick;
  patience.attempts = 7;
  RegistryClient patient(usual, patience);
  CHECK_THROWS_AS(patient.get_manifest(ImageRef::parse("r.example/a:1")), TransientStatus);
  CHECK(asked == 7);
}

TEST_CASE_FIXTURE(Fixture, "a password does not leave TLS for a token") {
  FakeHttp http([](const Request&) { return unauthorised(R"(Bearer realm="http://auth/token")"); });
  RegistryClient client(services(http, credential), {});
  CHECK_THROWS_WITH(client.get_manifest(ImageRef::parse("r.example/a:1")),
                    doctest::Contains("the credential would leave TLS"));
  CHECK(http.requests().size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "a scope that the registry asks for besides ours is remembered") {
  FakeHttp http([](const Request& request) -> Response {
    if (request.url.starts_with("https://auth/"))
      return {200,
              {},
              request.url.find("proxy%2Fa") != std::string::npos ? R"({"token":"good"})"
                                                                 : R"({"token":"bad"})"};
    if (request.authorization == "Bearer good")
      return not_found();
    return unauthorised(R"(Bearer realm="https://auth/token",scope="repository:proxy/a:pull")");
  });
  RegistryClient client(services(http, anonymous), {});
  client.get_manifest(ImageRef::parse("r.example/a:1"));
  client.get_manifest(ImageRef::parse("r.example/a:2"));
  CHECK(http.requests().size() == 4); // 401, token, manifest; then a manifest alone.
}

TEST_CASE_FIXTURE(Fixture,
                  "a refusal names the registry's words and the credential, never the secret") {
  FakeHttp http([](const Request&) {
    return Response{403, {}, R"({"errors":[{"code":"DENIED","message":"not yours"}]})"};
  });
  RegistryClient client(services(http, credential), {});
  CHECK_THROWS_WITH_AS(
      client.get_manifest(ImageRef::parse("r.example/a:1")),
      "get manifest of r.example/a:1: GET https://r.example/v2/a/manifests/1: 403 Forbidden: "
      "DENIED: not yours (with credential \"r.example\" of config.json)",
      Error);
}

TEST_CASE_FIXTURE(Fixture, "HEAD without a digest is followed by GET") {
  const auto text = manifest_text();
  FakeHttp http([&](const Request& request) {
    return request.method == "HEAD" ? Response{200, {{"Content-Length", "31"}}}
                                    : document(text, media_type::oci_manifest);
  });
  const auto found =
      RegistryClient(services(http, anonymous), {}).head_manifest(ImageRef::parse("r.example/a:1"));
  REQUIRE(found);
  CHECK(found->digest == Digest::of(text));
  CHECK(found->media_type == media_type::oci_manifest);
  CHECK(found->size == text.size());
}

TEST_CASE_FIXTURE(Fixture,
                  "the media type is the document's own, the header's, or what it looks like") {
  struct Row {
    std::string text;
    std::string_view header;
    std::string_view type;
  };
  for (const auto& row : {
           Row{R"({"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]})",
               "text/plain", media_type::oci_index},
           Row{manifest_text(),
               "application/vnd.docker.distribution.manifest.v2+json; charset=utf-8",
               media_type::docker_manifest},
           Row{R"({"manifests":[]})", "application/json", media_type::oci_index},
           Row{manifest_text(), "", media_type::oci_manifest},
       }) {
    FakeHttp http([&](const Request&) { return document(row.text, row.header); });
    CHECK(RegistryClient(services(http, anonymous), {})
              .get_manifest(ImageRef::parse("r.example/a"))
              ->media_type == row.type);
  }
}

TEST_CASE_FIXTURE(Fixture, "a link to storage that refuses HEAD does not stop a push") {
  FakeHttp http([](const Request&) { return Response{403, {}, {}, "https://storage/x?sig=1"}; });
  CHECK_FALSE(RegistryClient(services(http, anonymous), {})
                  .has_blob(ImageRef::parse("r.example/a"), layer().digest));
}

TEST_CASE_FIXTURE(Fixture, "an upload goes where the registry says, its name and scheme staying") {
  struct Row {
    const char* location;
    const char* put;
    const char* because;
  };
  for (const auto& row : {
           Row{"/v2/a/blobs/uploads/1?_state=x",
               "https://r.example/v2/a/blobs/uploads/1?_state=x&digest=", "a path"},
           Row{"1", "https://r.example/v2/a/blobs/uploads/1?digest=", "a relative path"},
           Row{"http://r.example/u",
               "https://r.example/u?digest=", "a registry that does not know of its proxy"},
           Row{"http://r.example:80/u", "https://r.example/u?digest=", "with its port"},
           Row{"https://other.example/u", "https://other.example/u?digest=", "another host"},
       }) {
    CAPTURE(row.because);
    FakeHttp http([&](const Request& request) {
      return request.method == "POST" ? Response{202, {{"Location", row.location}}} : Response{201};
    });
    RegistryClient(services(http, anonymous), {})
        .upload_blob(ImageRef::parse("r.example/a"), layer(), opener());
    CHECK(http.requests().back().method == "PUT");
    CHECK(http.requests().back().url.starts_with(row.put));
  }
}

TEST_CASE_FIXTURE(Fixture, "a credential does not follow an upload to another host") {
  FakeHttp http([](const Request& request) -> Response {
    if (request.method == "PUT")
      return {201};
    return request.authorization.empty()
               ? unauthorised("Basic realm=x")
               : Response{202, {{"Location", "https://storage.example/u"}}};
  });
  RegistryClient(services(http, credential), {})
      .upload_blob(ImageRef::parse("r.example/a"), layer(), opener());
  const auto requests = http.requests();
  REQUIRE(requests.size() == 3);
  CHECK_FALSE(requests[1].authorization.empty());
  CHECK(requests[2].authorization.empty());
}

TEST_CASE_FIXTURE(Fixture, "an upload that fails for a while is begun again each time") {
  int puts = 0;
  FakeHttp http([&](const Request& request) -> Response {
    if (request.method == "POST")
      return {202, {{"Location", "/u"}}};
    if (++puts == 1)
      throw TemporaryError("connection reset");
    return {puts == 2 ? 500 : 201};
  });
  RegistryClient(services(http, anonymous), {})
      .upload_blob(ImageRef::parse("r.example/a"), layer(), opener());
  CHECK(http.requests().size() == 6);
}

TEST_CASE_FIXTURE(Fixture, "a blob with a wrong digest is not sent in pieces after that") {
  FakeHttp http([&](const Request& request) {
    return request.method == "POST"
               ? Response{202, {{"Location", "/u"}}}
               : Response{400, {}, R"({"errors":[{"code":"DIGEST_INVALID"}]})"};
  });
  RegistryClient client(services(http, anonymous), {});
  CHECK_THROWS_WITH(client.upload_blob(ImageRef::parse("r.example/a"), layer(), opener()),
                    doctest::Contains("DIGEST_INVALID"));
  CHECK(http.requests().size() == 2);
}

TEST_CASE_FIXTURE(Fixture, "a mount that becomes an upload is used for it") {
  FakeHttp http([&](const Request& request) -> Response {
    if (request.method == "POST")
      return {202, {{"Location", "/u"}}};
    return {request.method == "HEAD" ? 404 : 201};
  });
  RegistryClient client(services(http, anonymous), {});
  CHECK(client.push_blob(ImageRef::parse("r.example/a"), layer(), opener(), {"b"}) ==
        BlobArrival::uploaded);
  CHECK(http.requests().size() == 3);
}

TEST_CASE_FIXTURE(Fixture, "a registry that does not mount is no obstacle") {
  FakeHttp http([&](const Request& request) -> Response {
    if (request.url.find("mount=") != std::string::npos)
      return {405};
    return {200};
  });
  RegistryClient client(services(http, anonymous), {});
  CHECK(client.push_blob(ImageRef::parse("r.example/a"), layer(), opener(), {"b"}) ==
        BlobArrival::present);
}

TEST_CASE_FIXTURE(Fixture, "a blob is never longer than it should be") {
  FakeHttp http([](const Request&) { return Response{200, {}, layer_text + "!"}; });
  RegistryClient client(services(http, anonymous), {});
  TextSink sink;
  CHECK_THROWS_WITH_AS(client.fetch_blob(ImageRef::parse("r.example/a"), layer(), sink),
                       doctest::Contains("more than the 7 bytes it should have came"), Error);
  CHECK(sink.text().empty());
}

TEST_CASE_FIXTURE(Fixture, "a range that was not asked for is refused") {
  FakeHttp http([](const Request& request) -> Response {
    if (request.headers.find("range") != nullptr)
      return {206, {{"Content-Range", "bytes 5-6/7"}}, "er"};
    write_text(*request.sink, "a l");
    throw TemporaryError("reset");
  });
  RegistryClient client(services(http, anonymous), {});
  TextSink sink;
  CHECK_THROWS_WITH(client.fetch_blob(ImageRef::parse("r.example/a"), layer(), sink),
                    doctest::Contains("not the range that was asked for"));
}

TEST_CASE_FIXTURE(Fixture, "a part of a blob is asked for by its first and last byte") {
  FakeHttp http([](const Request&) -> Response {
    return {206, {{"Content-Range", "bytes 2-4/7"}}, "lay"};
  });
  RegistryClient client(services(http, anonymous), {});
  CHECK(read_all(*client.read_blob_range(ImageRef::parse("r.example/a"), layer(), {2, 3}), 100) ==
        "lay");
  REQUIRE(http.requests().size() == 1);
  CHECK(*http.requests().front().headers.find("range") == "bytes=2-4");
}

TEST_CASE_FIXTURE(Fixture, "a part of a blob goes on where its transfer broke") {
  FakeHttp http([](const Request& request) -> Response {
    if (*request.headers.find("range") == "bytes=4-4")
      return {206, {{"Content-Range", "bytes 4-4/7"}}, "y"};
    Response begun{206, {{"Content-Range", "bytes 2-4/7"}}};
    request.on_success(begun);
    write_text(*request.sink, "la");
    throw TemporaryError("reset");
  });
  RegistryClient client(services(http, anonymous), {});
  CHECK(read_all(*client.read_blob_range(ImageRef::parse("r.example/a"), layer(), {2, 3}), 100) ==
        "lay");
}

TEST_CASE_FIXTURE(Fixture, "a registry that ignores ranges, or sends others, is told at once") {
  const std::vector<Response> answers = {
      {200, {}, layer_text},
      {206, {{"Content-Range", "bytes 0-2/7"}}, "a l"},
      {206, {}, "lay"},
      {206, {{"Content-Range", "bytes 2-6/7"}}, "layer"},
      {416},
      {400},
  };
  for (const auto& answer : answers) {
    CAPTURE(answer.body);
    FakeHttp http([&](const Request&) { return answer; });
    RegistryClient client(services(http, anonymous), {});
    CHECK_THROWS_AS(client.read_blob_range(ImageRef::parse("r.example/a"), layer(), {2, 3}),
                    RangeRefused);
  }
}

TEST_CASE_FIXTURE(Fixture, "all of a blob may be the answer to a range that is all of it") {
  FakeHttp http([](const Request&) { return Response{200, {}, layer_text}; });
  RegistryClient client(services(http, anonymous), {});
  CHECK(read_all(*client.read_blob_range(ImageRef::parse("r.example/a"), layer(),
                                         {0, layer_text.size()}),
                 100) == layer_text);
}

TEST_CASE_FIXTURE(Fixture,
                  "a registry that gave no answer is asked once each time, until it answers") {
  bool is_down = true;
  int asked = 0;
  FakeHttp http([&](const Request&) -> Response {
    ++asked;
    if (is_down)
      throw TemporaryError("connection refused");
    return {503};
  });
  RegistryClient client(services(http, anonymous), {});
  const auto count = [&](const char* name) {
    asked = 0;
    CHECK_THROWS_AS(client.get_manifest(ImageRef::parse(name)), TemporaryError);
    return asked;
  };
  CHECK(count("r.example/a:1") == 3);
  CHECK(count("r.example/b:1") == 1);
  CHECK(count("other.example/b:1") == 3);
  is_down = false;
  CHECK(count("r.example/b:1") == 1);
  CHECK(count("r.example/b:1") == 3);
}

TEST_CASE_FIXTURE(Fixture, "a reader sees the error instead of the end") {
  FakeHttp http([](const Request&) { return Response{200, {}, "a lager"}; });
  RegistryClient client(services(http, anonymous), {});
  const auto source = client.read_blob(ImageRef::parse("r.example/a"), layer());
  CHECK_THROWS_WITH(read_all(*source, 100), doctest::Contains("have the digest"));
}

TEST_CASE_FIXTURE(Fixture, "a document that claims to be huge is not fetched") {
  FakeHttp http([](const Request&) { return Response{200}; });
  RegistryClient client(services(http, anonymous), {});
  auto blob = layer();
  blob.size = std::uint64_t{1} << 40;
  CHECK_THROWS_WITH(client.blob_text(ImageRef::parse("r.example/a"), blob),
                    doctest::Contains("more than a document"));
  CHECK(http.requests().empty());
}

TEST_CASE_FIXTURE(Fixture, "indexes that hold themselves come to an end") {
  std::map<std::string, std::string> documents;
  std::string inner = R"({"schemaVersion":2,"manifests":[]})";
  for (int depth = 0; depth < 8; ++depth) {
    const auto digest = Digest::of(inner);
    documents[digest.str()] = inner;
    inner =
        R"({"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.index.v1+json","digest":")" +
        digest.str() + R"(","size":)" + std::to_string(inner.size()) + "}]}";
  }
  documents["latest"] = inner;
  FakeHttp http([&](const Request& request) {
    return document(documents.at(request.url.substr(request.url.rfind('/') + 1)),
                    media_type::oci_index);
  });
  RegistryClient client(services(http, anonymous), {});
  CHECK_THROWS_WITH(
      resolve_image(client, ImageRef::parse("r.example/a"), Platform::parse("linux/amd64")),
      doctest::Contains("nested deeper than 4 levels"));
}

TEST_CASE_FIXTURE(Fixture, "what does not pass is not asked twice, what may is") {
  for (const int status : {400, 403, 404, 409, 503}) {
    FakeHttp http([&](const Request&) { return Response{status}; });
    RegistryClient client(services(http, anonymous), {});
    CHECK_THROWS_AS(client.check_push(ImageRef::parse("r.example/a")), Error);
    CHECK(http.requests().size() == (status == 503 ? 3 : 1));
  }
}
