#!/usr/bin/env python3
"""Builds in a pod that refuses namespaces, as most with the runtime's seccomp profile do: the container stays as it is,
and what users of sudo, of caches and of several builds in one container expect works."""
import sys

from support import case, expect, expect_equal, main, write_tree

import built_image
import container_support as containers
import pod

BUILD = "/kaniko/executor --context=dir:///workspace --no-push"


class Started(pod.Pod):
    """A pod with the context at /workspace, and what it holds besides its volumes."""

    def __init__(self, world, dockerfile: str, files: dict | None = None, image: str = "cairn"):
        super().__init__(containers.root_file_system(world.directory, image), world.directory, pod.BASELINE)
        self.bind(world.context(dockerfile, files), "/workspace", read_only=True)
        self.work = self.empty("/kaniko/work")
        self.outputs = self.empty("/kaniko/outputs")

    def execute(self, *flags: str):
        return self.run([*BUILD.split(), "--oci-layout-path=/kaniko/outputs/layout", *flags])

    def image(self, name: str = "layout") -> built_image.Image:
        image = built_image.Image(self.outputs / name)
        expect(image.files, "an empty image")
        return image

    def changes(self) -> dict:
        """What the container's own file system has that its image has not, once it has started."""
        self.run(["/kaniko/executor", "version"])
        return containers.fingerprint(self.bundle / "upper")


def built(done):
    expect_equal(done.returncode, 0, done.stderr[-1500:])
    expect("Isolation: supervised" in done.stderr, done.stderr[:800])
    return done


@case("the container is afterwards as it was, and nothing is left in the volume")
def untouched(world):
    dockerfile = ("FROM REGISTRY/busybox\nWORKDIR /workspace\nCOPY f .\nRUN rm -rf /home /var/run && echo 1 > /one && "
                  "find / -xdev -name passwd -exec rm {} +; cat f > g\n")
    with Started(world, dockerfile, {"f": "content\n"}) as container:
        before = container.changes()
        built(container.execute())
        expect_equal(container.changes(), before)
        expect_equal(list(container.work.iterdir()), [])
        image = container.image()
        expect_equal(image.text("/workspace/g"), "content\n")
        expect("/etc/passwd" not in image.files and "/one" in image.files, "files of the image")


@case("a build that fails leaves the container as it was, too")
def failed(world):
    with Started(world, "FROM REGISTRY/busybox\nRUN rm -rf /usr /bin; exit 3\n") as container:
        before = container.changes()
        done = container.execute()
        expect_equal(done.returncode, 3, done.stderr[-800:])
        expect_equal(container.changes(), before)
        expect_equal(list(container.work.iterdir()), [])


@case("several builds in one container need no cleaning between them, and give one image")
def several(world):
    dockerfile = "FROM REGISTRY/busybox\nRUN echo 1 > /one && rm -rf /home\nFROM REGISTRY/busybox\nRUN ls / > /list\n"
    script = "".join(f"{BUILD} --reproducible --oci-layout-path=/kaniko/outputs/{name} 2>/dev/null || exit 9; "
                     "cat /workspace/f && /busybox/sh -c 'echo $0' && " for name in "abcd") + "echo done\n"
    with Started(world, dockerfile, {"f": "content\n"}, image="cairn-debug") as container:
        done = container.run(["/busybox/sh", "-c", script])
        expect_equal(done.stdout, "content\n/busybox/sh\n" * 4 + "done\n", done.stderr[-800:])
        expect_equal(len({container.image(name).digest for name in "abcd"}), 1)


@case("a user's command becomes root by a setuid program, and nobody else does")
def setuid(world):
    dockerfile = (
        "FROM REGISTRY/busybox\n"
        "RUN sed -i 's/^root:[^:]*:/root::/' /etc/passwd && echo 'jenkins:x:1001:1001::/:/bin/sh' >> /etc/passwd && "
        "mkdir /suid && cp /bin/busybox /suid/ && chmod 4755 /suid/busybox\n"
        "USER jenkins\n"
        "RUN id -u && /suid/busybox su -c 'id -u && echo made > /etc/made && chown 5:6 /etc/made' && id -u && "
        "! touch /etc/other\n")
    with Started(world, dockerfile) as container:
        done = built(container.execute())
        expect_equal(done.stdout, "1001\n0\n1001\n")
        made = container.image().files["/etc/made"]
        expect_equal((made.text, made.uid, made.gid), ("made\n", 5, 6))
        expect("/etc/other" not in container.image().files, "a user wrote where only root may")


@case("in a pod that allows no program to gain privileges, none does")
def no_new_privileges(world):
    dockerfile = ("FROM REGISTRY/busybox\nRUN sed -i 's/^root:[^:]*:/root::/' /etc/passwd && mkdir /suid && "
                  "cp /bin/busybox /suid/ && chmod 4755 /suid/busybox\n"
                  "USER 1001\nRUN grep NoNewPrivs /proc/self/status; ! /suid/busybox su -c 'id -u'\n")
    with Started(world, dockerfile) as container:
        container.profile = pod.Profile("no new privileges", capabilities=pod.DEFAULT_CAPABILITIES, seccomp=True,
                                        no_new_privs=True)
        done = built(container.execute())
        expect_equal(done.stdout, "NoNewPrivs:\t1\n")


@case("a cache on another volume than the work is kept, and only its changes are written there")
def caches(world):
    dockerfile = ("FROM REGISTRY/busybox\nARG N\nRUN --mount=type=cache,target=/c echo $N >> /c/log; cat /c/log; "
                  "rm -f /c/old; mkdir -p /c/d && ln -f /c/log /c/d/link && ln -sf log /c/soft; "
                  "test $N = 2 || echo x > /c/old\n")
    cache = world.new_directory("cache")
    cache.chmod(0o755)
    for number in ("1", "2"):
        with Started(world, dockerfile) as container:
            container.bind(cache, "/cache")
            done = built(container.execute("--cache-dir=/cache", f"--build-arg=N={number}"))
            expect_equal(done.stdout, "1\n" if number == "1" else "1\n2\n")
            expect_equal([name for name in container.image().layers[-1].names if name.startswith("/c/")], [])
    (log,) = cache.glob("mounts/*/0/log")
    names = {path.relative_to(log.parent).as_posix() for path in log.parent.rglob("*")}
    expect_equal(names, {"log", "d", "d/link", "soft"})
    expect_equal((log.read_text(), log.stat().st_nlink), ("1\n2\n", 2))


@case("eight stages that run commands at once give what they give one after the other")
def stages(world):
    stages = "".join(f"FROM REGISTRY/busybox AS s{n}\nRUN for i in 1 2 3 4 5 6 7 8 9; do readlink /proc/self/cwd; done "
                     f"> /out{n}; readlink /proc/self/exe >> /out{n}; cd /proc/self && pwd | grep -c proc >> /out{n}\n"
                     for n in range(8))
    last = "FROM scratch\n" + "".join(f"COPY --from=s{n} /out{n} /\n" for n in range(8))
    with Started(world, stages + last) as container:
        built(container.execute())
        texts = {container.image().text(f"/out{n}") for n in range(8)}
        expect_equal(texts, {"/\n" * 9 + "/bin/busybox\n1\n"})


if __name__ == "__main__":
    sys.exit(main())
