"""Dockerfiles that have gone wrong in one mode or another, and what was mounted when they did: modes.py builds each
in all modes. A fault that is found gets a row here."""
import dataclasses
from collections.abc import Callable

from support import expect, expect_equal


@dataclasses.dataclass
class Example:
    """A build whose image has to be the same everywhere."""

    name: str
    dockerfile: str
    files: dict = dataclasses.field(default_factory=lambda: {"a.txt": "a\n", "sub/b.txt": "b\n"})
    volumes: tuple[str, ...] = ()       # emptyDirs of the pod
    source: str = "/workspace"          # where the context is mounted
    read_only: bool = False             # how it is mounted
    driver_files: bool = False          # as on a node with a GPU
    prints: tuple[str, ...] = ()        # lines of the commands
    check: Callable = lambda image: None
    # Texts of the error with which the build ends in place, where it cannot be right.
    error_in_place: tuple[str, ...] = ()
    error_supervised: tuple[str, ...] = ()


CAPABILITY = bytes.fromhex("0100000200200000000000000000000000000000")  # cap_net_raw=ep


def linked_run(image) -> None:
    files = image.files
    expect_equal((files["/var/run"].kind, files["/var/run"].link), ("symlink", "/run"))
    expect_equal(files["/run/sshd"].kind, "directory")


def hard_links(*names: str) -> Callable:
    """NAMES are one file in the image."""
    def check(image) -> None:
        found = {id(image.files[name]) for name in names}
        expect(len(found) == 1, f"{names} are {len(found)} files")
    return check


EXAMPLES = [
    Example("copies only",
            "FROM REGISTRY/busybox\nWORKDIR /app\nCOPY . .\nCOPY --chown=5:6 --chmod=600 a.txt /owned/\nENV A=b\n"),
    Example(
        "new, changed and deleted files",
        "FROM REGISTRY/busybox\nRUN mkdir -p /d/e && echo x > /d/e/f && rm /etc/group\n"
        "RUN rm -r /d/e && echo y > /d/g && echo z >> /etc/passwd\n"),
    Example(
        "touched but equal files", "FROM REGISTRY/busybox\nRUN chmod 755 /bin/busybox && chown -R 0:0 /etc/passwd\n"
        "RUN : >> /etc/passwd && cat /etc/passwd > /copy\n"),
    Example(
        "users and directories",
        "FROM REGISTRY/busybox\nRUN mkdir /people && chown 1000:1000 /people\nUSER 1000:1000\nWORKDIR /people/w\n"
        "RUN id -u > who && pwd >> who && umask >> who\n"),
    Example("output that is given to another user",
            "FROM REGISTRY/busybox\nRUN chown 5:6 /dev/stdout && chmod 0666 /dev/stderr && "
            "stat -L -c '%u:%g' /dev/stdout > /owner && touch -d @9 /proc/self/fd/1\n"),
    Example(
        "links", "FROM REGISTRY/busybox\n"
        "RUN mkdir /l && echo 1 > /l/a && ln /l/a /l/b && ln -s a /l/c && ln /bin/busybox /l/box\n"
        "RUN rm /l/a && ln -sf b /l/c\n"),
    Example(
        "several stages",
        "FROM REGISTRY/busybox AS one\nRUN mkdir /built && echo built > /built/app && chmod 4755 /built/app\n"
        "FROM REGISTRY/busybox AS two\nRUN echo other > /two\n"
        "FROM REGISTRY/busybox\nCOPY --from=one /built/app /bin/app\nCOPY --from=two /two /two\n"
        "RUN /bin/cat /two > /three\n"
    ),
    Example("a stage on a stage",
            "FROM REGISTRY/busybox AS one\nRUN echo 1 > /one\nFROM one\nRUN echo 2 > /two && rm /one\n"),
    Example(
        "directories turned into links", "FROM REGISTRY/busybox\nRUN mkdir -p /v/x && echo 1 > /v/x/f\n"
        "RUN rm -r /v/x && mkdir /v/y && ln -s y /v/x && echo 2 > /v/x/g\n"),
    Example(
        "heredocs", "FROM REGISTRY/busybox\nRUN <<EOF\necho one > /one\nEOF\nCOPY <<two /two\ntext\ntwo\n"
        "RUN <<EOF\n#!/bin/cat\nshown\nEOF\n", prints=("shown",)),
    Example(
        "modes, times and empty files",
        "FROM REGISTRY/busybox\nRUN touch -d @1000000000 /old && mkdir -m 1777 /open && : > /empty\n"
        "RUN mknod /fifo p && chmod 640 /old\n"),

    # The pod's own mounts meet the image's paths.
    Example("a directory below /var/run, which is a link", "FROM REGISTRY/debian\nRUN mkdir -p /var/run/sshd\n",
            check=linked_run),
    Example("/var of a stage with such a directory",
            "FROM REGISTRY/debian AS a\nRUN mkdir -p /var/run/sshd\nFROM REGISTRY/debian\nCOPY --from=a /var /var\n",
            check=lambda image: expect_equal(image.files["/var/run"].kind, "symlink")),
    Example("a volume where the image gets files",
            "FROM REGISTRY/busybox\nCOPY a.txt /var/cache/nginx/\nRUN test -e /var/cache/nginx/a.txt\n",
            volumes=("/var/cache",)),
    Example(
        "the driver's files below /lib, which is a link", "FROM REGISTRY/debian\nRUN echo made > /lib/made\n",
        driver_files=True, check=lambda image: expect_equal((image.files["/lib"].kind, image.text("/usr/lib/made")),
                                                            ("symlink", "made\n"))),
    Example(
        "commands that work where the context is mounted",
        "FROM REGISTRY/busybox AS builder\nWORKDIR /workspace\nCOPY a.txt a.txt\nRUN cat a.txt > manager\n"
        "FROM scratch\nCOPY --from=builder /workspace/manager .\n",
        error_in_place=("Dockerfile:2: WORKDIR /workspace", "the pod's mount at '/workspace'", "--context")),
    Example("a copy of the context to where it is mounted",
            "FROM REGISTRY/busybox\nWORKDIR /workspace\nCOPY . .\nRUN echo built > out.txt\n",
            check=lambda image: expect_equal(image.text("/workspace/out.txt"), "built\n"),
            error_in_place=("Dockerfile:2: ", "the pod's mount at '/workspace'", "--context")),
    Example(
        "commands that work in the volume that the context lies below",
        "FROM REGISTRY/busybox AS builder\nWORKDIR /workspace\nCOPY a.txt a.txt\nRUN cat a.txt > manager\n"
        "FROM scratch\nCOPY --from=builder /workspace/manager .\n", volumes=("/workspace",), source="/workspace/source",
        error_in_place=("Dockerfile:2: ", "the pod's mount at '/workspace'")),
    Example("copies alone to where the context is mounted, with a command elsewhere before",
            "FROM REGISTRY/busybox\nRUN echo 1 > /one\nWORKDIR /workspace\nCOPY . .\n"),
    Example("a command that writes where the context is mounted",
            "FROM REGISTRY/busybox\nRUN mkdir -p /workspace/sub && echo written > /workspace/sub/new\n", read_only=True,
            error_in_place=("Dockerfile:2: ", "'/workspace'")),
    Example("a link to where the context is mounted",
            "FROM REGISTRY/busybox\nRUN ln -s /workspace /ws\nWORKDIR /ws\nCOPY a.txt .\nRUN cat a.txt > b.txt\n",
            error_in_place=("the pod's mount at '/workspace'",)),
    Example("a stage of copies to where the context is mounted, and a command on top of it",
            "FROM REGISTRY/busybox AS files\nCOPY a.txt /workspace/\nFROM files\nRUN cat /workspace/a.txt > /b.txt\n",
            error_in_place=("Dockerfile:3: ", "the pod's mount at '/workspace'")),
    Example("all owners below /run changed", "FROM REGISTRY/debian\nRUN mkdir -p /run/sshd && chown -R 101:101 /run\n",
            error_in_place=("Dockerfile:2: ", "'/run/secrets/kubernetes.io/serviceaccount' (read-only)")),
    Example("all modes below /var changed", "FROM REGISTRY/debian\nRUN chmod -R g+rwX /var\n"),
    Example(
        "files in a directory of the executor's name",
        "FROM REGISTRY/busybox\nCOPY a.txt /kaniko/ssl/certs/extra.pem\nRUN echo x >> /kaniko/ssl/certs/extra.pem\n",
        error_in_place=("Dockerfile:2: COPY a.txt", "'/kaniko', the executor's own")),
    Example("a command that makes files in a directory of the executor's name",
            "FROM REGISTRY/busybox\nRUN mkdir -p /kaniko && echo x > /kaniko/made\n",
            error_in_place=("Dockerfile:2: ", "'/kaniko/made' in '/kaniko', the executor's own")),
    Example(
        "a volume for temporary files", "FROM REGISTRY/busybox\nRUN echo 1 > /tmp/one && mkdir /tmp/d\n"
        "FROM REGISTRY/busybox\nRUN test ! -e /tmp/one && chmod 700 /tmp && echo 2 > /tmp/two\n", volumes=("/tmp",)),

    # The process that RUN starts.
    Example("a user's output by /dev/stdout and /dev/stderr",
            "FROM REGISTRY/busybox\nUSER 1001\nRUN echo out > /dev/stdout && echo err > /dev/stderr\n",
            prints=("out", "err")),
    Example("a command without a network",
            "FROM REGISTRY/busybox\nRUN --network=none ls /sys/class/net > /interfaces\n",
            check=lambda image: expect_equal(image.text("/interfaces"), "lo\n"),
            error_in_place=("Dockerfile:2: ", "--network=none is not possible in place"),
            error_supervised=("Dockerfile:2: ", "--network=none is not possible without namespaces")),
    Example("a hard link to a file of a lower layer",
            "FROM REGISTRY/busybox\nRUN mkdir /x && ln /etc/passwd /x/passwd\n",
            check=hard_links("/etc/passwd", "/x/passwd")),
    Example(
        "a copy of all names of a file, one of a lower layer",
        "FROM REGISTRY/busybox AS a\nRUN mkdir /x && ln /etc/passwd /x/passwd && ln /etc/passwd /etc/second\n"
        "FROM REGISTRY/busybox\nCOPY --from=a /x /etc /y/\nCOPY --from=a / /all\n",
        check=hard_links("/all/x/passwd", "/all/etc/passwd", "/all/etc/second")),
    Example(
        "device nodes of the base",
        "FROM REGISTRY/debian AS a\nRUN echo 1 > /one\nFROM REGISTRY/debian\nCOPY --from=a /dev /copied\n"
        "RUN echo 2 > /two\n",
        check=lambda image: expect_equal((image.files["/dev/console"].device, image.files["/copied/console"].device),
                                         ((5, 1), (5, 1)))),

    # What file systems can hold.
    Example(
        "capabilities and modes of programs, through RUN and COPY",
        "FROM REGISTRY/debian AS a\nRUN cp /bin/busybox /ping && cp /bin/busybox /su && chmod 4711 /su && setcap "
        "cap_net_raw=ep /ping\n"
        "RUN chown 5:6 /su && chmod 6711 /su\n"
        "FROM REGISTRY/debian\nCOPY --from=a /ping /su /srv/\nRUN mv /srv/su /srv/sudo && chmod 711 /srv/ping\n",
        check=lambda image: expect_equal((image.files["/srv/ping"].xattrs, oct(image.files["/srv/sudo"].mode)),
                                         ({"security.capability": CAPABILITY}, "0o6711"))),
    Example(
        "attributes of users",
        "FROM REGISTRY/debian AS a\nRUN chmod 700 /attributes/d && echo 1 > /attributes/d/new && echo 3 >> "
        "/attributes/f && "
        "mv /attributes/d /attributes/e\nFROM REGISTRY/debian\nCOPY --from=a /attributes /copied\n"
        "RUN chown 5 /copied/f\n"
    ),
    Example(
        "names that are no text", "FROM REGISTRY/busybox AS a\n"
        "RUN mkdir /n && cd /n && for n in 'a\\nb' 'caf\\351' ' ' '*' '\\\\' '.wh' 'x\\tz'; do echo $n > \"$(printf "
        "\"$n\")\"; done\n"
        "RUN cd /n && rm \"$(printf 'caf\\351')\" && mv \"$(printf 'a\\nb')\" \"$(printf 'c\\nd')\"\n"
        "FROM REGISTRY/busybox\nCOPY --from=a /n /m\n"),
    Example(
        "long names and deep directories",
        "FROM REGISTRY/busybox\nRUN n=$(printf '%0255d' 0) && mkdir /l && cd /l && for i in $(seq 12); do mkdir $n && "
        "cd $n; done && echo 1 > $n\n"
        "RUN n=$(printf '%0255d' 0) && chmod 700 /l/$n && mv /l/$n/$n /l/x\n"),
    Example(
        "holes",
        "FROM REGISTRY/busybox AS a\nRUN truncate -s 3M /hole && echo end | dd of=/middle bs=1 seek=2000000 "
        "2>/dev/null && truncate -s 0 /none\n"
        "RUN truncate -s 1M /hole && echo x >> /middle\nFROM REGISTRY/busybox\nCOPY --from=a /hole /middle /none /\n"),
    Example(
        "files and directories take each other's place, and back",
        "FROM REGISTRY/busybox\nRUN mkdir -p /a/b /c && echo 1 > /a/b/f && echo 2 > /c/g && echo 3 > /h\n"
        "RUN rm -r /a && echo 4 > /a && rm /h && mkdir -p /h/i && mv /c /h/c\n"
        "RUN rm /a && mkdir /a && echo 5 > /a/new && rm -r /h && ln -s a /h && mkdir -p /c/g\n"),
    Example(
        "a directory is renamed over an empty one and another back",
        "FROM REGISTRY/busybox\nRUN mkdir -p /one/sub /two /three && echo 1 > /one/sub/f && echo 3 > /three/f\n"
        "RUN rmdir /two && mv /one /two && mv /three /one\nRUN mv /one /two/sub/ && mv /two/sub/f /f\n"),
    Example(
        "directories are emptied, made again and filled",
        "FROM REGISTRY/busybox\nCOPY . /d\nRUN rm -r /d && mkdir -m 700 /d && echo new > /d/new\nCOPY . /d\n"
        "RUN rm -rf /d/sub /d/*\n"
        "COPY sub /d\nRUN rm -r /home /usr && mkdir /home\n"),
    Example(
        "a directory's owner and mode alone",
        "FROM REGISTRY/busybox\nRUN mkdir -p /d/e && echo 1 > /d/e/f\n"
        "RUN chown 7:8 /d && chmod 2770 /d/e && chown 9 /usr\nRUN chmod 700 /root /d\n"
    ),
    Example(
        "names of one file in several layers",
        "FROM REGISTRY/busybox\nRUN mkdir /l && echo 1 > /l/a && ln /l/a /l/b && ln /l/a /l/c\n"
        "RUN rm /l/a && ln /l/c /l/d\n"
        "RUN ln -f /l/d /l/a && rm /l/b\n"),
    Example(
        "what commands leave where the system's own things are",
        "FROM REGISTRY/busybox\nRUN echo 1 > /dev/shm/f && mkdir -p /run/lock && echo 3 > /run/lock/f && "
        "echo 4 > /tmp/f && mkfifo /tmp/fifo\nRUN rm /run/lock/f\n"),
    Example(
        "users and groups that a command makes",
        "FROM REGISTRY/busybox\nRUN echo app:x:3000:3001::/srv:/bin/sh >> /etc/passwd && echo app:x:3001: >> "
        "/etc/group && mkdir /srv\n"
        "COPY --chown=app:app a.txt /srv/\nUSER app\nWORKDIR /srv/w\n"
        "RUN id -u > id && echo $HOME > home && umask 077 && echo 1 > private\n"
    ),
    Example(
        "a program that changes its user, for a command of another",
        "FROM REGISTRY/busybox\nRUN sed -i 's/^root:[^:]*:/root::/' /etc/passwd && mkdir /suid && "
        "cp /bin/busybox /suid/ && chmod 4755 /suid/busybox\nUSER 1001:1001\n"
        "RUN /suid/busybox su -c 'id -u > /by-root && chown 5:6 /by-root'; id -u > /tmp/by-user; ! touch /by-user\n",
        check=lambda image: expect_equal((image.text("/by-root"), image.text("/tmp/by-user")), ("0\n", "1001\n"))),
    Example("an archive that is unpacked over the root",
            "FROM REGISTRY/debian\nCOPY . /src/\nRUN mkdir -p /src/etc /src/usr/bin && echo x > /src/etc/new && "
            "cp /bin/busybox /src/usr/bin/new && cd /src && tar cf - etc usr | tar xf - -C /\n"),
    Example(
        "files that are touched and stay as they are",
        "FROM REGISTRY/busybox\nCOPY . /d\nRUN echo 1 > /made\n"
        "RUN for f in /d/a.txt /d/sub/b.txt /made /bin/busybox; do "
        "mode=$(stat -c %a $f); chmod 700 $f; chmod $mode $f; done; echo 2 > /new\n"),
    Example("files that are found anywhere and removed",
            "FROM REGISTRY/debian\nRUN find / -xdev -type f -name '*wd' -exec rm {} +\n"),
    Example(
        "a volume's content, and what a command does there afterwards",
        "FROM REGISTRY/busybox\nRUN mkdir /v && echo 1 > /v/f\nVOLUME /v\nRUN echo 2 > /v/g && rm /v/f\n"
        "COPY a.txt /v/\n"
    ),
    Example(
        "a root that is copied whole",
        "FROM REGISTRY/debian AS a\nRUN rm -r /tmp && mkdir -m 1777 /tmp && echo 1 > /var/run/f && ln -s /nowhere /l\n"
        "FROM scratch\nCOPY --from=a / /\nRUN [\"/usr/bin/dash\", \"-c\", \"echo 2 > /two; readlink /l > /three\"]\n"),
]
