#!/usr/bin/env python3
"""RUN --mount=type=cache: what is kept from build to build, how it travels, and that none of it reaches the image."""
import json
import sys

from mount_support import build_in_namespaces, new_names, in_all_modes, printed
from support import at_once, case, expect, expect_equal, main, registry, tar_layers


@in_all_modes("cache: is kept from command to command and from build to build, and not in the image")
def cache_kept(world, build):
    cache = world.new_directory("cache")
    text = ("FROM REGISTRY/busybox\nARG N\nRUN --mount=type=cache,target=/d/c echo $N >> /d/c/log\n"
            "RUN --mount=type=cache,target=/d/c cat /d/c/log\nRUN ls /d 2>/dev/null; true\n")
    expect_equal(printed(build(text, None, "--build-arg=N=1", cache=cache)), ["1"])
    second = build(text, None, "--build-arg=N=2", cache=cache)
    expect_equal(printed(second), ["1", "2"])
    expect_equal(new_names(second), [])


@in_all_modes("cache: the id, not the target, says which it is")
def cache_id(world, build):
    done = build("FROM REGISTRY/busybox\nRUN --mount=type=cache,id=x,target=/a echo 1 > /a/f\n"
                 "RUN --mount=type=cache,id=x,target=/b cat /b/f\nRUN --mount=type=cache,target=/a ls /a\n"
                 "RUN --mount=type=cache,id=x,target=/b,ro ls /b\n")
    expect_equal(printed(done), ["1", "f"])


@in_all_modes("cache: belongs to whom uid, gid and mode say")
def cache_owner(world, build):
    lines = printed(
        build(
            "FROM REGISTRY/busybox\nUSER ann\nRUN --mount=type=cache,target=/c,uid=1001,gid=50,mode=0750 "
            "stat -L -c '%u:%g %a' /c && touch /c/x\nUSER root\n"
            "RUN --mount=type=cache,target=/c stat -L -c '%u:%g %a' /c\n"
        ))
    expect_equal(lines, ["1001:50 750", "0:0 755"])


@in_all_modes("cache: begins with what from and source hold")
def cache_from(world, build):
    lines = printed(
        build("FROM REGISTRY/busybox AS seed\nRUN mkdir -p /s/t && echo seed > /s/t/f\nFROM REGISTRY/busybox\n"
              "RUN --mount=type=cache,from=seed,source=/s/t,target=/c cat /c/f && echo more >> /c/f\n"
              "RUN --mount=type=cache,from=seed,source=/s/t,target=/c cat /c/f\n"))
    expect_equal(lines, ["seed", "seed", "more"])


@case("cache: ro cannot be written")
def cache_read_only(world):
    build_in_namespaces(world, "FROM REGISTRY/busybox\nRUN --mount=type=cache,target=/c,ro ! touch /c/x\n").succeeded()


@case("cache: sharing=locked waits, sharing=private gets another one")
def cache_sharing(world):
    cache = world.new_directory("cache")

    def text(sharing):
        return (f"FROM REGISTRY/busybox\nRUN --mount=type=cache,id=i,target=/c,sharing={sharing} "
                "test ! -e /c/busy && touch /c/busy && sleep 1 && rm /c/busy && echo . >> /c/count\n")
    for sharing, count in (("locked", 2), ("private", 1)):
        for result in at_once(2, lambda: build_in_namespaces(world, text(sharing), cache=cache)):
            result.succeeded()
        lines = printed(build_in_namespaces(
            world, "FROM REGISTRY/busybox\nRUN --mount=type=cache,id=i,target=/c cat /c/count | wc -l\n", cache=cache))
        cache = world.new_directory("cache")
        expect_equal([line.strip() for line in lines], [str(count)], sharing)


@in_all_modes("cache: BUILDKIT_CACHE_MOUNT_NS keeps projects apart")
def cache_name_space(world, build):
    cache = world.new_directory("cache")
    text = "FROM REGISTRY/busybox\nRUN --mount=type=cache,target=/c ls /c; touch /c/x\n"
    build(text, None, "--build-arg=BUILDKIT_CACHE_MOUNT_NS=a", cache=cache).succeeded()
    expect_equal(printed(build(text, None, "--build-arg=BUILDKIT_CACHE_MOUNT_NS=b", cache=cache)), [])
    expect_equal(printed(build(text, None, "--build-arg=BUILDKIT_CACHE_MOUNT_NS=a", cache=cache)), ["x"])


FILL = ("FROM REGISTRY/busybox\nRUN --mount=type=cache,id=go,target=/c mkdir -m 0750 /c/d && echo kept > /c/d/f && "
        "ln /c/d/f /c/hard && ln -s d /c/soft && chown 7:8 /c/d\n")
SHOW = ("FROM REGISTRY/busybox\nRUN --mount=type=cache,id=go,target=/c "
        "cat /c/soft/f; stat -c '%h %a %u:%g' /c/hard /c/d; echo more >> /c/d/f\n")
SHOWN = ["kept", "2 644 0:0", "2 750 7:8"]


@case("cache: --export-cache-mounts to a directory, and --import-cache-mounts begins with it elsewhere")
def cache_through_a_directory(world):
    kept = world.new_directory("kept") / "mounts"
    first = build_in_namespaces(world, FILL, None, f"--export-cache-mounts=oci:{kept}").succeeded()
    expect_equal(new_names(first), [])
    for _ in range(2):
        expect_equal(printed(build_in_namespaces(world, SHOW, None, f"--import-cache-mounts=oci:{kept}")), SHOWN)


@in_all_modes("cache: --export-cache-mounts to a registry, and --import-cache-mounts begins with it elsewhere")
def cache_through_a_registry(world, build):
    reference = f"{world.host}/{world.new_name('mounts')}:main"
    build(FILL, None, f"--export-cache-mounts={reference}").succeeded()
    expect_equal(printed(build(SHOW, None, f"--import-cache-mounts={reference}")), SHOWN)


@case("cache: what --cache-dir already has is not replaced by what is imported")
def cache_newer_than_import(world):
    kept, cache = world.new_directory("kept") / "mounts", world.new_directory("cache")
    build_in_namespaces(world, FILL, None, f"--export-cache-mounts=oci:{kept}", cache=cache).succeeded()
    flags = (f"--import-cache-mounts=oci:{kept}",)
    build_in_namespaces(world, SHOW, None, *flags, cache=cache).succeeded()
    expect_equal(printed(build_in_namespaces(world, SHOW, None, *flags, cache=cache))[:2], ["kept", "more"])


@case("cache: what a build imported and did not use is exported again with what it used")
def cache_goes_along(world):
    reference = f"{world.host}/{world.new_name('mounts')}:main"
    flags = (f"--export-cache-mounts={reference}", f"--import-cache-mounts={reference}")
    build_in_namespaces(world, FILL, None, *flags).succeeded()
    build_in_namespaces(world, FILL.replace("id=go", "id=rust"), None, *flags).succeeded()
    for name in ("go", "rust"):
        done = build_in_namespaces(world, SHOW.replace("id=go", f"id={name}"), None, flags[1])
        expect_equal(printed(done), SHOWN, name)


@case("cache: several sources are looked at in their order")
def cache_order_of_imports(world):
    first, second = (world.new_directory("kept") / "mounts" for _ in range(2))
    build_in_namespaces(world, FILL, None, f"--export-cache-mounts=oci:{first}").succeeded()
    build_in_namespaces(world, FILL.replace("kept", "other"), None, f"--export-cache-mounts=oci:{second}").succeeded()
    flags = [f"--import-cache-mounts=oci:{path}" for path in (first, second)]
    expect_equal(printed(build_in_namespaces(world, SHOW, None, *flags))[0], "kept")
    expect_equal(printed(build_in_namespaces(world, SHOW, None, *reversed(flags)))[0], "other")


@case("cache: what cannot be imported is a line in the log, what cannot be exported a warning")
def cache_transfer_fails(world):
    for source, why in ((f"{world.host}/never:1", "never"), (f"{world.host}/busybox", "holds no cache mounts"),
                        ("oci:/nowhere", "/nowhere")):
        done = build_in_namespaces(world, FILL, None, f"--import-cache-mounts={source}").succeeded()
        expect(why in done.err and "No cache mounts from" in done.err, f"{source}: {done.said}")
    done = build_in_namespaces(world, FILL, None, "--export-cache-mounts=oci:/proc/nowhere").succeeded()
    expect("were not exported" in done.err, done.said)


@case("cache: a source that is no reference is told before anything is built")
def cache_transfer_mistakes(world):
    for flag in ("--import-cache-mounts", "--export-cache-mounts"):
        done = world.build("FROM REGISTRY/busybox\n", None, f"{flag}=Not/A:Reference:", isolation="none")
        expect(done.status == 1 and flag in done.error, done.said)


@case("cache: a hostile export is a warning, an empty cache, and writes nothing outside it")
def cache_hostile_import(world):
    outside, name = world.new_directory("outside"), world.new_name("mounts")
    first = f"{world.host}/{name}:main"
    build_in_namespaces(world, FILL, None, f"--export-cache-mounts={first}").succeeded()
    config = json.loads(world.manifest(f"{name}:main"))["config"]["digest"]
    labels = json.loads(registry.get(world.host, f"/v2/{name}/blobs/{config}"))["config"]["Labels"]
    through_link = [
        tar_layers.entry("before", "x"),
        tar_layers.symlink("l", str(outside)),
        tar_layers.entry("l/pwned", "x")
    ]
    for entries in (through_link,
                    [tar_layers.entry("before", "x"),
                     tar_layers.hard_link("pwned", "../../../../etc/passwd")]):
        hostile = f"{world.host}/{world.new_name('hostile')}"
        tar_layers.push(world.host, hostile.partition("/")[2],
                        tar_layers.Image([tar_layers.tar(entries)], {"Labels": labels}))
        done = build_in_namespaces(world, "FROM REGISTRY/busybox\nRUN --mount=type=cache,id=go,target=/c ls /c\n", None,
                                   f"--import-cache-mounts={hostile}")
        expect_equal(list(outside.iterdir()), [], "written outside")
        if entries is not through_link:
            expect_equal(printed(done), [])
            expect("is damaged" in done.err, done.said)


if __name__ == "__main__":
    sys.exit(main())
