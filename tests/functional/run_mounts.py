#!/usr/bin/env python3
"""RUN --mount: what a command sees, what is kept, and that nothing of it reaches the image. In namespaces and in
place."""
import contextlib
import pathlib
import socket
import struct
import subprocess
import sys
import threading

from mount_support import build_in_namespaces, new_names, in_all_modes, printed
from support import File, Link, case, expect, expect_equal, main

SECRET = "correct-horse-battery-staple"
# What a mount below /run has left. A pod that builds in place has the token of a service account there.
LEFT = ("if [ -e /run/secrets/kubernetes.io ]; then ls /run/secrets | grep -v kubernetes.io; else ls /run 2>/dev/null; "
        "fi")


@in_all_modes("bind: the build context is seen, and only what is not ignored")
def bind_context(world, build):
    done = build("FROM REGISTRY/busybox\nWORKDIR /src\nRUN --mount=target=. ls && cat a && stat -c %u:%g a && pwd\n",
                 {"a": "text\n", "b/c": "x", "secret": "x", ".dockerignore": "secret\n"})
    expect_equal(printed(done), ["Dockerfile", "a", "b", "text", "0:0", "/src"])
    expect_equal(new_names(done), ["/src"])


@in_all_modes("bind: a source is one file or one directory, links followed inside the origin")
def bind_source(world, build):
    lines = printed(build("FROM REGISTRY/busybox\nRUN --mount=source=go.mod,target=/w/go.mod cat /w/go.mod; ls /w\n"
                          "RUN --mount=source=link,target=/d ls /d\n"
                          "RUN ls -d /w /d 2>/dev/null; true\n",
                          {"go.mod": "module x\n", "dir/f": "1", "link": Link("/dir"), "other": "2"}))
    expect_equal(lines, ["module x", "go.mod", "f"])


@in_all_modes("bind: from a stage by name and number, from an image, with its owners")
def bind_from(world, build):
    done = build(
        "FROM REGISTRY/busybox AS made\nRUN mkdir -p /o/d && echo 1 > /o/d/f && chown 7:8 /o/d/f && ln -s d /o/l\n"
        "FROM REGISTRY/busybox\n"
        "RUN --mount=from=made,source=/o,target=/m stat -c '%u:%g' /m/d/f && readlink /m/l\n"
        "RUN --mount=from=0,source=/o/d/f,target=/m cat /m\n"
        "RUN --mount=from=REGISTRY/busybox,target=/m ls /m/etc\n".replace("REGISTRY/", f"{world.host}/"))
    expect_equal(printed(done), ["7:8", "d", "1", "group", "passwd"])
    expect_equal(new_names(done), [])


@case("bind: is read-only")
def bind_read_only(world):
    build_in_namespaces(world, "FROM REGISTRY/busybox\nRUN --mount=target=/m ! touch /m/x && ! sh -c ': >> /m/a'\n",
                        {"a": "1"}).succeeded()


@in_all_modes("bind: what is written with rw is gone after the command, and never was in the context")
def bind_discarded(world, build):
    text = ("FROM REGISTRY/busybox\nRUN --mount=target=/m,rw echo 2 > /m/a && mkdir /m/n && cat /m/a\n"
            "RUN --mount=target=/m,rw cat /m/a; ls /m\n")
    done = build(text, {"a": "1\n"})
    expect_equal(printed(done), ["2", "1", "Dockerfile", "a"])
    expect_equal(new_names(done), [])


@in_all_modes("bind: covers what is there, which is there again afterwards")
def bind_covers(world, build):
    done = build("FROM REGISTRY/busybox\nRUN mkdir /d && echo own > /d/f\nRUN --mount=source=x,target=/d ls /d\n"
                 "RUN ls /d && cat /d/f\n", {"x/g": "1"})
    expect_equal(printed(done), ["g", "f", "own"])
    expect_equal(new_names(done), ["/d", "/d/f"])


@in_all_modes("bind: a source that is missing is an error that names the line")
def bind_missing(world, build):
    done = build("FROM REGISTRY/busybox\nRUN --mount=source=nope,target=/m true\n")
    expect(done.status == 1 and "Dockerfile:2" in done.error and "nope" in done.error, done.said)


@in_all_modes("tmpfs: is empty, open to all and gone afterwards")
def tmpfs(world, build):
    done = build("FROM REGISTRY/busybox\nUSER ann\n"
                 "RUN --mount=type=tmpfs,target=/t/u ls /t/u; stat -c %a /t /t/u; touch /t/u/x\nRUN test ! -e /t\n")
    expect_equal(printed(done), ["755", "1777"])


@in_all_modes("tmpfs: has the mode, but not the owner, of a directory that it covers, and gives it back")
def tmpfs_covers(world, build):
    done = build(
        "FROM REGISTRY/busybox\nRUN mkdir /t && echo 1 > /t/own && chown 5:6 /t && chmod 2751 /t\n"
        "RUN --mount=type=tmpfs,target=/t ls /t; stat -c '%a %u:%g' /t; touch /t/x\nRUN ls /t; stat -c '%a %u:%g' /t\n")
    expect_equal(printed(done), ["2751 0:0", "own", "2751 5:6"])


@case("tmpfs: holds no more than its size")
def tmpfs_size(world):
    build_in_namespaces(world, "FROM REGISTRY/busybox\nRUN --mount=type=tmpfs,target=/t,size=1m "
                        "! dd if=/dev/zero of=/t/x bs=1024 count=2000\n").succeeded()


@in_all_modes("secret: a file with mode, owner and default place, for this command alone")
def secret_file(world, build):
    done = build(
        "FROM REGISTRY/busybox\nRUN --mount=type=secret,id=k stat -c '%a %u:%g' /run/secrets/k && cat /run/secrets/k\n"
        "RUN --mount=type=secret,id=k,target=/w/t,mode=0440,uid=7,gid=8 stat -c '%a %u:%g' /w/t\n"
        f"RUN {LEFT}; ls /w 2>/dev/null; true\n", None, "--secret=id=k,env=TOKEN", environment={"TOKEN": SECRET})
    expect_equal(printed(done), ["400 0:0", SECRET + "440 7:8"])
    expect_equal(new_names(done), [])


@in_all_modes("secret: a variable, which only this command has")
def secret_variable(world, build):
    done = build(f"FROM REGISTRY/busybox\nRUN --mount=type=secret,id=k,env=K echo $K; {LEFT}; true\n"
                 "RUN --mount=type=secret,id=k,env=K,target=/s echo $K; cat /s\nRUN echo \"none$K\"\n", None,
                 "--secret=id=k,env=TOKEN", environment={"TOKEN": SECRET})
    expect_equal(printed(done), [SECRET, SECRET, SECRET + "none"])


@case("secret: --secret takes a file, a variable, or whichever is called like the id")
def secret_sources(world):
    file = world.new_directory() / "f"
    file.write_text("of the file")
    text = "FROM REGISTRY/busybox\nRUN --mount=type=secret,id=k,required cat /run/secrets/k\n"
    for flag, wanted in ((f"id=k,src={file}", "of the file"), (f"id=k,source={file},type=file", "of the file"),
                         ("id=k,env=V", "of the variable"), ("id=k,type=env,src=V", "of the variable"),
                         ("id=k", "of its id")):
        done = build_in_namespaces(world, text, None, f"--secret={flag}",
                                   environment={"V": "of the variable", "k": "of its id"})
        expect_equal(printed(done), [wanted], flag)


@case("secret: what is wrong with --secret is told before anything is built")
def secret_mistakes(world):
    for flags, wanted in ((["--secret=id=k,src=/none"], "there is no file '/none'"), (["--secret=id=k,env=NONE"],
                                                                                      "'NONE' is not set"),
                          (["--secret=src=/x"], "it needs an id"), (["--secret=id=k,sorce=/x"], "did you mean source?"),
                          (["--secret=id=a,env=PATH", "--secret=id=a,env=PATH"], "given twice")):
        done = world.build("FROM REGISTRY/busybox\n", None, *flags, isolation="none")
        expect(done.status == 1 and wanted in done.error, f"{flags}: {done.said}")


@case("secret: a missing one is left out, unless it is required")
def secret_missing(world):
    build_in_namespaces(world,
                        "FROM REGISTRY/busybox\nRUN --mount=type=secret,id=k test ! -e /run/secrets/k\n").succeeded()
    done = build_in_namespaces(world, "FROM REGISTRY/busybox\nRUN --mount=type=secret,id=k,required true\n", None,
                               "--secret=id=other,env=PATH")
    expect(done.status == 1 and "secret k: not found" in done.error and "other" in done.error, done.said)


def occurrences(directory: pathlib.Path, value: bytes) -> list[str]:
    return [
        str(path) for path in directory.rglob("*")
        if path.is_file() and not path.is_symlink() and value in path.read_bytes()
    ]


@in_all_modes("secret: leaves no trace in layers, config, store, caches, log or other commands")
def secret_traces(world, build):
    cache = world.new_directory("cache")
    text = ("FROM REGISTRY/busybox AS one\n"
            "RUN --mount=type=secret,id=k --mount=type=secret,id=k,env=K,target=/s --mount=type=cache,target=/c "
            "wc -c < /s && test -n \"$K\" && cp /run/secrets/k /dev/null && echo cached > /c/x\n"
            "RUN cat /proc/*/environ /proc/*/cmdline 2>/dev/null | tr '\\0' '\\n'; env; grep -r correct-horse / "
            "--exclude-dir=proc --exclude-dir=sys 2>/dev/null; ls -R /run /tmp /dev/shm 2>/dev/null; true\n"
            "FROM one\nRUN echo done > /done\n")
    done = build(text, None, "--secret=id=k,env=TOKEN", "--verbosity=debug", cache=cache, environment={"TOKEN": SECRET})
    value = SECRET.encode()
    expect(value not in (done.succeeded().out + done.err).encode(), f"in the log: {done.said}")
    for directory in (done.layout, cache, done.work):
        expect_equal(occurrences(directory, value), [], "files that hold it")
    image = done.image
    expect(SECRET not in repr(image.config), "in the config")
    for layer in image.layers[1:]:
        for name, node in zip(layer.names, layer.nodes):
            expect(node is None or SECRET not in (node.text or ""), f"in {name}")


class Agent:
    """An ssh-agent of the tests: it answers what it is asked and remembers which kinds of request came."""

    def __init__(self, path: pathlib.Path):
        self.path, self.asked = path, []
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(str(path))
        self.server.listen()
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.server.accept()
                threading.Thread(target=self._answer, args=(client,), daemon=True).start()

    def _answer(self, client):
        with contextlib.suppress(OSError), client:
            while head := client.recv(4, socket.MSG_WAITALL):
                body = client.recv(struct.unpack(">I", head)[0], socket.MSG_WAITALL)
                self.asked.append(body[0])
                client.sendall(struct.pack(">IBI", 5, 12, 0))  # IDENTITIES_ANSWER: no keys

    def close(self):
        # A thread that still accepts would do so at the next agent's socket, which may get the same number.
        self.server.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.server.close()


# Sends one request of a single byte to the agent and prints the answer in hexadecimal.
ASK = r"""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
int main(int argc, char **argv) {
  struct sockaddr_un to = {.sun_family = AF_UNIX};
  unsigned char bytes[64] = {0, 0, 0, 1, atoi(argv[1])};
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  strcpy(to.sun_path, getenv("SSH_AUTH_SOCK"));
  if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0 || write(fd, bytes, 5) != 5) return perror("ask"), 1;
  ssize_t size = read(fd, bytes, sizeof bytes);
  for (ssize_t i = 0; i < size; ++i) printf("%02x", bytes[i]);
  return puts(""), argc != 2;
}
"""


def compiled(world, source: str) -> bytes:
    out = world.new_directory() / "program"
    subprocess.run(["cc", "-static", "-xc", "-o", str(out), "-"], input=source.encode(), check=True)
    return out.read_bytes()


@in_all_modes("ssh: the agent answers about keys, and refuses what would change them")
def ssh(world, build):
    agent = Agent(world.new_directory("agent") / "sock")
    with contextlib.closing(agent):
        done = build("FROM REGISTRY/busybox\nCOPY ask /ask\nUSER ann\n"
                     "RUN --mount=type=ssh,uid=1001 stat -c '%a %u' $SSH_AUTH_SOCK; /ask 11; /ask 19\n"
                     "USER root\nRUN --mount=type=ssh,target=/my.sock echo $SSH_AUTH_SOCK; /ask 11\n"
                     f"RUN echo \"none$SSH_AUTH_SOCK\"; {LEFT}; true\n",
                     {"ask": File(compiled(world, ASK), 0o755)}, agent=agent.path)
        expect_equal(printed(done),
                     ["600 1001", "000000050c00000000", "0000000105", "/my.sock", "000000050c00000000", "none"])
        expect_equal(agent.asked, [11, 11])
    expect_equal([name for name in new_names(done) if name != "/ask"], [])


@case("ssh: without an agent the command goes on without, unless it is required")
def ssh_missing(world):
    build_in_namespaces(world, "FROM REGISTRY/busybox\nRUN --mount=type=ssh test ! -e $SSH_AUTH_SOCK\n").succeeded()
    done = build_in_namespaces(world, "FROM REGISTRY/busybox\nRUN --mount=type=ssh,required true\n")
    expect(done.status == 1 and "ssh agent default: not found" in done.error, done.said)
    key = world.new_directory() / "key"
    key.write_text("-----BEGIN OPENSSH PRIVATE KEY-----\n")
    done = world.build("FROM REGISTRY/busybox\n", None, f"--ssh=default={key}", isolation="none")
    expect(done.status == 1 and "not the socket of an ssh-agent" in done.error, done.said)


@in_all_modes("options: values hold variables, targets are relative to the working directory")
def expansion(world, build):
    done = build("FROM REGISTRY/busybox\nARG D=deep\nENV E=er\nWORKDIR /w\n"
                 "RUN --mount=source=${D},target=$D$E ls deeper && pwd\n", {"deep/f": "1"})
    expect_equal(printed(done), ["f", "/w"])


@case("options: mounts below other mounts are made after them, however they are written")
def nesting(world):
    done = build_in_namespaces(
        world, "FROM REGISTRY/busybox\nRUN --mount=source=f,target=/t/in/f --mount=type=tmpfs,target=/t "
        "--mount=type=secret,id=k,target=/t/in/k ls /t/in\n", {"f": "1"}, "--secret=id=k,env=PATH")
    expect_equal(printed(done), ["f", "k"])
    expect_equal(new_names(done), [])


@case("options: mistakes are told with the key and what was meant")
def mistakes(world):
    for mount, wanted in (("type=cach,target=/c", "did you mean cache?"), ("targett=/c", "did you mean target?"),
                          ("type=cache,target=/c,size=1m", "the key 'size' does not go with type=cache"),
                          ("type=bind,target=/", "invalid mount target"), ("from=nope,target=/c", "nope"),
                          ("type=cache,target=/c,sharing=some", "must be one of"),
                          ("type=bind,target=/c,mode=0700", "the key 'mode' does not go with type=bind")):
        done = world.build(f"FROM REGISTRY/busybox\nRUN --mount={mount} true\n")
        expect(done.status in (1, 75) and "Dockerfile:2" in done.error and wanted in done.error,
               f"{mount}: {done.said}")


@case("options: history tells the command without its mounts")
def history(world):
    done = build_in_namespaces(world, "FROM REGISTRY/busybox\nRUN --mount=type=cache,target=/c true\n").succeeded()
    expect_equal(done.image.history[-1]["created_by"], "RUN /bin/sh -c true # buildkit")


if __name__ == "__main__":
    sys.exit(main())
