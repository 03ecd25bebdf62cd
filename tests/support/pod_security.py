"""Kubernetes' Pod Security Standards, as far as the project's manifests touch them. All take the specification of a
whole pod, as admission does: a container that a controller adds counts like any other."""
import kubernetes

BASELINE_CAPABILITIES = {
    "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP",
    "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"
}
RESTRICTED_VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim",
                      "projected", "secret"}


def above_baseline(spec: dict) -> list[str]:
    """What Pod Security "baseline" refuses."""
    found = [f"hostPath {volume['name']}" for volume in spec.get("volumes", []) if "hostPath" in volume]
    found += [key for key in ("hostNetwork", "hostPID", "hostIPC") if spec.get(key)]
    return found + _of_containers(spec, _container_above_baseline)


def above_restricted(spec: dict) -> list[str]:
    """What "restricted" refuses."""
    found = above_baseline(spec)
    found += [f"volume {volume['name']}" for volume in spec.get("volumes", []) if not set(volume) & RESTRICTED_VOLUMES]
    return found + _of_containers(spec, _container_above_restricted)


def _of_containers(spec: dict, check) -> list[str]:
    """What CHECK says of each container, of its security context merged with the pod's."""
    shared = spec.get("securityContext", {})
    return [f"container {each['name']}: {problem}" for each in kubernetes.containers(spec)
            for problem in check({**shared, **each.get("securityContext", {})})]


def _container_above_baseline(security: dict) -> list[str]:
    found = [key for key in ("privileged",) if security.get(key)]
    found += [f"capability {name}" for name in security.get("capabilities", {}).get("add", [])
              if name not in BASELINE_CAPABILITIES]
    found += [key for key in ("seccompProfile", "appArmorProfile") if security.get(key, {}).get("type") == "Unconfined"]
    found += [f"procMount {security['procMount']}"] if security.get("procMount", "Default") != "Default" else []
    return found


def _container_above_restricted(security: dict) -> list[str]:
    found = []
    if security.get("runAsNonRoot") is not True:
        found.append("runAsNonRoot is not true")
    if security.get("runAsUser") == 0:
        found.append("runAsUser is 0")
    if security.get("allowPrivilegeEscalation") is not False:
        found.append("allowPrivilegeEscalation is not false")
    capabilities = security.get("capabilities", {})
    if capabilities.get("drop") != ["ALL"] or set(capabilities.get("add", [])) - {"NET_BIND_SERVICE"}:
        found.append("capabilities are not dropped")
    if security.get("seccompProfile", {}).get("type") not in ("RuntimeDefault", "Localhost"):
        found.append("no seccompProfile")
    return found
