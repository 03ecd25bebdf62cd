"""A container as a pod would run it: runc with the capabilities, the seccomp profile and the mounts that a
kubelet's runtime gives, on a root file system that is an overlay, as it is on a node."""
import json
import os
import pathlib
import shutil
import subprocess
import uuid

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


class Profile:
    """The part of a pod's security context that matters here."""

    def __init__(self, name: str, *, uid: int = 0, capabilities: list[str] = (), seccomp: bool = False,
                 no_new_privs: bool = False, read_only: bool = False):
        self.name = name
        self.uid = uid
        self.capabilities = list(capabilities)
        self.seccomp = seccomp
        self.no_new_privs = no_new_privs
        self.read_only = read_only


UNCONFINED = Profile("default capabilities, no seccomp", capabilities=DEFAULT_CAPABILITIES)
BASELINE = Profile("default capabilities, RuntimeDefault seccomp", capabilities=DEFAULT_CAPABILITIES, seccomp=True)
RESTRICTED = Profile("restricted: non-root, no capabilities, read-only root", uid=1000, seccomp=True,
                     no_new_privs=True, read_only=True)


class Pod:
    """One container of an image's ROOTFS, which stays as it is; its own changes go with close()."""

    def __init__(self, rootfs: pathlib.Path, directory: pathlib.Path, profile: Profile, *, service_account: bool = True):
        """Without SERVICE_ACCOUNT its token is not mounted, as under automountServiceAccountToken: false."""
        self.profile = profile
        self.bundle = directory / f"pod-{uuid.uuid4().hex[:8]}"
        self.root = self.bundle / "rootfs"
        for name in ("rootfs", "upper", "work", "serviceaccount"):
            (self.bundle / name).mkdir(parents=True)
        os.chmod(self.bundle / "upper", 0o755)
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o",
                        f"lowerdir={rootfs},upperdir={self.bundle}/upper,workdir={self.bundle}/work",
                        str(self.root)], check=True)
        self.mounts = []
        self._name_service()
        if service_account:
            self.bind(self.bundle / "serviceaccount", "/var/run/secrets/kubernetes.io/serviceaccount", read_only=True)

    def _name_service(self) -> None:
        for name in ("resolv.conf", "hosts", "hostname"):
            copy = self.bundle / name
            source = pathlib.Path("/etc") / name
            copy.write_bytes(source.read_bytes() if source.exists() else b"")
            self.bind(copy, f"/etc/{name}")

    def bind(self, source: pathlib.Path, target: str, *, read_only: bool = False) -> None:
        options = ["rbind", "ro" if read_only else "rw"]
        self.mounts.append({"destination": target, "type": "bind", "source": str(source), "options": options})

    def run(self, arguments: list[str], *, environment: dict[str, str] = {}, timeout: int = 300,
            cwd: str = "/workspace", stdin: bytes = b"") -> subprocess.CompletedProcess:
        self._write_config(arguments, environment, cwd)
        name = self.bundle.name
        done = subprocess.run(["runc", "run", "--bundle", str(self.bundle), name], timeout=timeout, input=stdin,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(errors="replace"),
                                           done.stderr.decode(errors="replace"))

    def _write_config(self, arguments: list[str], environment: dict[str, str], cwd: str) -> None:
        subprocess.run(["runc", "spec", "--bundle", str(self.bundle)], check=True)
        path = self.bundle / "config.json"
        config = json.loads(path.read_text())
        path.unlink()
        profile = self.profile
        variables = {"PATH": "/usr/local/bin:/kaniko", "HOME": "/root", "DOCKER_CONFIG": "/kaniko/.docker/",
                     "SSL_CERT_DIR": "/kaniko/ssl/certs", **environment}
        caps = profile.capabilities
        config["process"].update({
            "terminal": False, "args": arguments, "cwd": cwd, "user": {"uid": profile.uid, "gid": profile.uid},
            "env": [f"{name}={value}" for name, value in variables.items()], "rlimits": [],
            "noNewPrivileges": profile.no_new_privs,
            "capabilities": {"bounding": caps, "effective": caps, "permitted": caps}})
        config["root"] = {"path": "rootfs", "readonly": profile.read_only}
        config["mounts"] = [m for m in config["mounts"] if m["destination"] != "/sys/fs/cgroup"] + self.mounts
        for mount in config["mounts"]:
            if mount["destination"] == "/sys":  # without a network namespace of its own sysfs cannot be mounted
                mount.update({"type": "bind", "source": "/sys", "options": ["rbind", "ro"]})
        linux = config["linux"]
        linux["namespaces"] = [n for n in linux["namespaces"] if n["type"] not in ("network", "cgroup")]
        linux.pop("resources", None)
        if profile.seccomp:
            linux["seccomp"] = seccomp_profile(caps)
        path.write_text(json.dumps(config))

    def close(self) -> None:
        subprocess.run(["runc", "delete", "--force", self.bundle.name], stderr=subprocess.DEVNULL, check=False)
        subprocess.run(["umount", "-l", str(self.root)], check=False)
        shutil.rmtree(self.bundle, ignore_errors=True)

    def __enter__(self) -> "Pod":
        return self

    def __exit__(self, *_) -> None:
        self.close()
