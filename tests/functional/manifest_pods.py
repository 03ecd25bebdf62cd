"""The pods that manifests make, with what the controllers add, and the rules that all of them keep."""
import argo
import kubernetes
import manifests
import pod_security
import tekton

ARGO_OWN = ("init", "wait")


def pods(document: dict, *, set_security_context: bool = True) -> list[dict]:
    """The specification of every pod of a manifest that the project's own templates determine.
    @raises Invalid what the controllers would not start"""
    kind, spec = document["kind"], document["spec"] if "spec" in document else {}
    if kind in ("Pod", "Job", "CronJob"):
        return [kubernetes.pod_spec(document)]
    if document["apiVersion"].startswith("argoproj.io/"):
        return [argo.pod_of(*call) for call in argo_calls(spec.get("workflowSpec", spec))]
    return [tekton.pod_of(run, task, manifests.step_actions(), set_security_context=set_security_context)
            for task, run in tekton_runs(kind, spec, document)]


def tekton_runs(kind: str, spec: dict, document: dict) -> list[tuple[dict, dict]]:
    """(Task, TaskRun's specification); a Task is run with nothing that it can do without."""
    tasks = manifests.tasks()
    if kind == "Task":
        params = [{"name": param["name"], "value": ["x"] if param.get("type") == "array" else "x"}
                  for param in spec.get("params", []) if "default" not in param]
        bound = [{"name": each["name"], "emptyDir": {}} for each in spec.get("workspaces", [])
                 if not each.get("optional")]
        return [(document, {"params": params, "workspaces": bound})]
    if kind == "TaskRun":
        return [(tasks[reference_name(spec["taskRef"])], spec)]
    if kind == "PipelineRun":
        pipeline = spec.get("pipelineSpec") or manifests.catalog("Pipeline")[reference_name(
            spec["pipelineRef"])]["spec"]
        return [(tasks[name], run) for name, run in tekton.task_runs_of(spec, pipeline)]
    return []


def reference_name(reference: dict) -> str:
    """What a taskRef or pipelineRef means, by its name or through the resolver of bundles."""
    return reference.get("name") or next(each["value"] for each in reference["params"] if each["name"] == "name")


def argo_calls(spec: dict) -> list[tuple[dict, dict, dict]]:
    """(template, parameters, workflow's specification) of the templates that make pods of the main image."""
    library = {each["name"]: each for each in manifests.catalog("WorkflowTemplate")["cairn"]["spec"]["templates"]}
    given = {each["name"]: each["value"] for each in spec.get("arguments", {}).get("parameters", [])}
    own = {each["name"]: each for each in spec.get("templates", [])}
    if "workflowTemplateRef" in spec:
        return leaves(library[spec.get("entrypoint", "build")], given, library, library, spec)
    return [call for template in own.values() for call in leaves(template, {}, own, library, spec)]


def leaves(template: dict, given: dict, siblings: dict, library: dict, spec: dict) -> list[tuple[dict, dict, dict]]:
    """The same for one template; what is handed on between templates counts as an "x"."""
    if "container" in template:
        needed = {each["name"]: "x" for each in template.get("inputs", {}).get("parameters", []) if "value" not in each}
        return [(template, {**needed, **given}, spec)]
    found = []
    for step in argo.inner_steps(template):
        if "templateRef" in step:
            found += leaves(library[step["templateRef"]["template"]], {}, library, library, spec)
        else:
            found += leaves(siblings[step["template"]], {}, siblings, library, spec)
    return found


def builders(pod: dict) -> list[dict]:
    """The containers that build, or fill a cache."""
    found = []
    for each in pod["containers"]:
        words = [*each.get("command", ["/kaniko/executor"]), *each.get("args", [])]
        if "/cairn" in each["image"] and words[0] in ("/kaniko/executor", "/kaniko/warmer") and words[1:2] != ["index"]:
            found.append(each)
    return found


def above_level(path: str, pod: dict) -> list[str]:
    """What Pod Security refuses: "restricted" for what is called so, as for single containers that say they are."""
    if "restricted" in path:
        return pod_security.above_restricted(pod)
    strict = [each for each in pod["containers"] if each.get("securityContext", {}).get("runAsNonRoot") is True]
    alone = {**pod, "initContainers": [], "containers": strict}
    return pod_security.above_baseline(pod) + (pod_security.above_restricted(alone) if strict else [])


def tokens_seen(pod: dict) -> list[str]:
    """The containers that an account's token is mounted in although they have no use for it."""
    return [
        each["name"] for each in kubernetes.containers(pod)
        if kubernetes.sees_token(each) and each["name"] not in ARGO_OWN
    ]


def misplaced(pod: dict) -> list[str]:
    """Where a build would meet the pod's own mounts, or changes what it is to read."""
    found = []
    for each in builders(pod):
        mounts = {mount["name"]: mount for mount in each["volumeMounts"]}
        source = mounts.get("source") or mounts.get("input-artifacts") or {}
        if "mountPath" in source and not source["mountPath"].startswith("/kaniko/"):
            found.append(f"the source is at {source['mountPath']}, where Dockerfiles work")
        if not any(mount["mountPath"] == "/kaniko/work" for mount in mounts.values()):
            found.append("no volume at /kaniko/work")
    return found
