"""A container as a kubelet and containerd make it for a pod: runc with their capabilities, seccomp profile, mounts,
masked paths and variables, on a root file system that is an overlay, as it is on a node. Only the network is that of
the machine, where the tests' registries are."""
import dataclasses
import functools
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import uuid

import idmapped

SECCOMP = pathlib.Path("/usr/share/gocode/src/github.com/docker/docker/profiles/seccomp/default.json")
DEFAULT_CAPABILITIES = [
    "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW", "CAP_SETGID",
    "CAP_SETUID", "CAP_SETFCAP", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL",
    "CAP_AUDIT_WRITE"]


def seccomp_profile(capabilities: list[str]) -> dict:
    """Docker's default profile with its conditions resolved, as a runtime hands it to runc."""
    source = json.loads(SECCOMP.read_text())
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)
    calls = []
    for rule in source["syscalls"]:
        includes, excludes = rule.get("includes") or {}, rule.get("excludes") or {}
        wanted = (machine in includes.get("arches", [machine])
                  and set(includes.get("caps", [])) <= set(capabilities))
        refused = (machine in excludes.get("arches", [])
                   or bool(set(excludes.get("caps", [])) & set(capabilities)))
        if wanted and not refused:
            kept = {key: rule[key] for key in ("names", "action", "args", "errnoRet") if rule.get(key) is not None}
            calls.append(kept)
    architectures = {"amd64": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
                     "arm64": ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"]}
    return {"defaultAction": source["defaultAction"], "defaultErrnoRet": 1,
            "architectures": architectures[machine], "syscalls": calls}


@functools.cache
def runtime_specification() -> str:
    """The configuration that runc starts from, the same for every container."""
    with tempfile.TemporaryDirectory() as bundle:
        subprocess.run(["runc", "spec", "--bundle", bundle], check=True)
        return (pathlib.Path(bundle) / "config.json").read_text()


TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount"
# containerd's, as of 2.1
MASKED = ["/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
          "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware",
          "/sys/devices/virtual/powercap"]
READ_ONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]
SERVICE = {
    "KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443", "KUBERNETES_SERVICE_PORT_HTTPS": "443",
    "KUBERNETES_PORT": "tcp://10.96.0.1:443", "KUBERNETES_PORT_443_TCP": "tcp://10.96.0.1:443",
    "KUBERNETES_PORT_443_TCP_PROTO": "tcp", "KUBERNETES_PORT_443_TCP_PORT": "443",
    "KUBERNETES_PORT_443_TCP_ADDR": "10.96.0.1"
}


class Profile:
    """The part of a pod's security context that matters here."""

    def __init__(self, name: str, *, uid: int = 0, capabilities: list[str] = (), seccomp: bool = False,
                 no_new_privs: bool = False, read_only: bool = False, host_users: bool = True,
                 most_processes: int = 0):
        self.name = name
        self.uid = uid
        self.capabilities = list(capabilities)
        self.seccomp = seccomp
        self.no_new_privs = no_new_privs
        self.read_only = read_only
        self.host_users = host_users
        self.most_processes = most_processes  # a node's podPidsLimit; 0 for none


UNCONFINED = Profile("default capabilities, no seccomp", capabilities=DEFAULT_CAPABILITIES)
BASELINE = Profile("default capabilities, RuntimeDefault seccomp", capabilities=DEFAULT_CAPABILITIES, seccomp=True)
RESTRICTED = Profile("restricted: non-root, no capabilities, read-only root", uid=1000, seccomp=True,
                     no_new_privs=True, read_only=True)
USERNS = Profile("hostUsers: false, default capabilities, no seccomp", capabilities=DEFAULT_CAPABILITIES,
                 host_users=False)


def projected(directory: pathlib.Path, files: dict[str, str | bytes]) -> pathlib.Path:
    """Fills DIRECTORY as a kubelet fills one with a Secret, a ConfigMap or a token: links into a directory that is
    replaced as a whole."""
    data = directory / "..2026_01_01_00_00_00.1"
    data.mkdir()
    for folder in (directory, data):
        folder.chmod(0o755)
    (directory / "..data").symlink_to(data.name)
    for name, content in files.items():
        (data / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        (directory / name).symlink_to(f"..data/{name}")
    return directory


@dataclasses.dataclass
class Mount:
    """A volume of a pod, or a part of one, where a container sees it."""

    target: str
    source: pathlib.Path | None = None  # nothing: an emptyDir
    read_only: bool = False
    volume: str = ""


class Pod:
    """One container of an image's ROOTFS, which stays as it is; its own changes go with close()."""

    def __init__(self, rootfs: pathlib.Path, directory: pathlib.Path, profile: Profile, *,
                 termination_log: str = "/dev/termination-log"):
        self.profile = profile
        self.bundle = directory / f"pod-{uuid.uuid4().hex[:8]}"
        self.root, self.node = self.bundle / "rootfs", self.bundle / "node"
        for path in (self.root, self.node, self.bundle / "upper", self.bundle / "work"):
            path.mkdir(parents=True)
        self.mounts: list[dict] = []
        self._mounted: list[pathlib.Path] = []  # on the node, in the order in which they were made
        try:
            self._mount_root(rootfs)
            self._mount_token()
            self._mount_files(termination_log)
            self.mount_memory(self.node / "shm", "1777")
            self.bind(self.node / "shm", "/dev/shm")
        except BaseException:
            self.close()
            raise

    def _mount_root(self, rootfs: pathlib.Path) -> None:
        upper, lower = self.bundle / "upper", rootfs
        upper.chmod(0o755)
        if not self.profile.host_users:
            lower = self._shifted(rootfs)
            self.bundle.parent.chmod(0o711)  # the pod's root is nobody on the node, and has to come here
            os.chown(upper, idmapped.FIRST_ID, idmapped.FIRST_ID)
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o",
                        f"lowerdir={lower},upperdir={upper},workdir={self.bundle}/work", str(self.root)], check=True)
        self._mounted.append(self.root)

    def _mount_token(self) -> None:
        volume = self.node / "token"
        self.mount_memory(volume, "1777")
        projected(volume, {"ca.crt": "-----BEGIN CERTIFICATE-----\n", "namespace": "default", "token": "a.b.c"})
        self.bind(volume, TOKEN, read_only=True)

    def _mount_files(self, termination_log: str) -> None:
        log = self.node / "termination-log"
        log.touch()
        log.chmod(0o666)
        self.bind(log, termination_log)
        for name, text in (("hosts", "# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n"),
                           ("hostname", f"{self.name}\n"), ("resolv.conf",
                                                            pathlib.Path("/etc/resolv.conf").read_text())):
            (self.node / name).write_text(text)
            self.bind(self.node / name, f"/etc/{name}",
                      read_only=self.profile.read_only and name != "hosts")

    @property
    def name(self) -> str:
        return self.bundle.name

    def mount_memory(self, place: pathlib.Path, mode: str) -> pathlib.Path:
        """A tmpfs of the node at PLACE, until close()."""
        place.mkdir(parents=True, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"mode={mode}", "tmpfs", str(place)], check=True)
        self._mounted.append(place)
        return place

    def _shifted(self, source: pathlib.Path) -> pathlib.Path:
        place = self.bundle / "shifted" / uuid.uuid4().hex[:8]
        idmapped.mount(source, place)
        self._mounted.append(place)
        return place

    def bind(self, source: pathlib.Path, target: str, *, read_only: bool = False) -> None:
        """A volume, or a file of one. It takes the place of what was to be mounted there."""
        self.mounts = [mount for mount in self.mounts if mount["destination"] != target]
        if not self.profile.host_users:
            source = self._shifted(source)
        options = ["rbind", "rprivate", "ro" if read_only else "rw"]
        self.mounts.append({"destination": target, "type": "bind", "source": str(source), "options": options})

    def image(self, source: pathlib.Path, target: str) -> None:
        """A volume of an image whose files are in SOURCE, with the options that a kubelet and containerd give it."""
        self.bind(source, target, read_only=True)
        self.mounts[-1]["options"] += ["noexec", "nosuid", "nodev"]

    def empty(self, target: str) -> pathlib.Path:
        """An emptyDir at TARGET; where the node has it."""
        place = self.node / "volumes" / target.strip("/").replace("/", "~")
        place.mkdir(parents=True)
        place.chmod(0o777)
        self.bind(place, target)
        return place

    def run(self, arguments: list[str], *, environment: dict[str, str] = {}, timeout: int = 300,
            cwd: str = "/workspace", stdin: bytes = b"") -> subprocess.CompletedProcess:
        self._write_config(arguments, environment, cwd)
        done = subprocess.run(["runc", "run", "--bundle", str(self.bundle), self.name], timeout=timeout, input=stdin,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(errors="replace"),
                                           done.stderr.decode(errors="replace"))

    def _write_config(self, arguments: list[str], environment: dict[str, str], cwd: str) -> None:
        config = json.loads(runtime_specification())
        profile = self.profile
        variables = {"PATH": "/usr/local/bin:/kaniko", "HOSTNAME": self.name, "HOME": "/root",
                     "DOCKER_CONFIG": "/kaniko/.docker/", "SSL_CERT_DIR": "/kaniko/ssl/certs", **SERVICE, **environment}
        caps = profile.capabilities
        config["hostname"] = self.name
        config["process"].update({
            "terminal": False, "args": arguments, "cwd": cwd, "user": {"uid": profile.uid, "gid": profile.uid},
            "env": [f"{name}={value}" for name, value in variables.items()], "rlimits": [],
            "noNewPrivileges": profile.no_new_privs,
            "capabilities": {"bounding": caps, "effective": caps, "permitted": caps}})
        config["root"] = {"path": "rootfs", "readonly": profile.read_only}
        own = {mount["destination"] for mount in self.mounts}
        mounts = [mount for mount in config["mounts"] if mount["destination"] not in own] + self.mounts
        config["mounts"] = sorted(mounts, key=lambda mount: mount["destination"].count("/"))
        for mount in config["mounts"]:
            if mount["destination"] == "/sys":  # without a network namespace of its own sysfs cannot be mounted
                mount.update(
                    {"type": "bind", "source": "/sys", "options": ["rbind", "nosuid", "noexec", "nodev", "ro"]})
        self._confine(config["linux"])
        (self.bundle / "config.json").write_text(json.dumps(config))

    def _confine(self, linux: dict) -> None:
        linux["maskedPaths"], linux["readonlyPaths"] = MASKED, READ_ONLY
        linux["namespaces"] = [n for n in linux["namespaces"] if n["type"] != "network"]
        if self.profile.most_processes:
            linux["resources"]["pids"] = {"limit": self.profile.most_processes}
        if self.profile.seccomp:
            linux["seccomp"] = seccomp_profile(self.profile.capabilities)
        if not self.profile.host_users:
            linux["namespaces"].append({"type": "user"})
            for ids in ("uidMappings", "gidMappings"):
                linux[ids] = [{"containerID": 0, "hostID": idmapped.FIRST_ID, "size": idmapped.IDS}]

    def close(self) -> None:
        subprocess.run(["runc", "delete", "--force", self.name], stderr=subprocess.DEVNULL, check=False)
        for place in reversed(self._mounted):
            subprocess.run(["umount", "-l", str(place)], check=False)
        shutil.rmtree(self.bundle, ignore_errors=True)

    def __enter__(self) -> "Pod":
        return self

    def __exit__(self, *_) -> None:
        self.close()
