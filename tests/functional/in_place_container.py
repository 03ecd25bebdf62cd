#!/usr/bin/env python3
"""A container in whose own "/" images are built: what its user put there stays, no image holds it, and the container
can be used again."""
import contextlib
import sys

from support import case, expect, expect_equal, main, write_tree

import built_image
import container_support as containers
import pod
import tar_layers

TWO_STAGES = ("FROM REGISTRY/busybox AS one\nRUN echo 1 > /one\nFROM REGISTRY/busybox\nCOPY --from=one /one /one\n"
              "COPY --from=lib . /lib2/\nRUN cat /one /lib2/f\n")


@contextlib.contextmanager
def started(world, dockerfile: str, files: dict | None = None, *, image: str = "cairn", own: dict | None = None):
    """A pod with the context at /kaniko/context and OWN files in the container's root."""
    root = containers.root_file_system(world.directory, image)
    with pod.Pod(root, world.directory, pod.BASELINE) as container:
        container.bind(world.context(dockerfile, files), "/kaniko/context", read_only=True)
        container.empty("/kaniko/work")
        container.outputs = container.empty("/kaniko/outputs")
        write_tree(container.root, own or {})
        yield container


def execute(container, *flags: str, environment: dict | None = None):
    return container.run(["/kaniko/executor", "--isolation=inplace", "--context=dir:///kaniko/context", "--no-push",
                          "--oci-layout-path=/kaniko/outputs/layout", *flags], environment=environment or {})


def built(container, done) -> built_image.Image:
    expect_equal(done.returncode, 0, done.stderr[-1500:])
    expect("Isolation: in place" in done.stderr, done.stderr[:800])
    return kept(container, "layout")


def kept(container, name: str) -> built_image.Image:
    """An image that can be looked at when its pod is gone."""
    image = built_image.Image(container.outputs / name)
    expect(image.files, "an empty image")
    return image


@case("a named context that is no mount is neither removed nor in the image")
def named_context(world):
    with started(world, TWO_STAGES, own={"src/lib/f": "of the user\n", "src/other": "x"}) as container:
        done = execute(container, "--build-context=lib=/src/lib")
        image = built(container, done)
        expect_equal((container.root / "src/lib/f").read_text(), "of the user\n")
    expect_equal(done.stdout, "1\nof the user\n")
    expect(not [path for path in image.files if path.startswith("/src")], "it is in the image")


@case("a cache in a layout that is no mount is in no layer, and a second build takes its steps from it")
def cache_layout(world):
    with started(world,
                 "FROM REGISTRY/busybox\nRUN echo 1 > /one\nRUN echo 2 > /two && ls / > /listing\n") as container:
        flags = ("--cache", "--cache-repo=oci:/lcache/c")
        first, image = None, None
        for _ in range(2):
            done = execute(container, *flags)
            expect_equal(done.returncode, 0, done.stderr[-1500:])
            image = kept(container, "layout")
            first = first or done
        expect("cached" in done.stderr and "cached" not in first.stderr, done.stderr[-800:])
    expect_equal([path for path in image.files if path.startswith("/lcache")], [])


@case("files that options name to be read are there after the build: secrets, keys, an archive")
def inputs(world):
    own = {
        "root/key": "secret", "in/ca.pem": "",
        "in/Dockerfile.other": f"FROM {world.host}/busybox\nRUN --mount=type=secret,id=s cat /run/secrets/s\n"
    }
    with started(world, "FROM scratch\n", own=own) as container:
        done = execute(container, "--secret=id=s,src=/root/key", "--dockerfile=/in/Dockerfile.other")
        image = built(container, done)
        expect_equal([(container.root / name).exists() for name in own], [True] * 3)
    expect_equal(done.stdout.strip(), "secret")
    expect(not [path for path in image.files if path.startswith(("/in", "/root/key"))], "they are in the image")


@case("what an option names cannot be in the image at the same time, and the error names it")
def conflict(world):
    dockerfile = "FROM REGISTRY/busybox\nCOPY f /srv/lib/f\nRUN cat /srv/lib/f\n"
    with started(world, dockerfile, {"f": "1"}, own={"srv/lib/g": "of the user"}) as container:
        done = execute(container, "--build-context=lib=/srv/lib")
        expect_equal(done.returncode, 1, done.stderr[-1500:])
        for text in ("Dockerfile:2: COPY f", "'/srv/lib' meets '/srv/lib' of --build-context",
                     "hint: give --build-context another path"):
            expect(text in done.stderr, f"{text!r} is not in {done.stderr[-1500:]}")
        expect_equal((container.root / "srv/lib/g").read_text(), "of the user")


@case("'/' as a named context is refused, as it could not be kept")
def whole_root(world):
    with started(world, TWO_STAGES) as container:
        done = execute(container, "--build-context=lib=/")
        expect_equal(done.returncode, 1, done.stderr[-1500:])
        expect("--build-context: '/' cannot be kept" in done.stderr, done.stderr[-1500:])


@case("after a build the container can be used again: its shell, its directory and its links are there")
def used_again(world):
    script = (
        "/kaniko/executor --isolation=inplace --context=dir:///kaniko/context --no-push "
        "--oci-layout-path=/kaniko/outputs/$1 {flags} "
        ">/dev/null || exit 9; "
        "cd /workspace && ls -d /workspace /busybox/sh /bin/sh /kaniko/executor && readlink /var/run && cat "
        "/etc/nsswitch.conf && /bin/sh -c 'echo $0'\n"
    )
    dockerfile = "FROM REGISTRY/busybox\nRUN rm -rf /home && echo 1 > /one\n"
    for flags, remains in (("", True), ("--cleanup", False)):
        with started(world, dockerfile, image="cairn-debug") as container:
            text = script.format(flags=flags)
            done = container.run(["/busybox/sh", "-c", "set -- a; " + text + "set -- b; " + text])
            expect_equal(done.returncode, 0, done.stderr[-1500:])
            lines = "/bin/sh\n/busybox/sh\n/kaniko/executor\n/workspace\n../run\nhosts: files dns\n/bin/sh\n"
            expect_equal(done.stdout, 2 * lines)
            expect_equal((container.root / "one").exists(), remains, f"what the build made, {flags}")
            names = [kept(container, name).layers[-1].names for name in "ab"]
            expect_equal(names[0], names[1])


@case("a build that fails leaves a container that can be used, too")
def failed(world):
    with started(world, "FROM REGISTRY/busybox\nRUN rm -rf /var/run; exit 3\n", image="cairn-debug") as container:
        done = container.run([
            "/busybox/sh", "-c",
            "/kaniko/executor --isolation=inplace --context=dir:///kaniko/context --no-push; echo $?; "
            "readlink /var/run; ls -d /workspace"
        ])
        expect_equal(done.stdout, "3\n../run\n/workspace\n", done.stderr[-800:])


@case("an empty volume that held the image's files is empty again, with the mode it had")
def lent_volume(world):
    with started(world,
                 "FROM REGISTRY/busybox\nCOPY f /data/f\nRUN chmod 700 /data && chown 5 /data && echo 1 > /data/g\n",
                 {"f": "1"}) as container:
        volume = container.empty("/data")
        done = execute(container)
        image = built(container, done)
        expect_equal(list(volume.iterdir()), [])
        info = volume.stat()
        expect_equal((oct(info.st_mode & 0o7777), info.st_uid), ("0o777", 0))
    expect_equal((image.files["/data"].mode, image.files["/data"].uid, "/data/g" in image.files), (0o700, 5, True))


@case("a volume with files in it hides what the base has there, which a warning says, and commands may not change it")
def full_volume(world):
    world.push("cached", [tar_layers.directory(name) for name in ("var", "var/cache", "var/cache/base")])
    for command, wanted in (("ls /var/cache > /seen", 0), ("echo x > /var/cache/new", 1)):
        with started(world, f"FROM REGISTRY/cached\nRUN {command}\n") as container:
            (container.empty("/var/cache") / "of-the-user").write_text("1")
            done = execute(container)
            expect_equal(done.returncode, wanted, done.stderr[-1500:])
            expect("the base image has '/var/cache/base', which the pod's mount at '/var/cache' hides" in done.stderr,
                   done.stderr[-1500:])
            if wanted:
                expect(
                    "'/var/cache/new' in the pod's mount at '/var/cache' changed while the command ran" in done.stderr,
                    done.stderr[-1500:])


@case("--ignore-path lets commands fill a volume that is not the image's")
def ignored_volume(world):
    with started(world, "FROM REGISTRY/busybox\nRUN echo x > /m2/new; cat /m2/old\n") as container:
        volume = container.empty("/m2")
        (volume / "old").write_text("kept\n")
        done = execute(container, "--ignore-path=/m2")
        image = built(container, done)
        expect_equal((volume / "new").read_text(), "x\n")
    expect_equal(done.stdout, "kept\n")
    expect("/m2/new" not in image.files, "it is in the image")


@case("what others write beside the context in its volume is no command's fault")
def beside(world):
    with started(world, "FROM scratch\n") as container:
        agent = container.empty("/home/agent")
        write_tree(agent,
                   {"job/Dockerfile": f"FROM {world.host}/busybox\nRUN echo x > /home/agent/log; echo y > /made\n"})
        done = container.run([
            "/kaniko/executor", "--isolation=inplace", "--context=dir:///home/agent/job", "--no-push",
            "--oci-layout-path=/kaniko/outputs/layout"
        ])
        built(container, done)
        expect("'/home/agent/log' in the pod's mount at '/home/agent' changed" in done.stderr, done.stderr[-800:])
        write_tree(agent, {"job/Dockerfile": f"FROM {world.host}/busybox\nRUN echo x > /home/agent/job/new\n"})
        done = container.run(
            ["/kaniko/executor", "--isolation=inplace", "--context=dir:///home/agent/job", "--no-push"])
        expect_equal(done.returncode, 1, done.stderr[-800:])


if __name__ == "__main__":
    sys.exit(main())
