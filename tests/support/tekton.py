"""What Tekton's controller makes of a Task: parameters, workspaces and results put in, steps as containers.

Knows the subset that this project's manifests use, and refuses everything else: a manifest that renders here uses no
variable that does not exist, in no field where Tekton would leave it as it is."""
import dataclasses
import itertools
import json
import pathlib
import re

import yaml

import kubernetes
from pod import Mount

VARIABLE = re.compile(r"\$\(([^()]*)\)")
MESSAGE_LIMIT = 4096 # bytes of a termination message
MINUTES = 60 # of a TaskRun, unless it says another timeout
# What the feature flag set-security-context gives to Tekton's own containers.
OWN_SECURITY = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "runAsNonRoot": True,
                "seccompProfile": {"type": "RuntimeDefault"}}


class Invalid(Exception):
    """A manifest that Tekton would refuse."""


def parse(text: str) -> list:
    """The documents of a text: with libyaml that takes a tenth of the time, where PyYAML has it."""
    return [
        document for document in yaml.load_all(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)) if document
    ]


def load(path: pathlib.Path) -> list[dict]:
    return parse(path.read_text())


def names(entries: list[dict] | None) -> list[str]:
    return [entry["name"] for entry in entries or []]


def variables_in(value) -> set[str]:
    """Every $(variable) in a part of a manifest."""
    if isinstance(value, dict):
        return set().union(*map(variables_in, value.values()), *map(variables_in, value.keys()))
    if isinstance(value, list):
        return set().union(*map(variables_in, value))
    return set(VARIABLE.findall(value)) if isinstance(value, str) else set()


class Values:
    """What variables stand for, and which of them were asked for."""

    def __init__(self, texts: dict[str, str], lists: dict[str, list[str]]):
        self.texts, self.lists = texts, lists
        self.used: set[str] = set()

    def text(self, template: str) -> str:
        def put(match: re.Match) -> str:
            name = match[1]
            if name not in self.texts:
                raise Invalid(f"$({name}) means nothing in '{template}'")
            self.used.add(name)
            return self.texts[name]
        return VARIABLE.sub(put, template)

    def words(self, templates: list[str]) -> list[str]:
        """Elements that are $(params.LIST[*]) and nothing else become the list."""
        out = []
        for template in templates:
            whole = VARIABLE.fullmatch(template)
            if whole and whole[1] in self.lists:
                self.used.add(whole[1])
                out += self.lists[whole[1]]
            else:
                out.append(self.text(template))
        return out


def parameter_values(specs: list[dict], given: dict, prefix: str = "params.") -> tuple[dict, dict]:
    """The texts and the lists that parameters stand for."""
    texts, lists = {}, {}
    unknown = set(given) - set(names(specs))
    if unknown:
        raise Invalid(f"no parameters {sorted(unknown)}")
    for spec in specs:
        name, value = spec["name"], given.get(spec["name"], spec.get("default"))
        if value is None:
            raise Invalid(f"parameter {name} has neither value nor default")
        is_list = spec.get("type", "string") == "array"
        if is_list != isinstance(value, list) or not all(isinstance(v, str) for v in (value if is_list else [value])):
            raise Invalid(f"parameter {name} is a {spec.get('type', 'string')}, not {value!r}")
        if is_list:
            lists[f"{prefix}{name}[*]"] = value
        else:
            texts[f"{prefix}{name}"] = value
    return texts, lists


@dataclasses.dataclass
class Step:
    """A step as the container that the pod gets."""

    name: str
    image: str
    words: list[str]
    environment: dict[str, str]
    directory: str
    mounts: list[Mount]
    security: dict


class Rendered:
    """A Task with its parameters and workspaces; its steps are made one after the other, as results come."""

    def __init__(self, task: dict, params: dict | None = None, workspaces: dict[str, pathlib.Path] | None = None,
                 step_actions: dict[str, dict] | None = None):
        self.spec, self.actions = task["spec"], step_actions or {}
        self.bound = workspaces or {}
        self.step_results: dict[str, str] = {}
        texts, lists = parameter_values(self.spec.get("params", []), params or {})
        for workspace in self.spec.get("workspaces", []):
            name = workspace["name"]
            is_bound = name in self.bound
            if not is_bound and not workspace.get("optional"):
                raise Invalid(f"workspace {name} is not bound")
            path = workspace.get("mountPath", f"/workspace/{name}")
            texts[f"workspaces.{name}.path"] = path if is_bound else ""
            texts[f"workspaces.{name}.bound"] = "true" if is_bound else "false"
        for name in names(self.spec.get("results")):
            texts[f"results.{name}.path"] = f"/tekton/results/{name}"
        texts["credentials.path"] = "/tekton/creds"
        self.values = Values(texts, lists)
        unknown = set(self.bound) - set(names(self.spec.get("workspaces")))
        if unknown:
            raise Invalid(f"no workspaces {sorted(unknown)}")

    def steps(self) -> list[Step]:
        return [self._step(step) for step in self.spec["steps"]]

    def result(self, name: str, files: dict[str, str]) -> str:
        """A result: what is in its file, or what it says of a step's."""
        spec = next(each for each in self.spec["results"] if each["name"] == name)
        if "value" not in spec:
            return files[f"/tekton/results/{name}"]
        match = re.fullmatch(r"\$\(steps\.([^.]+)\.results\.([^.]+)\)", spec["value"])
        return files[f"/tekton/steps/step-{match[1]}/results/{match[2]}"]

    def _step(self, step: dict) -> Step:
        template = self.spec.get("stepTemplate", {})
        if "script" in step or ("command" not in step and "ref" not in step):
            raise Invalid(f"step {step['name']} has no command: Tekton would ask the registry for one")
        values, body = self.values, step
        if "ref" in step:
            values, body = self._action(step)
        environment = {}
        for entry in template.get("env", []) + body.get("env", []):
            environment[values.text(entry["name"])] = values.text(entry["value"])
        mounts = self._volumes(template, self.values) + self._volumes(body, values) + self._workspaces(step)
        return Step(step["name"], values.text(body["image"]), values.words(body["command"] + body.get("args", [])),
                    environment, values.text(body.get("workingDir", "")), mounts,
                    {**step.get("securityContext", {}), **body.get("securityContext", {})})

    def _action(self, step: dict) -> tuple[Values, dict]:
        body = self.actions[step["ref"]["name"]]["spec"]
        given = {}
        for param in step.get("params", []):
            value = param["value"]
            given[param["name"]] = self.values.words(value) if isinstance(value, list) else self._param(value)
        texts, lists = parameter_values(body.get("params", []), given)
        for name in names(body.get("results")):
            texts[f"step.results.{name}.path"] = f"/tekton/steps/step-{step['name']}/results/{name}"
        return Values(texts, lists), body

    def _param(self, value: str):
        whole = VARIABLE.fullmatch(value)
        if whole and whole[1] in self.values.lists:
            return self.values.words([value])
        return self.values.text(value)

    def _volumes(self, body: dict, values: Values) -> list[Mount]:
        mounts = []
        for mount in body.get("volumeMounts", []):
            volume = next((v for v in self.spec.get("volumes", []) if v["name"] == mount["name"]), None)
            if volume is None or set(volume) not in ({"name", "emptyDir"}, {"name", "image"}):
                raise Invalid(f"no emptyDir or image '{mount['name']}'")
            mounts.append(Mount(values.text(mount["mountPath"]), read_only="image" in volume, volume=mount["name"]))
        return mounts

    def _workspaces(self, step: dict) -> list[Mount]:
        """A workspace that a step lists is mounted in the steps that list it, others in all."""
        listed = {usage["name"] for each in self.spec["steps"] for usage in each.get("workspaces", [])}
        own = {usage["name"]: usage["mountPath"] for usage in step.get("workspaces", [])}
        mounts = []
        for workspace in self.spec.get("workspaces", []):
            name = workspace["name"]
            if name not in self.bound or (name in listed and name not in own):
                continue
            path = own.get(name) or workspace.get("mountPath", f"/workspace/{name}")
            mounts.append(Mount(path, self.bound[name], workspace.get("readOnly", False), name))
        return mounts


def check_task(task: dict, step_actions: dict[str, dict]) -> list[str]:
    """What Tekton's webhook, or a reviewer, would complain about."""
    spec, found = task["spec"], []
    given = {param["name"]: ["x"] if param.get("type") == "array" else "x" for param in spec.get("params", [])}
    for bound in (set(), set(names(spec.get("workspaces")))):
        required = {w["name"] for w in spec.get("workspaces", []) if not w.get("optional")}
        try:
            rendered = Rendered(task, given, {name: pathlib.Path("/") for name in bound | required}, step_actions)
            steps = rendered.steps()
        except (Invalid, KeyError, StopIteration) as error:
            return [f"{type(error).__name__} {error}"]
    used = {variable.removesuffix("[*]") for variable in rendered.values.used}
    found += [f"parameter {name} is used nowhere" for name in given if f"params.{name}" not in used]
    said = used | variables_in([result.get("value", "") for result in spec.get("results", [])])
    found += [f"result {r['name']} is written nowhere" for r in spec.get("results", [])
              if "value" not in r and f"results.{r['name']}.path" not in said]
    isolated = {usage["name"] for step in spec["steps"] for usage in step.get("workspaces", [])}
    found += [f"workspace {name} is used nowhere" for name in names(spec.get("workspaces"))
              if f"workspaces.{name}.path" not in used and name not in isolated]
    mounted = {mount.volume for step in steps for mount in step.mounts}
    found += [f"volume {name} is mounted nowhere" for name in names(spec.get("volumes")) if name not in mounted]
    if any("$(" in step.get("script", "") for step in spec["steps"]):
        found.append("a script holds a variable")
    return found


def fan_out(matrix: dict, values: Values) -> list[dict[str, str]]:
    """The parameters of each TaskRun of a matrix."""
    axes = [[(param["name"], value) for value in values.words(
        param["value"] if isinstance(param["value"], list) else [param["value"]])] for param in matrix["params"]]
    return [dict(combination) for combination in itertools.product(*axes)]


def termination_message(results: dict[str, str]) -> str:
    """What a step that has written RESULTS leaves for the controller. @raises Invalid as the entrypoint does, which
    then fails the step"""
    found = [{"key": "StartedAt", "value": "2026-01-01T00:00:00.000Z", "type": 3}]
    found += [{"key": name, "value": value, "type": 1} for name, value in results.items()]
    message = json.dumps(found, separators=(",", ":"))
    if len(message) > MESSAGE_LIMIT:
        raise Invalid(f"Termination message is above max allowed size {MESSAGE_LIMIT}, caused by large task result.")
    return message


def check_claims(run: dict) -> None:
    """One volume claim for each TaskRun, as the affinity assistant wants it where nobody turned it off. @raises
    Invalid"""
    claims = {workspace["persistentVolumeClaim"]["claimName"] for workspace in run.get("workspaces", [])
              if "persistentVolumeClaim" in workspace}
    made = [workspace for workspace in run.get("workspaces", []) if "volumeClaimTemplate" in workspace]
    if len(claims) + len(made) > 1:
        raise Invalid("more than one PersistentVolumeClaim is bound")


def pod_of(run: dict, task: dict, step_actions: dict[str, dict], *, set_security_context: bool = False) -> dict:
    """The specification of a TaskRun's pod: its steps and what the controller adds. @raises Invalid"""
    check_claims(run)
    params = {param["name"]: param["value"] for param in run.get("params", [])}
    bound = {name: pathlib.Path("/") for name in names(run.get("workspaces"))}
    rendered = Rendered(task, params, bound, step_actions)
    steps = rendered.steps()
    own = {"image": "tekton", **({"securityContext": OWN_SECURITY} if set_security_context else {})}
    first = [{"name": "prepare", **own}]
    if any(step.directory and (not step.directory.startswith("/") or step.directory.startswith("/workspace/"))
           for step in steps):
        first.append({"name": "working-dir-initializer", **own})
    implicit = [{"name": f"tekton-internal-{path.rpartition('/')[2]}", "mountPath": path}
                for path in ("/workspace", "/tekton/home", "/tekton/results", "/tekton/steps", "/tekton/run/0")]
    volumes = [{"name": mount["name"], "emptyDir": {}} for mount in implicit]
    volumes += [{key: value for key, value in workspace.items() if key != "subPath"}
                for workspace in run.get("workspaces", [])]
    pod = {**run.get("podTemplate", {}), "restartPolicy": "Never", "activeDeadlineSeconds": MINUTES * 60 * 3 // 2,
           "initContainers": first, "volumes": volumes + task["spec"].get("volumes", []),
           "containers": [{"name": f"step-{step.name}", "image": step.image, "command": step.words,
                           "securityContext": step.security,
                           "volumeMounts": implicit + [{"name": mount.volume, "mountPath": mount.target}
                                                       for mount in step.mounts]}
                          for step in steps]}
    kubernetes.with_defaults(pod)
    return pod


def task_runs_of(run: dict, pipeline: dict) -> list[tuple[str, dict]]:
    """(name of the Task, TaskRun's specification) for the tasks of a PipelineRun that name a Task of the cluster.
    Values that tasks hand each other are not known here: a text stands for each."""
    given = {param["name"]: param["value"] for param in run.get("params", [])}
    texts, lists = parameter_values(pipeline.get("params", []), given)
    values = Values(texts, lists)
    bound = {workspace["name"]: workspace for workspace in run.get("workspaces", [])}
    found = []
    for task in pipeline["tasks"]:
        if "resolver" in task["taskRef"]:
            continue
        workspaces = [{**bound[each["workspace"]], "name": each["name"]} for each in task.get("workspaces", [])
                      if each["workspace"] in bound]
        params = [{"name": param["name"], "value": _handed_on(param["value"], values)}
                  for param in task.get("params", [])]
        params += [{"name": param["name"], "value": "x"} for param in task.get("matrix", {}).get("params", [])]
        found.append((task["taskRef"]["name"], {"params": params, "workspaces": workspaces,
                                                "podTemplate": run.get("taskRunTemplate", {}).get("podTemplate", {})}))
    return found


def _handed_on(value: str, values: Values):
    whole = VARIABLE.fullmatch(value)
    if whole and whole[1].endswith("[*]"):
        return values.lists.get(whole[1], ["x"])
    return VARIABLE.sub(lambda match: values.texts.get(match[1], "x"), value)
