#!/usr/bin/env python3
"""What layers keep: everything a command did to the files, on each kind of root, and all that bases hold."""
import hashlib
import os
import subprocess
import sys
import tarfile

from support import Build, Skip, World, case, expect, expect_equal, main

import tar_layers

CAPABILITY = "\x01\0\0\x02\0\x20" + "\0" * 14  # cap_net_raw=ep, as setcap(8) writes it
CONTAINER = (
    "chown dac_override fsetid fowner mknod net_raw setgid setuid setfcap setpcap net_bind_service sys_chroot kill "
    "audit_write").split()
LONG = "/".join(["n" * 120] * 3)


class ModeWorld:
    """A World whose commands run in an overlay, in a plain directory because the overlay's place forbids one, or in a
    user namespace because the executor has no more than the capabilities of a container."""

    def __init__(self, world: World, mode: str):
        self.world, self.mode = world, mode

    def build(self, dockerfile: str, files: dict | None = None, *flags: str) -> Build:
        if self.mode == "overlay":
            build = self.world.build(dockerfile, files, *flags, isolation="namespace")
            expect("namespace with overlay" in build.err or build.status, f"not in an overlay: {build.err}")
            return build
        if self.mode == "user namespace":
            return self.world.build(dockerfile, files, *flags, isolation="namespace",
                                    before=self.as_in_a_container())
        place = self.world.new_directory("overlay")
        for name in ("lower", "upper", "work", "merged"):
            (place / name).mkdir()
        mount = (f"mount -t overlay overlay -o lowerdir={place}/lower,upperdir={place}/upper,workdir={place}/work "
                 f'{place}/merged && exec "$@"')
        build = self.world.build(dockerfile, files, *flags, work=place / "merged", isolation="namespace",
                                 before=["unshare", "--mount", "sh", "-c", mount, "sh"])
        expect("namespace with directory" in build.err or build.status, f"not in a directory: {build.err}")
        return build

    @staticmethod
    def as_in_a_container() -> list[str]:
        refusal = subprocess.run(["unshare", "--user", "true"], capture_output=True, text=True, check=False).stderr
        if refusal or os.geteuid() != 0:
            raise Skip(f"no user namespaces here: {refusal.strip() or 'not root'}")
        return ["setpriv", "--bounding-set", "-all,+" + ",+".join(CONTAINER), "--inh-caps", "-all"]


def everywhere(name: str):
    """A case for each kind of root."""
    def register(function):
        for mode in ("overlay", "directory", "user namespace"):
            case(f"{name}, in {'an' if mode == 'overlay' else 'a'} {mode}")(
                lambda world, mode=mode: function(ModeWorld(world, mode)))
        return function
    return register


def kinds(files: dict, *paths: str) -> list:
    return [files[path].kind if path in files else None for path in paths]


@everywhere("what is removed becomes whiteouts")
def removals(world):
    world.world.push("removals", [tar_layers.entry("d/gone", "x"), tar_layers.entry("d/kept", "y"),
                                  tar_layers.entry("tree/a/b", "z"), tar_layers.symlink("link", "d")])
    build = world.build("FROM REGISTRY/removals\nRUN rm -r /d/gone /tree /link\n")
    expect_equal(sorted(build.image.layers[-1].whiteouts), ["/.wh.link", "/.wh.tree", "/d/.wh.gone"])
    expect_equal(kinds(build.image.files, "/d/gone", "/d/kept", "/tree", "/tree/a/b", "/link"),
                 [None, "file", None, None, None])


@everywhere("files, directories and links take each other's place")
def replacements(world):
    world.world.push("shapes", [tar_layers.entry("dir/old", "x"), tar_layers.entry("file", "x"),
                                tar_layers.symlink("link", "etc"), tar_layers.symlink("link2", "dir"),
                                tar_layers.entry("again/old", "x"), tar_layers.entry("again/sub/old", "x")])
    build = world.build(
        "FROM REGISTRY/shapes\nRUN rm -r /dir /file /link /link2 /again; echo f > /dir; mkdir /file /link"
        " /again; touch /link/in /again/new; ln -s /nowhere /link2\nRUN cat /dir; ls /again /link\n")
    files = build.image.files
    expect_equal(kinds(files, "/dir", "/dir/old", "/file", "/link", "/link/in", "/link2", "/again/new", "/again/old",
                       "/again/sub"),
                 ["file", None, "directory", "directory", "file", "symlink", "file", None, None])
    expect("/etc/passwd" in files, "what the link pointed to is gone")
    expect_equal(build.out.split(), ["f", "/again:", "new", "/link:", "in"])


@everywhere("only what changed is in the layer")
def only_changes(world):
    build = world.build(
        "FROM REGISTRY/busybox\nRUN chmod 600 /etc/group; cat /bin/busybox > /dev/null; echo x > /tmp/f;"
        " rm /tmp/f; ln /bin/busybox /bin/twin; rm /bin/twin\nRUN chown 5 /etc/group\nRUN true\n")
    layers = build.image.layers
    changed = [{path for path, member in layer.entries if not member.isdir()} for layer in layers[1:]]
    expect_equal(changed, [{"/etc/group"}, {"/etc/group"}, set()])
    node = build.image.files["/etc/group"]
    expect_equal((node.owner, oct(node.mode), node.mtime, node.text),
                 ((5, 0), "0o600", 10**18, tar_layers.GROUP.decode()))


@everywhere("a directory that is moved takes its content along")
def moved_directory(world):
    world.world.push("tree",
                     [tar_layers.directory("d", 0o750),
                      tar_layers.entry("d/sub/f", "x", mode=0o640, owner=(3, 4))])
    build = world.build("FROM REGISTRY/tree\nRUN mv /d /moved\nRUN cat /moved/sub/f\n")
    files = build.image.files
    expect_equal(kinds(files, "/d", "/d/sub/f", "/moved", "/moved/sub/f"), [None, None, "directory", "file"])
    expect_equal((oct(files["/moved"].mode), oct(files["/moved/sub/f"].mode), files["/moved/sub/f"].owner),
                 ("0o750", "0o640", (3, 4)))


@everywhere("hard links stay one file")
def hard_links(world):
    build = world.build("FROM REGISTRY/busybox\nRUN echo x > /a; ln /a /b; mkdir /d; ln /a /d/c\nRUN stat -c %h /d/c\n")
    files = build.image.files
    expect(files["/a"] is files["/b"] and files["/a"] is files["/d/c"], "the links are lost")
    expect_equal((build.out, files["/d/c"].text), ("3\n", "x\n"))


@everywhere("modes with setuid bits and owners are kept")
def odd_modes(world):
    build = world.build("FROM REGISTRY/busybox\nRUN umask 077; mkdir -p /m/d; for i in 1 2 4 7; do echo $i > /m/$i; "
                        "chown $i:7 /m/$i; chmod ${i}7${i}5 /m/$i; done; chmod 2775 /m/d; ln -s no /m/l; "
                        "chown -h 5:6 /m/l\n")
    files = build.image.files
    expect_equal({path: (oct(files[path].mode), files[path].owner) for path in sorted(files) if path.startswith("/m/")
                  and path != "/m/l"},
                 {"/m/1": ("0o1715", (1, 7)), "/m/2": ("0o2725", (2, 7)), "/m/4": ("0o4745", (4, 7)),
                  "/m/7": ("0o7775", (7, 7)), "/m/d": ("0o2775", (0, 0))})
    expect_equal((files["/m"].mode, files["/m/l"].owner), (0o700, (5, 6)))


@everywhere("capabilities and setuid bits of a base survive a change of the file")
def capabilities(world):
    world.world.push("caps", [tar_layers.entry("ping", "x", mode=0o755, xattrs={"security.capability": CAPABILITY}),
                              tar_layers.entry("su", "y", mode=0o4755, owner=(0, 50))])
    build = world.build(
        "FROM REGISTRY/caps\nRUN chmod 0711 /ping; touch /su\nFROM scratch\nCOPY --from=0 /ping /su /\n")
    files = build.image.files
    expect_equal((files["/ping"].xattrs, oct(files["/ping"].mode)),
                 ({"security.capability": CAPABILITY.encode()}, "0o711"))
    expect_equal((oct(files["/su"].mode), files["/su"].owner), ("0o4755", (0, 50)))


@everywhere("devices and fifos are kept")
def devices(world):
    world.world.push("devices", [tar_layers.entry("null2", kind=tarfile.CHRTYPE, device=(1, 3)),
                                 tar_layers.entry("disk", kind=tarfile.BLKTYPE, device=(7, 300)),
                                 tar_layers.entry("pipe", kind=tarfile.FIFOTYPE)])
    if world.mode == "user namespace":  # where the kernel lets nobody make or change devices
        build = world.build(
            "FROM REGISTRY/devices\nRUN test -c /null2 && test -b /disk && test -p /pipe && mkfifo /pipe2\n")
        expect_equal(kinds(build.image.files, "/null2", "/disk", "/pipe2"),
                     ["character device", "block device", "fifo"])
        return
    build = world.build("FROM REGISTRY/devices\nRUN test -c /null2 && test -b /disk && test -p /pipe && "
                        "chmod 600 /null2 /pipe && mknod /zero2 c 1 5 && mkfifo /pipe2\n")
    files = build.image.files
    expect_equal(kinds(files, "/null2", "/disk", "/pipe", "/zero2", "/pipe2"),
                 ["character device", "block device", "fifo", "character device", "fifo"])
    expect_equal([files[path].device for path in ("/null2", "/disk", "/zero2")], [(1, 3), (7, 300), (1, 5)])
    expect_equal((oct(files["/null2"].mode), oct(files["/pipe"].mode)), ("0o600", "0o600"))


@everywhere("times are kept to the nanosecond, and names of any length")
def times_and_names(world):
    world.world.push("times", [tar_layers.entry("f", "x", mtime="1000000000.123456789"),
                               tar_layers.entry(f"{LONG}/end", "long", mtime=-5),
                               tar_layers.symlink("link", "t" * 250, mtime="1000000000.5")])
    build = world.build(f"FROM REGISTRY/times\nRUN chmod 600 /f /{LONG}/end; touch -d @1234567890 /dated; "
                        f"touch /{LONG}/other\nRUN cat /{LONG}/end; readlink /link | wc -c\n")
    files = build.image.files
    expect_equal((files["/f"].mtime, files["/dated"].mtime), (1_000_000_000_123_456_789, 1_234_567_890 * 10**9))
    expect_equal((oct(files[f"/{LONG}/end"].mode), f"/{LONG}/other" in files), ("0o600", True))
    expect_equal((files[f"/{LONG}/end"].mtime, files["/link"].link), (-5 * 10**9, "t" * 250))
    expect_equal(build.out, "long251\n")


@everywhere("a file with holes has its whole size and content")
def sparse(world):
    build = world.build("FROM REGISTRY/busybox\nRUN truncate -s 20000000 /hole; "
                        "echo end | dd of=/mixed bs=1 seek=9000000 2>/dev/null\nRUN chmod 600 /mixed\n")
    files = build.image.files
    expect_equal(files["/hole"].sha256, hashlib.sha256(bytes(20_000_000)).hexdigest())
    expect_equal(files["/mixed"].sha256, hashlib.sha256(bytes(9_000_000) + b"end\n").hexdigest())


@everywhere("whiteouts of a base hide what lies below them")
def base_whiteouts(world):
    world.world.push("hidden", [tar_layers.entry(name, "x") for name in ("d/old", "d/sub/old", "f", "e/a")],
                     [tar_layers.entry("d/new", "y"), tar_layers.opaque("d"), tar_layers.whiteout("f"),
                      tar_layers.whiteout("e/a")],
                     [tar_layers.entry("e/b", "z")])
    build = world.build("FROM REGISTRY/hidden AS base\nRUN ls -R /d /e; test ! -e /f\nFROM scratch\n"
                        "COPY --from=base /d /d\nCOPY --from=base /e /e\n")
    expect_equal(build.succeeded().out.split(), ["/d:", "new", "/e:", "b"])
    expect_equal(sorted(build.image.files), ["/d", "/d/new", "/e", "/e/b"])


@everywhere("a change that hides behind the same size and time is seen")
def hidden_change(world):
    build = world.build("FROM REGISTRY/busybox\nRUN echo one > /a; touch -d @1000 /a\n"
                        "RUN echo two > /a; touch -d @1000 /a; cp -p /a /new; mv /new /b\nRUN cp -p /b /c; mv /c /a\n")
    expect_equal((build.image.text("/a"), build.image.text("/b"), build.image.files["/a"].mtime),
                 ("two\n", "two\n", 10**12))
    names = [{path for path in layer.names if path in ("/a", "/b")} for layer in build.image.layers[1:3]]
    expect_equal(names, [{"/a"}, {"/a", "/b"}])


@everywhere("what one command makes the next one can remove")
def made_and_removed(world):
    build = world.build("FROM REGISTRY/busybox\nRUN echo x > /a; mkdir -p /d/e; echo y > /d/e/f\nRUN rm -r /a /d\n"
                        "RUN test ! -e /a; mkdir /d; ls /d\n")
    expect_equal((build.out, kinds(build.image.files, "/a", "/d", "/d/e")), ("", [None, "directory", None]))


@case("many layers are no obstacle")
def many_layers(world):
    build = world.build("FROM REGISTRY/busybox\n" + "".join(f"COPY f /d/{number}\n" for number in range(130)) +
                        "RUN ls /d | wc -l; rm /d/7\n", {"f": "x"})
    expect_equal(build.succeeded().out.strip(), "130")
    expect("/d/7" not in build.image.files and "/d/8" in build.image.files, "the wrong files are there")


@everywhere("COPY between commands is seen by the next one")
def copies_between(world):
    build = world.build(
        "FROM REGISTRY/busybox\nRUN mkdir -p /w/link /w/real; echo old > /w/real/f; rmdir /w/link; "
        "ln -s real /w/link\nCOPY new /w/link/f\nRUN cat /w/real/f; rm /w/real/f; echo again > /w/real/g\n"
        "WORKDIR /w/link/deep\nCOPY new .\nRUN pwd -P; ls -A ..; cat new\n", {"new": "new\n"})
    expect_equal(build.succeeded().out.split(), ["new", "/w/real/deep", "deep", "g", "new"])
    expect_equal(kinds(build.image.files, "/w/link", "/w/real/f", "/w/real/g", "/w/real/deep/new"),
                 ["symlink", None, "file", "file"])


@everywhere("content of volumes, /tmp and /run is kept")
def kept_places(world):
    build = world.build("FROM REGISTRY/busybox\nVOLUME /data\nRUN mkdir -p /data /run /var/run; echo 1 > /data/f; "
                        "echo 2 > /tmp/f; echo 3 > /run/f; echo 4 > /var/run/f\nCOPY f /data/g\n", {"f": "5"})
    expect_equal([build.image.text(path) for path in ("/data/f", "/tmp/f", "/run/f", "/var/run/f", "/data/g")],
                 ["1\n", "2\n", "3\n", "4\n", "5"])


@everywhere("an ignored path is in no layer")
def ignored_path(world):
    build = world.build("FROM REGISTRY/busybox\nRUN mkdir /cache /kept; echo x | tee /cache/f > /kept/f\n", None,
                        "--ignore-path=/cache")
    expect("/kept/f" in build.image.files, "the other is missing")
    expect_equal([path for path in build.image.files if path.startswith("/cache/")], [])


@everywhere("--single-snapshot makes one layer with the same files")
def single_snapshot(world):
    text = ("FROM REGISTRY/busybox\nRUN mkdir /a; echo 1 > /a/f; touch -d @5 /a/f /a\nCOPY g /a/\nENV A=b\n"
            "RUN rm /etc/group; mv /a /b; chown 7 /b/g; rm -r /home; mkdir /home; touch -d @5 /home /b\n")
    usual, single = (world.build(text, {"g": "x"}, *flags) for flags in ((), ("--single-snapshot",)))
    expect_equal(len(single.image.layers), 2)
    trees = [{
        path: (node.kind, node.mode, node.owner, node.sha256, node.link) for path, node in build.image.files.items()
    } for build in (usual, single)]
    expect_equal(set(trees[0].items()) ^ set(trees[1].items()), set(), "files that differ")
    expect_equal(single.image.config, usual.image.config)


@case("another program unpacks an image to the same files")
def unpacked_elsewhere(world):
    build = world.build(
        "FROM REGISTRY/busybox\nRUN rm -r /home /etc/group; mkdir /home; ln /etc/passwd /home/p; touch /n\n"
        "COPY --chown=5:6 f /x/y/f\n", {"f": "content"}).succeeded()
    bundle = world.new_directory("umoci") / "bundle"
    copied = world.new_directory("copy")
    subprocess.run(["skopeo", "copy", "--quiet", f"oci:{build.layout}", f"oci:{copied}/layout:x"], check=True)
    subprocess.run(["umoci", "unpack", "--image", f"{copied}/layout:x", str(bundle)], check=True, capture_output=True)
    root = bundle / "rootfs"
    found = {"/" + str(path.relative_to(root)) for path in root.rglob("*")}
    expect_equal(found, set(build.image.files) - {"/"})
    info = (root / "x/y/f").stat()
    expect_equal((info.st_uid, info.st_gid, (root / "x/y/f").read_text()), (5, 6, "content"))


if __name__ == "__main__":
    sys.exit(main())
