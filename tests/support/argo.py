"""What Argo's controller makes of a template: parameters put in, a container to run, files that become outputs.

Knows the subset that this project's manifests use, and refuses everything else."""
import copy
import dataclasses
import pathlib
import re

import yaml

from pod import Mount

VARIABLE = re.compile(r"\{\{(.*?)\}\}")


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


def merge(patch, into):
    """A strategic merge, for lists whose elements have names and for objects."""
    if isinstance(into, dict) and isinstance(patch, dict):
        return {**into, **{key: merge(value, into.get(key)) for key, value in patch.items()}}
    if isinstance(into, list) and isinstance(patch, list) and all(isinstance(each, dict) for each in patch):
        key = "mountPath" if patch and "mountPath" in patch[0] else "name"
        known = {each[key]: each for each in into}
        return list({**known, **{each[key]: merge(each, known.get(each[key], {})) for each in patch}}.values())
    return patch


def render(template: dict, given: dict[str, str], sources: dict[str, pathlib.Path] | None = None) -> Container:
    """SOURCES: where artifacts and volumes are, by name. A Secret and a ConfigMap that are not there stay empty."""
    values = input_values(template, given)
    body = substitute(copy.deepcopy(template), values)
    pod = {"volumes": body.get("volumes", []), "containers": [{"name": "main", **body["container"]}]}
    pod = merge(yaml.safe_load(body.get("podSpecPatch", "{}")), pod)
    main = pod["containers"][0]
    if "command" not in main:
        raise Invalid(f"{template['name']} has no command: Argo would ask the registry for one")
    sources, mounts = sources or {}, []
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    for mount in main.get("volumeMounts", []):
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
                     {**body.get("securityContext", {}), **main.get("securityContext", {})}, outputs)


def inner_steps(template: dict) -> list[dict]:
    """The tasks of a DAG, or all steps."""
    if "dag" in template:
        return template["dag"]["tasks"]
    return [step for group in template.get("steps", []) for step in group]


def check_template(template: dict, siblings: dict[str, dict], library: dict[str, dict], globals_: set[str]) -> list[str]:
    """What `argo lint`, or a reviewer, would complain about. LIBRARY: templates of installed WorkflowTemplates."""
    found = []
    inputs, outputs = template.get("inputs", {}), template.get("outputs", {})
    known = {f"inputs.parameters.{name}" for name in names(inputs.get("parameters"))}
    known |= {f"inputs.artifacts.{name}" for name in names(inputs.get("artifacts"))} | globals_
    kind = "tasks" if "dag" in template else "steps"
    for step in inner_steps(template):
        target = library.get(step["templateRef"]["template"]) if "templateRef" in step else siblings.get(step["template"])
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
