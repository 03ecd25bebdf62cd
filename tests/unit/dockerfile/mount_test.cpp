#include "dockerfile/mount.hpp"
#include "support.hpp"

#include <doctest/doctest.h>

using namespace cairn;
using namespace cairn::instruction;
using namespace cairn::test;

namespace {

Mount mount_of(const std::string& text) {
  return resolve_mount(parse_mount(text), [](const std::string& value) { return value; });
}

} // namespace

TEST_CASE("a mount without a type is a bind mount, and read-only") {
  const auto mount = mount_of("target=/x");
  CHECK(mount.type == MountType::bind);
  CHECK(mount.read_only);
  CHECK(mount.target == "/x");
}

TEST_CASE("keys have short names") {
  const auto mount = mount_of("type=bind,src=a,dst=/b,from=c,rw");
  CHECK(mount.source == "a");
  CHECK(mount.target == "/b");
  CHECK(mount.from == "c");
  CHECK(!mount.read_only);
}

TEST_CASE("cache mounts are writable unless told otherwise") {
  CHECK(!mount_of("type=cache,target=/x").read_only);
  CHECK(mount_of("type=cache,target=/x,ro").read_only);
  const auto mount = mount_of("target=/x,uid=1,gid=2,mode=0700,sharing=locked,id=i,type=cache");
  CHECK(mount.uid == 1u);
  CHECK(mount.gid == 2u);
  CHECK(mount.mode == 0700u);
  CHECK(mount.sharing == CacheSharing::locked);
  CHECK(mount.id == "i");
}

TEST_CASE("the source of a secret is its id") {
  CHECK(mount_of("type=secret,source=s").id == "s");
  CHECK(mount_of("type=secret,id=s,env=E,required").required);
  CHECK(!mount_of("type=secret,target=/t,required=false").required);
}

TEST_CASE("sizes are powers of 1024") {
  CHECK(mount_of("type=tmpfs,target=/x,size=64").size == 64u);
  CHECK(mount_of("type=tmpfs,target=/x,size=100m").size == 100u << 20);
  CHECK(mount_of("type=tmpfs,target=/x,size=1.5KiB").size == 1536u);
}

TEST_CASE("quotes keep commas in a value") {
  CHECK(mount_of("\"target=/a,b\",rw").target == "/a,b");
}

TEST_CASE("values are expanded before they are understood, but never from") {
  const auto spec = parse_mount("type=$T,target=/x,uid=$U,from=a");
  CHECK(spec.from == "a");
  const auto mount = resolve_mount(spec, [](const std::string& value) -> std::string {
    return value == "$T" ? "cache" : value == "$U" ? "7" : value;
  });
  CHECK(mount.type == MountType::cache);
  CHECK(mount.uid == 7u);
}

TEST_CASE("mounts that cannot be are refused") {
  struct Row {
    std::string text;
    std::string error;
  };
  const Row rows[] = {
      {"type=tmp",
       "type=tmp: must be one of bind, cache, tmpfs, secret, ssh (did you mean tmpfs?)"},
      {"typ=bind", "unknown key 'typ' in 'typ=bind' (did you mean type?)"},
      {"target", "the key 'target' needs a value"},
      {"", "unknown key '' in ''"},
      {"type=bind,size=1", "the key 'size' does not go with type=bind"},
      {"type=cache,required", "the key 'required' does not go with type=cache"},
      {"type=tmpfs,mode=0700", "the key 'mode' does not go with type=tmpfs"},
      {"type=bind,sharing=shared", "the key 'sharing' does not go with type=bind"},
      {"type=secret,id=a,from=b", "the key 'from' does not go with type=secret"},
      {"type=secret", "a secret needs an id or a target"},
      {"type=secret,id=a,src=b", "a secret has either a source or an id, not both"},
      {"type=cache,target=/x,sharing=lock",
       "sharing=lock: must be one of shared, private, locked (did you mean locked?)"},
      {"type=cache,target=/x,mode=9", "mode=9: must be an octal number"},
      {"type=cache,target=/x,uid=-1", "uid=-1: must be a number"},
      {"type=cache,target=/x,gid=4294967296", "gid=4294967296: must be a number"},
      {"type=tmpfs,size=big", "size=big: must be a size such as 100m"},
      {"ro=maybe", "readonly=maybe: must be true or false"},
      {"a\"b", "'a\"b': a quote must enclose the whole field"},
      {"\"a", "'\"a': a quote has no partner"},
      {"\"a\"b", "'\"a\"b': a closing quote must be followed by a comma"},
      {"from=$X", "from=$X: must not hold a variable\n"
                  "hint: name a stage with FROM ... AS and use that name here"},
  };
  for (const auto& row : rows)
    CHECK(error_of([&] { parse_mount(row.text); }) == row.error);
}
