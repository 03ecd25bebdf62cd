#include "dockerfile/syntax/mount.hpp"
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
  CHECK(mount_of("type=tmpfs,target=/x,size=.5k").size == 512u);
  CHECK(mount_of("type=tmpfs,target=/x,size=1 GB").size == 1u << 30);
  CHECK(mount_of("type=tmpfs,target=/x,size=+5").size == 5u);
  CHECK(mount_of("type=tmpfs,target=/x,size=1e3").size == 1000u);
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
  CHECK(mount.from == "a");
}

TEST_CASE("keys and types are told apart without regard to case") {
  const auto mount = mount_of("TYPE=Cache,Target=/x,SHARING=LOCKED");
  CHECK(mount.type == MountType::cache);
  CHECK(mount.sharing == CacheSharing::locked);
}

TEST_CASE("an empty value is none") {
  CHECK(!mount_of("target=/x,from=").from);
  CHECK(mount_of("type=secret,id=a,from=").id == "a");
  CHECK(!mount_of("type=cache,id=,target=/x,source=").id);
}

TEST_CASE("the last of several keys counts") {
  CHECK(mount_of("target=/a,dst=/b").target == "/b");
  CHECK(!mount_of("target=/a,ro,rw").read_only);
  CHECK(mount_of("target=/a,readwrite=t,readonly=1").read_only);
}

TEST_CASE("env says nothing about mounts other than secrets") {
  CHECK(mount_of("type=cache,target=/x,env=X").type == MountType::cache);
}

TEST_CASE("what is wrong with a mount does not matter before it is used") {
  for (const std::string text :
       {"type=tmp", "typ=bind", "target", "type=bind,size=1", "x,,y", "type=secret,id=a,src=b",
        "type=cache,uid=-1", "type=ssh,source=a"})
    CHECK_NOTHROW((void)parse_mount(text));
}

TEST_CASE("a mount that is no CSV record, or whose from has a variable, is refused at once") {
  struct Row {
    std::string text;
    std::string error;
  };
  const Row rows[] = {
      {"", "there is no value"},
      {"a\"b", "'a\"b': a quote must enclose the whole field"},
      {"\"a", "'\"a': a quote has no partner"},
      {"\"a\"b", "'\"a\"b': a closing quote must be followed by a comma"},
      {"from=$X", "from=$X: must not hold a variable\n"
                  "hint: name a stage with FROM ... AS and use that name here"},
  };
  for (const auto& row : rows)
    CHECK(error_of([&] { (void)parse_mount(row.text); }) == row.error);
  CHECK(parse_mount("from=a$").from == "a$");
}

TEST_CASE("mounts that cannot be are refused when they are used") {
  struct Row {
    std::string text;
    std::string error;
  };
  const Row rows[] = {
      {"type=tmp",
       "type=tmp: must be one of bind, cache, tmpfs, secret, ssh (did you mean tmpfs?)"},
      {"typ=bind", "unknown key 'typ' in 'typ=bind' (did you mean type?)"},
      {"target", "the key 'target' needs a value"},
      {"target=/x,", "unknown key '' in ''"},
      {"type=bind,size=1", "the key 'size' does not go with type=bind"},
      {"size=1,type=tmpfs,target=/x",
       "the key 'size' does not go with type=bind\nhint: write type=... before size"},
      {"required,type=secret,id=a",
       "the key 'required' does not go with type=bind\nhint: write type=... before required"},
      {"type=cache,required", "the key 'required' does not go with type=cache"},
      {"type=tmpfs,mode=0700", "the key 'mode' does not go with type=tmpfs"},
      {"uid=1", "the key 'uid' does not go with type=bind"},
      {"type=bind,gid=1", "the key 'gid' does not go with type=bind"},
      {"type=bind,sharing=shared", "the key 'sharing' does not go with type=bind"},
      {"type=secret,id=a,sharing=shared", "the key 'sharing' does not go with type=secret"},
      {"type=secret,id=a,from=b", "the key 'from' does not go with type=secret"},
      {"type=secret", "a secret needs an id or a target"},
      {"type=secret,id=a,src=b", "a secret has either a source or an id, not both"},
      {"type=ssh,source=b", "the key 'source' does not go with type=ssh"},
      {"type=cache,target=/x,sharing=lock",
       "sharing=lock: must be one of shared, private, locked (did you mean locked?)"},
      {"type=cache,target=/x,mode=9", "mode=9: must be an octal number"},
      {"type=cache,target=/x,uid=-1", "uid=-1: must be a number"},
      {"type=cache,target=/x,gid=4294967296", "gid=4294967296: must be a number"},
      {"type=tmpfs,size=big", "size=big: must be a size such as 100m"},
      {"type=tmpfs,size=-1", "size=-1: must be a size such as 100m"},
      {"ro=maybe", "readonly=maybe: must be true or false"},
  };
  for (const auto& row : rows)
    CHECK(error_of([&] { (void)mount_of(row.text); }) == row.error);
}
