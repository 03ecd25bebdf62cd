"""Mounts whose owners are shifted, as a node gives volumes to a pod with a user namespace of its own."""
import contextlib
import ctypes
import os
import pathlib
import subprocess
import time

FIRST_ID = 1 << 20  # what root of the pod is on the node
IDS = 65536

_OPEN_TREE, _MOVE_MOUNT, _MOUNT_SETATTR = 428, 429, 442
_OPEN_TREE_CLONE, _MOVE_MOUNT_F_EMPTY_PATH, _MOUNT_ATTR_IDMAP = 1, 4, 0x00100000
_AT_FDCWD, _AT_EMPTY_PATH = -100, 0x1000
_libc = ctypes.CDLL(None, use_errno=True)


class _MountAttributes(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ("set", "clear", "propagation", "namespace")]


def _call(number: int, *arguments) -> int:
    result = _libc.syscall(number, *arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


@contextlib.contextmanager
def _user_namespace():
    """A descriptor of a namespace with the pod's ids."""
    with subprocess.Popen(["unshare", "--user", "cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as holder:
        place = pathlib.Path(f"/proc/{holder.pid}")
        while os.readlink(place / "ns/user") == os.readlink("/proc/self/ns/user"):
            if holder.poll() is not None:
                raise OSError("no user namespace can be made")
            time.sleep(0.005)
        for name in ("uid_map", "gid_map"):
            (place / name).write_text(f"0 {FIRST_ID} {IDS}\n")
        namespace = os.open(place / "ns/user", os.O_RDONLY)
        try:
            yield namespace
        finally:
            os.close(namespace)
            holder.stdin.close()


def mount(source: pathlib.Path, target: pathlib.Path) -> None:
    """Makes SOURCE, a file or a directory, appear at TARGET with owners that the pod sees as the node sees those of
    SOURCE."""
    if source.is_dir():
        target.mkdir(parents=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    tree = _call(_OPEN_TREE, _AT_FDCWD, os.fsencode(source), _OPEN_TREE_CLONE | os.O_CLOEXEC)
    try:
        with _user_namespace() as namespace:
            attributes = _MountAttributes(set=_MOUNT_ATTR_IDMAP, namespace=namespace)
            _call(_MOUNT_SETATTR, tree, b"", _AT_EMPTY_PATH, ctypes.byref(attributes), ctypes.sizeof(attributes))
        _call(_MOVE_MOUNT, tree, b"", _AT_FDCWD, os.fsencode(target), _MOVE_MOUNT_F_EMPTY_PATH)
    finally:
        os.close(tree)
