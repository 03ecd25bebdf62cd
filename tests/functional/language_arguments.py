#!/usr/bin/env python3
"""Section 5 of the Dockerfile's language: ARG, ENV, predefined and built-in arguments."""
import sys

from support import File, case, expect, expect_equal, main


def labels(world, text: str, *flags: str, **how) -> dict:
    return world.files_only(text, None, *flags, **how).image.config["Labels"]


@case("--build-arg goes over the stage's default, and that over the global one")
def precedence(world):
    text = "ARG A=global\nFROM scratch\nARG A{}\nLABEL a=$A\n"
    expect_equal(labels(world, text.format("")), {"a": "global"})
    expect_equal(labels(world, text.format("=own")), {"a": "own"})
    expect_equal(labels(world, text.format("=own"), "--build-arg=A=given"), {"a": "given"})
    expect_equal(labels(world, text.format("=${X:?unused}"), "--build-arg=A=given"), {"a": "given"})


@case("a stage sees a global ARG only once it declares it")
def scope(world):
    expect_equal(labels(world, "ARG A=1\nFROM scratch\nLABEL a=${A-unset}\nARG A\nLABEL b=$A\n"),
                 {"a": "unset", "b": "1"})


@case("arguments are in the history of the commands below them, and proxies in none")
def history(world):
    build = world.build("FROM REGISTRY/busybox\nARG A=1\nRUN echo \"$A $http_proxy $HTTP_PROXY $no_proxy\"\nENV A=2\n"
                        "RUN true\n", None, "--build-arg=HTTP_PROXY=http://p", "--build-arg=no_proxy=n")
    expect_equal(build.succeeded().out, "1 http://p http://p n\n")
    made = [step["created_by"] for step in build.image.history[-4:]]
    expect_equal(made, [
        'ARG A=1', 'RUN |1 A=1 /bin/sh -c echo "$A $http_proxy $HTTP_PROXY $no_proxy" # buildkit', 'ENV A=2',
        'RUN |1 A=2 /bin/sh -c true # buildkit'
    ])
    expect(not any(entry.lower().startswith(("http_proxy", "no_proxy")) for entry in build.image.config["Env"]),
           f"proxies in {build.image.config['Env']}")


@case("platform arguments tell about the platform asked for")
def platforms(world):
    text = ("FROM scratch AS last\nARG TARGETPLATFORM TARGETOS TARGETARCH TARGETVARIANT TARGETSTAGE\n"
            "LABEL a=$TARGETPLATFORM,$TARGETOS,$TARGETARCH,$TARGETVARIANT,$TARGETSTAGE\n")
    expect_equal(labels(world, text, "--custom-platform=linux/arm/v6"), {"a": "linux/arm/v6,linux,arm,v6,last"})


@case("BUILDKIT_SANDBOX_HOSTNAME is the hostname that commands see")
def hostname(world):
    build = world.build("FROM REGISTRY/busybox\nRUN hostname\n", None, "--build-arg=BUILDKIT_SANDBOX_HOSTNAME=box")
    expect_equal(build.succeeded().out, "box\n")


@case("arguments that configure BuildKit are taken without a word")
def built_in(world):
    names = ("BUILDKIT_INLINE_CACHE", "BUILDKIT_MULTI_PLATFORM", "BUILDKIT_CONTEXT_KEEP_GIT_DIR", "BUILDKIT_BUILD_NAME")
    build = world.files_only("FROM scratch\nLABEL a=1\n", None, "--verbosity=debug",
                             *(f"--build-arg={name}=1" for name in names)).succeeded()
    expect("BUILDKIT_" not in build.err, build.said)


@case("SOURCE_DATE_EPOCH comes from a flag, else the environment, else a global ARG")
def epoch(world):
    def made(text: str, *flags: str, **how) -> tuple[str, int]:
        image = world.files_only(f"{text}FROM scratch\nCOPY f /f\n", {"f": File("x", mtime=2_000_000_000)}, *flags,
                                 **how).image
        return image.document["created"], image.files["/f"].mtime // 10**9
    ten, twenty, thirty = (f"1970-01-01T00:00:{second}Z" for second in (10, 20, 30))
    default, variable = "ARG SOURCE_DATE_EPOCH=10\n", {"SOURCE_DATE_EPOCH": "20"}
    expect_equal(made(default), (ten, 10))
    expect_equal(made(default, environment=variable), (twenty, 20))
    expect_equal(made(default, "--build-arg=SOURCE_DATE_EPOCH=30", environment=variable), (thirty, 30))
    expect_equal(made(default, "--build-arg=SOURCE_DATE_EPOCH=")[1], 2_000_000_000)
    expect_equal(made("", "--build-arg=SOURCE_DATE_EPOCH=context")[1], 2_000_000_000)
    world.refused("FROM scratch\nARG A\nFROM scratch\nLABEL a=1\n", None, "--build-arg=SOURCE_DATE_EPOCH=soon",
                  texts=("SOURCE_DATE_EPOCH: 'soon' is not a number of seconds since 1970",))
    world.refused("ARG A\nARG SOURCE_DATE_EPOCH=soon\nFROM scratch\nLABEL a=1\n",
                  texts=("Dockerfile:2: SOURCE_DATE_EPOCH: 'soon'", "> 2 | ARG SOURCE_DATE_EPOCH=soon"))


if __name__ == "__main__":
    sys.exit(main())
