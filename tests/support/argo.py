"""What Argo's controller makes of a template: parameters put in, a container to run, files that become outputs.

Knows the subset that this project's manifests use, and refuses everything else."""
import copy
import dataclasses
import pathlib
import re

import yaml

import kubernetes
from pod import Mount

VARIABLE = re.compile(r"\{\{(.*?)\}\}")
GLOBALS = {"workflow.namespace", "workflow.name", "workflow.uid"}


class Invalid(Exception):
    """A manifest that Argo would refuse."""


def variables_in(value) -> set[str]:
    """Every {{variable}} in a part of a manifest."""
    if isinstance(value, dict):
        return set().union(*map(variables_in, value.values()))
    if isinstance(value, list):
        return set().union(*map(variables_in, value))
    return {text.strip() for text in VARIABLE.findall(value)} if isinstance(value, str) else set()


def substitute(value, values: dict[str, str]):
    """VALUE with all variables replaced. @raises Invalid for one that there is not"""
    if isinstance(value, dict):
        return {key: substitute(item, values) for key, item in value.items()}
    if isinstance(value, list):
        return [substitute(item, values) for item in value]
    if not isinstance(value, str):
        return value

    def put(match: re.Match) -> str:
        if match[1].strip() not in values:
            raise Invalid(f"{{{{{match[1]}}}}} means nothing")
        return values[match[1].strip()]
    return VARIABLE.sub(put, value)


def names(entries: list[dict] | None) -> list[str]:
    return [entry["name"] for entry in entries or []]


@dataclasses.dataclass
class Container:
    """The main container of a template's pod, and what it leaves."""

    words: list[str]
    environment: dict[str, str]
    directory: str
    mounts: list[Mount]
    security: dict
    outputs: dict[str, str] # parameter: file


def template_of(document: dict, name: str) -> dict:
    return next(template for template in document["spec"]["templates"] if template["name"] == name)


def input_values(template: dict, given: dict[str, str]) -> dict[str, str]:
    inputs = template.get("inputs", {})
    unknown = set(given) - set(names(inputs.get("parameters")))
    if unknown:
        raise Invalid(f"{template['name']} takes no {sorted(unknown)}")
    values = {}
    for parameter in inputs.get("parameters", []):
        value = given.get(parameter["name"], parameter.get("value"))
        if not isinstance(value, str):
            raise Invalid(f"parameter {parameter['name']} of {template['name']}: {value!r}")
        if value not in parameter.get("enum", [value]):
            raise Invalid(f"parameter {parameter['name']}: {value!r} is none of {parameter['enum']}")
        values[f"inputs.parameters.{parameter['name']}"] = value
    return values


def global_values(workflow: dict) -> dict[str, str]:
    """What variables of a workflow with that specification stand for."""
    given = workflow.get("arguments", {}).get("parameters", [])
    return {**dict.fromkeys(GLOBALS, "x"), **{f"workflow.parameters.{each['name']}": each["value"] for each in given}}


def merge(patch, into):
    """A strategic merge, for lists whose elements have names and for objects."""
    if isinstance(into, dict) and isinstance(patch, dict):
        return {**into, **{key: merge(value, into.get(key)) for key, value in patch.items()}}
    if isinstance(into, list) and isinstance(patch, list) and all(isinstance(each, dict) for each in patch):
        key = "mountPath" if patch and "mountPath" in patch[0] else "name"
        known = {each[key]: each for each in into}
        return list({**known, **{each[key]: merge(each, known.get(each[key], {})) for each in patch}}.values())
    return patch


def pod_of(template: dict, given: dict[str, str], workflow: dict | None = None) -> dict:
    """The specification of a template's pod, in a workflow with that specification: the main container, and what the
    controller adds to it. @raises Invalid"""
    workflow = workflow or {}
    body = substitute(copy.deepcopy(template), {**global_values(workflow), **input_values(template, given)})
    executor = {**workflow.get("executor", {}), **body.get("executor", {})}.get("serviceAccountName")
    automount = body.get("automountServiceAccountToken", workflow.get("automountServiceAccountToken", True))
    if not automount and not executor:
        raise Invalid("executor.serviceAccountName must not be empty if automountServiceAccountToken is false")
    argo = [{"name": "var-run-argo", "mountPath": "/var/run/argo"}]
    # The executor's token is for its own containers alone.
    own = argo + ([{"name": "exec-sa-token", "mountPath": kubernetes.TOKEN, "readOnly": True}] if executor else [])
    inputs = [{"name": "input-artifacts", "mountPath": artifact["path"], "subPath": artifact["name"]}
              for artifact in body.get("inputs", {}).get("artifacts", []) if "path" in artifact]
    main = {"name": "main", **body["container"]}
    main["volumeMounts"] = main.get("volumeMounts", []) + inputs + argo
    pod = {"restartPolicy": "Never", "serviceAccountName": workflow.get("serviceAccountName", "default"),
           "automountServiceAccountToken": automount,
           "securityContext": body.get("securityContext", workflow.get("securityContext", {})),
           "volumes": [{"name": "var-run-argo", "emptyDir": {}}, {"name": "input-artifacts", "emptyDir": {}},
                       *([{"name": "exec-sa-token", "secret": {"secretName": f"{executor}.service-account-token"}}]
                         if executor else []), *workflow.get("volumes", []), *body.get("volumes", [])],
           "initContainers": [{"name": "init", "image": "argoexec", "volumeMounts": list(own)}],
           "containers": [{"name": "wait", "image": "argoexec", "volumeMounts": list(own)}, main]}
    for patch in (workflow.get("podSpecPatch", "{}"), body.get("podSpecPatch", "{}")):
        pod = merge(yaml.safe_load(patch), pod)
    wrong = [each["name"] for each in kubernetes.containers(pod) if "image" not in each]
    if wrong:
        raise Invalid(f"the patch makes containers {wrong}")
    kubernetes.with_defaults(pod)
    return pod


def render(template: dict, given: dict[str, str], sources: dict[str, pathlib.Path] | None = None,
           workflow: dict | None = None) -> Container:
    """SOURCES: where artifacts and volumes are, by name. A Secret and a ConfigMap that are not there stay empty."""
    pod = pod_of(template, given, workflow)
    body = substitute(copy.deepcopy(template), {**global_values(workflow or {}), **input_values(template, given)})
    main = next(each for each in pod["containers"] if each["name"] == "main")
    if "command" not in main:
        raise Invalid(f"{template['name']} has no command: Argo would ask the registry for one")
    sources, mounts = sources or {}, []
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    for mount in main["volumeMounts"]:
        if mount["name"] in ("var-run-argo", "input-artifacts", "kube-api-access"):
            continue
        volume = volumes[mount["name"]]
        source = sources.get(mount["name"])
        optional = any(volume.get(kind, {}).get("optional") for kind in ("secret", "configMap"))
        if source is None and "emptyDir" not in volume and not optional:
            raise Invalid(f"volume {mount['name']} is nowhere")
        if source is not None and mount.get("subPath"):
            source = source / mount["subPath"]
        mounts.append(Mount(mount["mountPath"], source, mount.get("readOnly", False), mount["name"]))
    for artifact in body.get("inputs", {}).get("artifacts", []):
        if artifact["name"] in sources:
            mounts.append(Mount(artifact["path"], sources[artifact["name"]]))
        elif not artifact.get("optional"):
            raise Invalid(f"artifact {artifact['name']} is not given")
    outputs = {each["name"]: each["valueFrom"]["path"] for each in body.get("outputs", {}).get("parameters", [])}
    return Container(main["command"] + main.get("args", []), {e["name"]: e["value"] for e in main.get("env", [])},
                     main.get("workingDir", "/"), mounts,
                     {**{key: value for key, value in pod["securityContext"].items() if key != "fsGroup"},
                      **main.get("securityContext", {})}, outputs)


def inner_steps(template: dict) -> list[dict]:
    """The tasks of a DAG, or all steps."""
    if "dag" in template:
        return template["dag"]["tasks"]
    return [step for group in template.get("steps", []) for step in group]


def check_template(template: dict, siblings: dict[str, dict], library: dict[str, dict],
                   globals_: set[str]) -> list[str]:
    """What `argo lint`, or a reviewer, would complain about. LIBRARY: templates of installed WorkflowTemplates."""
    found = []
    inputs, outputs = template.get("inputs", {}), template.get("outputs", {})
    known = {f"inputs.parameters.{name}" for name in names(inputs.get("parameters"))}
    known |= {f"inputs.artifacts.{name}" for name in names(inputs.get("artifacts"))} | globals_ | GLOBALS
    kind = "tasks" if "dag" in template else "steps"
    for step in inner_steps(template):
        target = library.get(step["templateRef"]["template"]) if "templateRef" in step else siblings.get(
            step["template"])
        if target is None:
            found.append(f"no template {step}")
            continue
        known |= {f"{kind}.{step['name']}.outputs.parameters.{name}"
                  for name in names(target.get("outputs", {}).get("parameters"))}
        known |= {"item"} if "withParam" in step else set()
        taken = target.get("inputs", {})
        for part, has_default in (("parameters", "value"), ("artifacts", "optional")):
            given = names(step.get("arguments", {}).get(part))
            found += [f"{step['name']}: {target['name']} takes no {name}" for name in given
                      if name not in names(taken.get(part))]
            found += [f"{step['name']}: {target['name']} needs {each['name']}" for each in taken.get(part, [])
                      if has_default not in each and each["name"] not in given]
    if "memoize" in template and "steps" in template:
        found.append("Argo 4.0 remembers no outputs of steps: make it a dag")
    used = variables_in({key: value for key, value in template.items() if key != "inputs"})
    found += [f"{{{{{name}}}}} means nothing" for name in sorted(used - known)]
    found += [f"parameter {name} is used nowhere" for name in names(inputs.get("parameters"))
              if f"inputs.parameters.{name}" not in used]
    found += [f"artifact {each['name']} is used nowhere" for each in inputs.get("artifacts", [])
              if "path" not in each and f"inputs.artifacts.{each['name']}" not in used]
    if "container" in template:
        mounted = names(template["container"].get("volumeMounts"))
        found += [f"volume {name} is not mounted" for name in names(template.get("volumes")) if name not in mounted]
        found += [f"volume {name} does not exist" for name in mounted if name not in names(template.get("volumes"))]
        found += [] if "command" in template["container"] else ["no command"]
        found += [f"output {each['name']} has no default" for each in outputs.get("parameters", [])
                  if "default" not in each["valueFrom"]]
    return [f"{template['name']}: {each}" for each in found]
