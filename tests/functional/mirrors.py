#!/usr/bin/env python3
"""Base images that come from another registry than the one they name: --registry-mirror, --registry-map."""
import contextlib
import sys

from support import case, closed_registry, expect, expect_equal, main

import fault_proxy
import registry

FILES = {"f": "content"}
HUB = "FROM busybox\nCOPY f /f\n"


@contextlib.contextmanager
def mirror(world, name: str = "library/busybox", tag: str = "latest", **how):
    """A registry that has the base image under the name it has at Docker Hub."""
    with contextlib.closing(registry.Registry(world.new_directory("mirror"), **how)) as server:
        world.files_only("FROM REGISTRY/busybox\nENV FROM=mirror\n",
                         outputs=(f"--destination={server.host}/{name}:{tag}",)).succeeded()
        yield server


def environment_of(build) -> list[str]:
    """What tells the base images apart: that of the mirror says where it is from."""
    return [line for line in build.image.config.get("Env", []) if not line.startswith("PATH=")]


@case("--registry-mirror is where images of Docker Hub come from, library/ and all")
def hub(world):
    with mirror(world) as server:
        build = world.files_only(HUB, FILES, f"--registry-mirror={server.host}")
        expect_equal(environment_of(build), ["FROM=mirror"])
        expect_equal(build.image.text("/f"), "content")


@case("a mirror may have a path, and KANIKO_REGISTRY_MIRROR names one too")
def prefix(world):
    with mirror(world, "proxy/cache/library/busybox") as server:
        place = f"{server.host}/proxy/cache"
        expect_equal(environment_of(world.files_only(HUB, FILES, f"--registry-mirror={place}")), ["FROM=mirror"])
        build = world.files_only(HUB, FILES, environment={"KANIKO_REGISTRY_MIRROR": place})
        expect_equal(environment_of(build), ["FROM=mirror"])


@case("mirrors are asked in their order, those of variables last, and what is wrong with one is a warning")
def order(world):
    nobody = f"127.0.0.1:{registry.free_port()}"
    with mirror(world, "a/busybox") as server:
        build = world.files_only(f"FROM {world.host}/busybox\nCOPY f /f\n", FILES,
                                 f"--registry-map={world.host}={nobody};{world.host}={server.host}/wrong",
                                 environment={"KANIKO_REGISTRY_MAP": f"{world.host}={server.host}/a"})
        expect_equal(environment_of(build), ["FROM=mirror"])
        warnings = [line for line in build.err.splitlines() if "trying" in line and "WARN" in line]
        expect(any(nobody in line for line in warnings), f"nothing is said of {nobody}: {build.err}")
        expect(any(f"{server.host}/wrong/busybox" in line and "not in the registry" in line for line in warnings),
               f"nothing is said of the second: {build.err}")


@case("an image that no mirror has comes from its own registry, unless --skip-default-registry-fallback")
def fallback(world):
    dockerfile = "FROM REGISTRY/busybox\nCOPY f /f\n"
    with mirror(world) as server:
        flag = f"--registry-map={world.host}={server.host}/nothing"
        expect_equal(environment_of(world.files_only(dockerfile, FILES, flag)), [])
        world.refused(dockerfile, FILES, flag, "--skip-default-registry-fallback",
                      texts=("Dockerfile:1", f"{server.host}/nothing/busybox", "not in the registry"))
    expect_equal(environment_of(world.files_only(dockerfile, FILES, "--skip-default-registry-fallback")), [],
                 "without a mirror the flag means nothing:")


@case("a mirror is asked with its own credential, never with that of the registry it stands in for")
def credentials(world):
    with closed_registry(world, "ann", "m1rror") as server, \
            contextlib.closing(fault_proxy.FaultProxy(server.host)) as proxy:
        known = world.credentials(proxy.host, "ann", "m1rror")
        world.files_only("FROM REGISTRY/busybox\nENV FROM=mirror\n", environment=known,
                         outputs=(f"--destination={proxy.host}/library/busybox:latest",)).succeeded()
        expect_equal(environment_of(world.files_only(HUB, FILES, f"--registry-mirror={proxy.host}", environment=known)),
                     ["FROM=mirror"])
        proxy.reset()
        world.refused(HUB, FILES, f"--registry-mirror={proxy.host}", "--skip-default-registry-fallback",
                      environment=world.credentials("https://index.docker.io/v1/", "ann", "m1rror"),
                      texts=("Dockerfile:1", "401"))
        expect(all("authorization" not in {name.lower() for name in headers} for headers in proxy.headers_seen),
               "the credential of Docker Hub reached the mirror")


@case("COPY --from=IMAGE and mounts come from mirrors, pushes and caches do not")
def other_uses(world):
    with mirror(world, "busybox") as server:
        repository, before = world.new_name("mapped"), len(world.registry.requests())
        build = world.build("FROM REGISTRY/busybox\nCOPY --from=REGISTRY/busybox /bin/busybox /b\n"
                            "RUN --mount=from=REGISTRY/busybox,target=/m cp /m/bin/busybox /c\n", {},
                            f"--registry-map={world.host}={server.host}", "--cache",
                            f"--cache-repo={world.host}/{repository}/cache",
                            outputs=(f"--destination={world.host}/{repository}:1",)).succeeded()
        expect_equal(world.tags(repository), ["1"])
        kept = world.tags(f"{repository}/cache")
        indexes = [tag for tag in kept if tag.startswith("index-")]
        expect_equal((len(kept) - len(indexes), len(indexes)), (2, 1), build.err)
        expect_equal(world.tags(repository, server.host), [])
        asked = [line for line in world.registry.requests()[before:] if line.startswith("GET /v2/busybox/")]
        expect_equal(asked, [], "asked the registry itself")


@case("a map or a mirror that names no registry is an error, from flags and from variables")
def nonsense(world):
    world.refused("FROM scratch\n", {}, "--registry-map=docker.io", texts=("--registry-map", "ORIGIN=REGISTRY"))
    world.refused("FROM scratch\n", {}, environment={"KANIKO_REGISTRY_MIRROR": "a b"},
                  texts=("KANIKO_REGISTRY_MIRROR", "'a b'"))


if __name__ == "__main__":
    sys.exit(main())
