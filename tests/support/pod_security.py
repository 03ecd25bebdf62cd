"""Kubernetes' Pod Security Standards, as far as the project's manifests touch them."""

BASELINE_CAPABILITIES = {"AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE",
                         "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"}
RESTRICTED_VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim",
                      "projected", "secret"}


def above_baseline(security: dict, volumes: list[dict]) -> list[str]:
    """What Pod Security "baseline" refuses."""
    found = [key for key in ("privileged",) if security.get(key)]
    found += [f"capability {name}" for name in security.get("capabilities", {}).get("add", [])
              if name not in BASELINE_CAPABILITIES]
    found += [key for key in ("seccompProfile", "appArmorProfile") if security.get(key, {}).get("type") == "Unconfined"]
    found += [f"procMount {security['procMount']}"] if security.get("procMount", "Default") != "Default" else []
    found += [f"hostPath {volume['name']}" for volume in volumes if "hostPath" in volume]
    return found


def above_restricted(security: dict, volumes: list[dict]) -> list[str]:
    """What "restricted" refuses; SECURITY is the pod's and the container's merged."""
    found = above_baseline(security, volumes)
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
    found += [f"volume {volume['name']}" for volume in volumes if not set(volume) & RESTRICTED_VOLUMES]
    return found
