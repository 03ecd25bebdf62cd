"""Pods and Jobs without any pipeline system."""
import pathlib

from support import expect

import container_support as containers
import tekton


class Started:
    """The one container of a Pod or Job, with VOLUMES in place of its claims and Secrets."""

    def __init__(self, world, document: dict, volumes: dict[str, pathlib.Path], stdin: bytes = b"", **how):
        spec = document["spec"]
        while "containers" not in spec:
            spec = spec.get("template", spec.get("jobTemplate"))["spec"]
        body = spec["containers"][0]
        self.log = world.directory / world.new_name("termination-log")
        self.log.touch(mode=0o666)
        self.log.chmod(0o666)
        mounts = [tekton.Mount(mount["mountPath"], volumes.get(mount["name"]),
                               mount.get("readOnly", False) or "secret" in self._volume(spec, mount), mount["name"])
                  for mount in body.get("volumeMounts", [])]
        pod = {key: value for key, value in spec.get("securityContext", {}).items() if key != "fsGroup"}
        words = [word.replace("registry.example.com", world.host) for word in body.get("args", [])]
        done = containers.run(world, [*body.get("command", ["/kaniko/executor"]), *words],
                              security={**pod, **body.get("securityContext", {})}, environment={},
                              directory="/workspace", mounts=[*mounts,
                                                              tekton.Mount("/dev/termination-log", self.log)],
                              volumes=containers.Volumes(world), stdin=stdin, **how)
        self.status, self.said = done.returncode, done.stdout + done.stderr

    @staticmethod
    def _volume(spec: dict, mount: dict) -> dict:
        return next(volume for volume in spec["volumes"] if volume["name"] == mount["name"])

    def succeeded(self) -> "Started":
        expect(self.status == 0, f"exit status {self.status}: {self.said[-2500:]}")
        return self
