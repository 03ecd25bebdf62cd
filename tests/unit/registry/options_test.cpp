#include "registry/mirrors.hpp"
#include "registry/options.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

#include <doctest/doctest.h>

using namespace cairn;

namespace {

using Schemes = std::vector<std::string>;
const Schemes secure = {"https"};
const Schemes either = {"https", "http"};
const Schemes plain_first = {"http", "https"};

std::vector<std::string> names(const std::vector<ImageRef>& refs) {
  std::vector<std::string> list;
  list.reserve(refs.size());
  for (const auto& ref : refs)
    list.push_back(ref.str());
  return list;
}

} // namespace

TEST_CASE("some hosts are this machine, some are near it") {
  enum class Place { here, near, far };
  struct Row {
    const char* registry;
    Place place;
  };
  for (const auto& row : {
           Row{"localhost", Place::here},      Row{"localhost:5000", Place::here},
           Row{"127.0.0.1:5000", Place::here}, Row{"127.9.9.9", Place::here},
           Row{"[::1]:5000", Place::here},     Row{"kind.localhost:5000", Place::here},
           Row{"registry.local", Place::near}, Row{"registry.LOCAL:80", Place::near},
           Row{"10.1.2.3:5000", Place::near},  Row{"172.16.0.1", Place::near},
           Row{"172.31.255.255", Place::near}, Row{"192.168.1.1:5000", Place::near},
           Row{"172.32.0.1", Place::far},      Row{"192.169.1.1", Place::far},
           Row{"11.0.0.1", Place::far},        Row{"10.1.2", Place::far},
           Row{"10.example.com", Place::far},  Row{"127.example.com", Place::far},
           Row{"local", Place::far},           Row{"registry.localdomain", Place::far},
           Row{"docker.io", Place::far},
       }) {
    CAPTURE(row.registry);
    CHECK(is_loopback_registry(row.registry) == (row.place == Place::here));
    CHECK(is_private_registry(row.registry) == (row.place == Place::near));
  }
}

TEST_CASE("plain HTTP is tried where it was asked for: after TLS, or before it at a port that both "
          "would share") {
  RegistryOptions options;
  options.insecure_pull = true;
  options.insecure_registries = {"plain.example:5000", "index.docker.io"};
  CHECK(options.schemes("a.example", Direction::push) == secure);
  CHECK(options.schemes("a.example", Direction::pull) == either);
  CHECK(options.schemes("plain.example:5000", Direction::push) == plain_first);
  CHECK(options.schemes("plain.example", Direction::push) == secure);
  CHECK(options.schemes("docker.io", Direction::push) == either);
  CHECK(options.schemes("localhost:5000", Direction::push) == plain_first);
  CHECK(options.schemes("[::1]:5000", Direction::push) == plain_first);
  CHECK(options.schemes("localhost", Direction::push) == either);
  for (const auto* near : {"10.0.0.5:5000", "192.168.1.1", "registry.local:5000"})
    CHECK(options.schemes(near, Direction::push) == secure);
}

TEST_CASE("trust is a matter of each registry") {
  RegistryOptions options;
  options.skip_tls_verify_push = true;
  options.skip_tls_verify_registries = {"lax.example"};
  options.certificates["own.example"] = "PEM";
  options.client_certificates["own.example"] = {"CERT", "KEY"};
  CHECK(options.tls("a.example", Direction::push)->verify == TlsVerify::none);
  CHECK(options.tls("a.example", Direction::pull)->verify == TlsVerify::full);
  CHECK(options.tls("lax.example", Direction::pull)->verify == TlsVerify::none);
  CHECK(options.tls("own.example", Direction::pull)->extra_ca == "PEM");
  CHECK(options.tls("own.example", Direction::pull)->key == "KEY");
  CHECK(options.tls("a.example", Direction::pull)->extra_ca.empty());
}

TEST_CASE("certificates are read when the flag is") {
  const TempDir directory("/tmp");
  const auto path = directory.path() + "/ca.pem";
  AtomicFile file(path);
  file.write("-----BEGIN CERTIFICATE-----\n");
  file.commit();
  RegistryOptions options;
  options.add_certificate("Own.example:5000=" + path);
  options.add_client_certificate("own.example=" + path + "," + path);
  CHECK(options.certificates.contains("own.example:5000"));
  CHECK(options.client_certificates.contains("own.example"));
  CHECK_THROWS_AS(options.add_certificate("own.example"), Error);
  CHECK_THROWS_AS(options.add_certificate("own.example=/nonexistent"), Error);
  CHECK_THROWS_AS(options.add_client_certificate("own.example=" + path), Error);
}

TEST_CASE("mirrors are asked in order, the origin last") {
  RegistryMap map;
  map.add("index.docker.io=m1.example;docker.io=m2.example/prefix/; gcr.io=localhost:5000");
  map.add_mirror("m3.example:444");
  CHECK(names(map.candidates(ImageRef::parse("busybox:1"))) ==
        std::vector<std::string>{
            "m1.example/library/busybox:1", "m2.example/prefix/library/busybox:1",
            "m3.example:444/library/busybox:1", "index.docker.io/library/busybox:1"});
  map.set_fallback(OriginFallback::skip);
  CHECK(names(map.candidates(ImageRef::parse("gcr.io/a/b"))) ==
        std::vector<std::string>{"localhost:5000/a/b:latest"});
  CHECK(names(map.candidates(ImageRef::parse("ghcr.io/a/b:2"))) ==
        std::vector<std::string>{"ghcr.io/a/b:2"});
}

TEST_CASE("a mirror keeps tag and digest") {
  RegistryMap map;
  map.add("a.example=b.example");
  map.set_fallback(OriginFallback::skip);
  const auto digest = "sha256:" + std::string(64, 'a');
  CHECK(names(map.candidates(ImageRef::parse("a.example/x:1@" + digest))) ==
        std::vector<std::string>{"b.example/x:1@" + digest});
  CHECK(names(map.candidates(ImageRef::parse("a.example/x@" + digest))) ==
        std::vector<std::string>{"b.example/x@" + digest});
}

TEST_CASE("a mirror without a dot is a host all the same") {
  RegistryMap map;
  map.add_mirror("mirror/prefix");
  map.set_fallback(OriginFallback::skip);
  CHECK(names(map.candidates(ImageRef::parse("busybox"))) ==
        std::vector<std::string>{"mirror:443/prefix/library/busybox:latest"});
}

TEST_CASE("a map that names nothing is refused") {
  RegistryMap map;
  for (const char* flag : {"docker.io", "=m.example", "docker.io=", "docker.io=m.example/UPPER"}) {
    CAPTURE(flag);
    CHECK_THROWS_AS(map.add(flag), Error);
  }
}
