#!/usr/bin/env python3
"""The manifests of Tekton, Argo and Kubernetes: what a cluster's API, its admission and a catalog ask of them."""
import copy
import re
import subprocess
import sys
import types

import yaml

from support import ROOT, case, expect, expect_equal, main

import argo
import kubernetes
import manifest_examples
import manifest_pods
import manifest_schemas
import manifests
import pod_security
import tekton

VERSION = re.search(r"version: '(.*)'", (ROOT / "meson.build").read_text())[1]


def none_found(found: list[str]) -> None:
    expect(not found, "; ".join(found[:10]))


@case("every manifest is what its schema says, and has no other key")
def schemas(_world):
    found = manifests.documents()
    expect(len(found) >= 12, f"only {len(found)} manifests")
    none_found([f"{path}: {problem}" for path, document in found for problem in manifest_schemas.problems(document)])


@case("a mistyped key, a wrong type and a missing one do not pass the schemas")
def schemas_fail(_world):
    task = manifests.tasks()["cairn"]
    for change in (lambda step: step.update(computeResource={}), lambda step: step.update(args="one"),
                   lambda step: step["securityContext"].update(runAsUser="root"),
                   lambda step: step["workspaces"][0].pop("mountPath")):
        wrong = copy.deepcopy(task)
        change(wrong["spec"]["steps"][0])
        expect_equal(len(manifest_schemas.problems(wrong)), 1)


@case("yamllint has nothing to say")
def lint(_world):
    folders = [str(ROOT / folder) for folder in (*manifests.FOLDERS, "templates") if (ROOT / folder).exists()]
    done = subprocess.run(["yamllint", "-c", str(ROOT / ".yamllint"), "--strict", "-f", "parsable", *folders],
                          capture_output=True, text=True, check=False)
    expect(done.returncode == 0, done.stdout[-1500:] + done.stderr[-500:])


@case("Tasks use the parameters, workspaces, results and volumes that they declare, and declare those that they use")
def task_variables(_world):
    none_found([f"{path}: {problem}" for path, task in manifests.of_kind("Task")
                for problem in tekton.check_task(task, manifests.step_actions())])


@case("a variable that does not exist and a parameter that nothing uses do not pass")
def task_variables_fail(_world):
    for change, wanted in ((lambda spec: spec["steps"][0]["args"].append("$(params.NONE)"), "params.NONE"),
                           (lambda spec: spec["steps"][0]["args"].append("x$(params.LABELS[*])"), "LABELS"),
                           (lambda spec: spec["params"].append({"name": "UNUSED"}), "UNUSED"),
                           (lambda spec: spec["steps"][0].pop("command"), "no command"),
                           (lambda spec: spec["volumes"].append({"name": "idle", "emptyDir": {}}), "idle")):
        wrong = copy.deepcopy(manifests.tasks()["cairn"])
        change(wrong["spec"])
        found = tekton.check_task(wrong, {})
        expect(len(found) == 1 and wanted in found[0], f"{wanted}: {found}")


@case("StepActions use what they declare, and declare what they use")
def step_action_variables(_world):
    found = []
    for name, action in manifests.step_actions().items():
        spec = action["spec"]
        params = [{"name": p["name"], "value": ["x"] if p.get("type") == "array" else "x"} for p in spec["params"]]
        task = {"spec": {"steps": [{"name": "one", "ref": {"name": name}, "params": params}]}}
        step_values = tekton.Rendered(task, step_actions={name: action})
        values, body = step_values._action(task["spec"]["steps"][0])  # pylint: disable=protected-access
        for text in (body["image"], body.get("workingDir", ""), *[entry["value"] for entry in body.get("env", [])]):
            values.text(text)
        values.words(body["command"] + body.get("args", []))
        found += [f"{name}: {param['name']} is used nowhere" for param in spec["params"]
                  if not {f"params.{param['name']}", f"params.{param['name']}[*]"} & values.used]
        found += [f"{name}: result {result['name']} is written nowhere" for result in spec.get("results", [])
                  if f"step.results.{result['name']}.path" not in values.used]
        found += [f"{name}: has a script"] if "script" in spec else []
    none_found(found)


@case("the Task for restricted pods is the other one with another security context")
def restricted_is_the_same(_world):
    plain, restricted = (copy.deepcopy(manifests.tasks()[name]["spec"]) for name in ("cairn", "cairn-restricted"))
    for spec in (plain, restricted):
        spec.pop("description")
        spec["steps"][0].pop("securityContext")
    expect_equal(restricted, plain)


@case("the step action of the build takes and gives what the Task does")
def step_action_is_the_same(_world):
    task, action = manifests.tasks()["cairn"]["spec"], manifests.step_actions()["cairn-build"]["spec"]
    params = {param["name"]: param for param in action["params"]}
    for param in task["params"]:
        expect_equal({**params[param["name"]], "description": ""}, {**param, "description": ""})
    expect_equal(sorted(name for name in params if name not in tekton.names(task["params"])),
                 ["ca-certificates-path", "cache-path", "dockerconfig-path", "source-path"])
    expect_equal(action["results"], task["results"])
    replaced = re.sub(r"workspaces\.([a-z-]+)\.path", r"params.\1-path", " ".join(task["steps"][0]["args"]))
    expect_equal(" ".join(action["args"]), replaced.replace("$(results.", "$(step.results."))


@case("the Task has the names that kaniko's has, so that a taskRef is all that changes")
def like_kaniko(_world):
    spec = manifests.tasks()["cairn"]["spec"]
    defaults = {param["name"]: param.get("default") for param in spec["params"]}
    expect_equal(
        {name: defaults[name] for name in ("IMAGE", "DOCKERFILE", "CONTEXT", "EXTRA_ARGS", "KANIKO_DIR")},
        {"IMAGE": None, "DOCKERFILE": "./Dockerfile", "CONTEXT": "./", "EXTRA_ARGS": [], "KANIKO_DIR": "/kaniko"})
    expect_equal([name for name, default in defaults.items() if default is None], ["IMAGE"])
    workspaces = {workspace["name"]: workspace for workspace in spec["workspaces"]}
    expect_equal(workspaces["dockerconfig"]["mountPath"], "/kaniko/.docker")
    expect_equal([name for name, workspace in workspaces.items() if not workspace.get("optional")], [])
    expect({"IMAGE_URL", "IMAGE_DIGEST"} <= set(tekton.names(spec["results"])), "results")


def all_pods() -> list[tuple[str, dict]]:
    """(path, specification) of every pod that the manifests make."""
    found = [(path, pod) for path, document in manifests.documents() for pod in manifest_pods.pods(document)]
    expect(len(found) >= 25, f"only {len(found)} pods")
    return found


@case(
    "all pods, with the controllers' own containers, fit Pod Security baseline, and those called restricted fit "
    "restricted"
)
def pod_security_levels(_world):
    found, restricted = [], 0
    for path, pod in all_pods():
        restricted += "restricted" in path
        found += [f"{path}: {problem}" for problem in manifest_pods.above_level(path, pod)]
    none_found(found)
    expect(restricted >= 4, f"{restricted} restricted pods")


@case("without Tekton's set-security-context, and without a patch of Argo's containers, restricted pods are refused")
def controllers_own_containers(_world):
    task = manifests.tasks()["cairn-restricted"]
    for document in (task, *(each for path, each in manifests.of_kind("TaskRun") if "restricted" in path)):
        [pod] = manifest_pods.pods(document, set_security_context=False)
        expect_equal({problem.partition(":")[0] for problem in pod_security.above_restricted(pod)},
                     {"container prepare"})
    [sample] = [each for path, each in manifests.of_kind("Workflow") if "restricted" in path]
    for containers, name in (("initContainers", "init"), ("containers", "wait")):
        wrong = copy.deepcopy(sample)
        patch = next(each for each in wrong["spec"]["arguments"]["parameters"] if each["name"] == "pod-spec-patch")
        parts = yaml.safe_load(patch["value"])
        parts[containers] = [each for each in parts[containers] if each["name"] != name]
        patch["value"] = yaml.safe_dump(parts)
        [pod] = manifest_pods.pods(wrong)
        expect_equal({problem.partition(":")[0] for problem in pod_security.above_restricted(pod)},
                     {f"container {name}"})


@case("no token is mounted where nothing needs one: only Argo's own containers have it")
def tokens(_world):
    found = []
    for path, document in manifests.documents():
        if document["kind"] in ("Task", "WorkflowTemplate", "ClusterWorkflowTemplate"):
            continue # whoever runs these decides
        found += [f"{path}: {name}" for pod in manifest_pods.pods(document) for name in manifest_pods.tokens_seen(pod)]
    none_found(found)


@case("a token for Argo's executor, or its agent, comes from a Secret, and its account may do what they do")
def argo_accounts(_world):
    objects = [document for _, document in manifests.documents() if not document["metadata"].get("namespace")]
    for path, document in manifests.of_kind("Workflow") + manifests.of_kind("CronWorkflow"):
        spec = document["spec"].get("workflowSpec", document["spec"])
        account = spec.get("serviceAccountName", "default")
        expect_equal(spec.get("executor", {}).get("serviceAccountName", account), account, path)
        expect(kubernetes.has_token_secret(objects, account), f"{path}: no Secret {account}.service-account-token")
        needed = {("create", "workflowtaskresults", ""), ("patch", "workflowtaskresults", "")}
        if any("plugin" in template for template in spec.get("templates", [])):
            needed |= {("list", "workflowtasksets", ""), ("watch", "workflowtasksets", ""),
                       ("patch", "workflowtasksets/status", "")}
        expect_equal(needed - kubernetes.rights(objects, account), set(), path)


@case("what a build is remembered by is where the controller looks for it, in a template that Argo remembers")
def memoization(_world):
    documents = [document for _, document in manifests.documents()]
    [template] = [each for each in argo_templates().values() if "memoize" in each]
    expect_equal((template["name"], "dag" in template), ("build-once", True))
    # In the controller's namespace, which is the installation's default.
    cache = template["memoize"]["cache"]["configMap"]["name"]
    expect_equal({(verb, "configmaps", "argo") for verb in ("create", "get", "update")}
                 - kubernetes.rights(documents, "argo"), set())
    expect_equal([
        each["metadata"] for each in documents if each["kind"] == "ConfigMap" and each["metadata"]["name"] == cache
        and each["metadata"].get("namespace") != "argo"
    ], [])
    expect("workflow.namespace" in template["memoize"]["key"], "namespaces share the ConfigMap")


@case("a Job whose pod is evicted goes on for nothing, status 75 is tried again, and all else ends it at once")
def job_policies(_world):
    found = manifests.of_kind("Job") + manifests.of_kind("CronJob")
    expect(len(found) >= 3, str(found))
    for path, document in found:
        spec = kubernetes.job_spec(document)
        [name] = [each["name"] for each in spec["template"]["spec"]["containers"]]
        evicted = kubernetes.DISRUPTED
        for code, conditions, wanted in ((137, evicted, "retried for nothing"), (1, evicted, "retried for nothing"),
                                         (75, [], "retried"), (1, [], "failed"), (7, [], "failed"), (137, [],
                                                                                                     "failed")):
            expect_equal(kubernetes.after_failure(spec, {name: code}, conditions), wanted,
                         f"{path}: {code} {conditions}")
        expect_equal(kubernetes.after_failure(spec, {name: 75}, [], failed_before=spec["backoffLimit"]), "failed", path)


@case("a policy that Kubernetes refuses does not pass, nor one whose first rule counts evictions")
def job_policies_fail(_world):
    job = next(document for path, document in manifests.of_kind("Job") if path.endswith("job.yaml"))
    for change, wanted in (
        (lambda spec: spec["podFailurePolicy"]["rules"][1]["onExitCodes"].update(values=[75, 75]), "values"),
        (lambda spec: spec["podFailurePolicy"]["rules"][1]["onExitCodes"].update(containerName="main"), "no container"),
        (lambda spec: spec["podFailurePolicy"]["rules"][0]["onPodConditions"][0].pop("status"),
         "condition"), (lambda spec: spec["podFailurePolicy"]["rules"][0].update(action="Retry"), "action"),
        (lambda spec: spec["template"]["spec"].update(restartPolicy="OnFailure"), "restartPolicy: Never")):
        wrong = copy.deepcopy(job)
        change(wrong["spec"])
        found = manifest_schemas.problems(wrong)
        expect(len(found) == 1 and wanted in found[0], f"{wanted}: {found}")
    turned = copy.deepcopy(job)
    turned["spec"]["podFailurePolicy"]["rules"].reverse()
    expect_equal(kubernetes.after_failure(kubernetes.job_spec(turned), {"cairn": 137}, kubernetes.DISRUPTED), "failed")


@case("samples can be created twice, say in their status why they failed, and go away by themselves")
def samples_are_runs(_world):
    for path, document in manifests.documents():
        kind, spec = document["kind"], document.get("spec", {})
        if kind in ("Pod", "Job", "Workflow", "TaskRun", "PipelineRun"):
            expect("generateName" in document["metadata"], f"{path}: a second run is in the way of the first")
        if kind in ("Job", "CronJob"):
            expect(
                kubernetes.job_spec(document).get("ttlSecondsAfterFinished", 0) > 0,
                f"{path}: no ttlSecondsAfterFinished")
        if kind == "Workflow":
            expect("ttlStrategy" in spec, f"{path}: no ttlStrategy")
        if kind in ("Pod", "Job", "CronJob", "WorkflowTemplate", "ClusterWorkflowTemplate"):
            policies = {each.get("terminationMessagePolicy") for pod in manifest_pods.pods(document)
                        for each in manifest_pods.builders(pod)}
            expect_equal(policies, {"FallbackToLogsOnError"}, path)


@case("builds have a volume for their work, and their source where no Dockerfile works")
def places(_world):
    none_found([f"{path}: {problem}" for path, pod in all_pods() for problem in manifest_pods.misplaced(pod)])


@case("a source that is a volume of its own is mounted read-only")
def read_only_sources(_world):
    found = []
    # In a Task the same workspace may be meant for what the build writes.
    for path, document in manifests.of_kind("Job") + manifests.of_kind("Pod") + manifests.of_kind("WorkflowTemplate"):
        mounts = [mount for pod in manifest_pods.pods(document) for each in manifest_pods.builders(pod)
                  for mount in each["volumeMounts"] if mount["name"] == "source"]
        found += [f"{path}: {mount}" for mount in mounts if not mount.get("readOnly")]
    none_found(found)


@case("a TaskRun with two volume claims is refused, as the affinity assistant does it; the samples have one")
def claims(_world):
    run = next(document for path, document in manifests.of_kind("TaskRun") if path.endswith("taskrun-cache.yaml"))
    expect_equal({each["name"] for each in run["spec"]["workspaces"]} >= {"source", "cache"}, True)
    manifest_pods.pods(run)
    wrong = copy.deepcopy(run)
    cache = next(each for each in wrong["spec"]["workspaces"] if each["name"] == "cache")
    cache["persistentVolumeClaim"]["claimName"] = "another"
    try:
        manifest_pods.pods(wrong)
    except tekton.Invalid as error:
        expect_equal(str(error), "more than one PersistentVolumeClaim is bound")
    else:
        expect(False, "two claims were taken")


@case("what is installed says its version and has a catalog's labels and annotations")
def metadata(_world):
    found = []
    for kind, group in (("Task", "tekton.dev"), ("StepAction", "tekton.dev"), ("Pipeline", "tekton.dev")):
        for name, document in manifests.catalog(kind).items():
            labels, annotations = document["metadata"]["labels"], document["metadata"]["annotations"]
            if labels.get("app.kubernetes.io/version") != VERSION:
                found.append(f"{name}: version {labels}")
            for key in ("pipelines.minVersion", "categories", "tags", "displayName", "platforms"):
                if not annotations.get(f"{group}/{key}"):
                    found.append(f"{name}: no {key}")
            if not document["spec"].get("description"):
                found.append(f"{name}: no description")
    none_found(found)
    for path in (ROOT / "tasks", ROOT / "stepactions", ROOT / "pipelines"):
        expect("owners" in tekton.load(path / "artifacthub-repo.yml")[0], f"{path.name}: owners")


@case("Cairn's image is named with the version that this is")
def image_version(_world):
    files = [*manifests.paths(), *(ROOT / "templates").rglob("*.yml"), *(ROOT / "workflows").rglob("*.yml")]
    wrong = {f"{path.relative_to(ROOT)}: {name}" for path in files
             for name in re.findall(r"registry\.example\.com/cairn(?![/-])\S*", path.read_text())
             if not re.fullmatch(rf"registry\.example\.com/cairn:{re.escape(VERSION)}(-debug)?[\"',}}\]]*", name)}
    expect_equal(wrong, set())


@case("each task, step action and pipeline has its own folder, with a page that names all parameters")
def pages(_world):
    found = []
    for kind, folder in (("Task", "tasks"), ("StepAction", "stepactions"), ("Pipeline", "pipelines")):
        for name, document in manifests.catalog(kind).items():
            where = ROOT / folder / name
            if not (where / f"{name}.yaml").exists() or not (where / "README.md").exists():
                found.append(f"{where}: no {name}.yaml or README.md")
                continue
            page = (where / "README.md").read_text()
            for part in ("params", "workspaces", "results"):
                found += [
                    f"{name}: README.md is silent about {each}" for each in tekton.names(document["spec"].get(part))
                    if f"`{each}`" not in page
                ]
    none_found(found)


@case("pipelines hand their tasks what these take, and take what they give")
def pipelines(_world):
    found = []
    for path, document in manifests.documents():
        spec = {"Pipeline": lambda d: d["spec"], "PipelineRun": lambda d: d["spec"].get("pipelineSpec")}.get(
            document["kind"], lambda d: None)(document)
        if not spec:
            continue
        declared = {f"params.{name}" for name in tekton.names(spec.get("params"))}
        used = {name.removesuffix("[*]") for name in tekton.variables_in(spec)}
        found += [f"{path}: {name} is used nowhere" for name in declared - used]
        found += [
            f"{path}: {name} is not declared" for name in used if name.startswith("params.") and name not in declared
        ]
        outputs = {}
        for task in spec["tasks"]:
            target = manifests.tasks().get(task["taskRef"].get("name"))
            if target is None:
                continue
            outputs[task["name"]] = set(tekton.names(target["spec"].get("results")))
            given = tekton.names(task.get("params")) + tekton.names(task.get("matrix", {}).get("params"))
            found += [f"{path}: {task['name']} takes no {name}" for name in given
                      if name not in tekton.names(target["spec"]["params"])]
            found += [f"{path}: {task['name']} needs {p['name']}" for p in target["spec"]["params"]
                      if "default" not in p and p["name"] not in given]
            found += [f"{path}: {task['name']} has no workspace {each['name']}" for each in task.get("workspaces", [])
                      if each["name"] not in tekton.names(target["spec"].get("workspaces"))
                      or each["workspace"] not in tekton.names(spec.get("workspaces"))]
        for name in used:
            match = re.fullmatch(r"tasks\.([^.]+)\.results\.([^.\[]+)", name)
            if match and match[2] not in outputs.get(match[1], {match[2]}):
                found.append(f"{path}: {match[1]} has no result {match[2]}")
    none_found(found)


@case("runs in the samples give parameters and workspaces that exist")
def runs(_world):
    found = []
    for path, document in manifests.documents():
        spec = document["spec"] if document["kind"] in ("TaskRun", "PipelineRun") else {}
        reference = spec.get("taskRef") or spec.get("pipelineRef")
        if not reference:
            continue
        target = manifests.catalog("Task" if "taskRef" in spec else "Pipeline")[manifest_pods.reference_name(
            reference)]["spec"]
        for part in ("params", "workspaces"):
            found += [f"{path}: no {part} {each}" for each in tekton.names(spec.get(part))
                      if each not in tekton.names(target[part])]
        found += [f"{path}: {p['name']} is missing" for p in target["params"]
                  if "default" not in p and p["name"] not in tekton.names(spec["params"])]
    none_found(found)


@case("what is taken from a bundle names the Secret that opens its registry, as the resolver has no other")
def bundles(_world):
    documents = manifests.of_kind("TaskRun") + [
        each for each in manifest_examples.examples() if each[1].get("kind") == "TaskRun"
    ]
    references = [(path, document["spec"]["taskRef"]) for path, document in documents
                  if document["spec"]["taskRef"].get("resolver") == "bundles"]
    expect(len(references) >= 2, str(references))
    for path, reference in references:
        expect_equal(sorted(tekton.names(reference["params"])), ["bundle", "kind", "name", "secret"], path)


def argo_templates() -> dict[str, dict]:
    document = manifests.catalog("WorkflowTemplate")["cairn"]
    return {template["name"]: template for template in document["spec"]["templates"]}


@case("Argo's templates use what they declare, and hand each other what these take")
def argo_variables(_world):
    found, library = [], argo_templates()
    for path, document in manifests.documents():
        if not document["apiVersion"].startswith("argoproj.io/"):
            continue
        spec = document["spec"].get("workflowSpec", document["spec"])
        own = {template["name"]: template for template in spec.get("templates", [])}
        given = spec.get("arguments", {})
        known = {f"workflow.parameters.{name}" for name in argo.names(given.get("parameters"))}
        for template in own.values():
            found += [f"{path}: {problem}" for problem in argo.check_template(template, own, library, known)]
        if "workflowTemplateRef" not in spec:
            continue
        taken = library[spec.get("entrypoint", "build")]["inputs"]
        for part, has_default in (("parameters", "value"), ("artifacts", "optional")):
            names = argo.names(given.get(part))
            found += [f"{path}: takes no {name}" for name in names if name not in argo.names(taken.get(part))]
            found += [f"{path}: {each['name']} is missing" for each in taken.get(part, [])
                      if has_default not in each and each["name"] not in names]
    none_found(found)
    expect_equal(sorted(library),
                 ["build", "build-once", "build-platforms", "build-volume", "credentials", "index", "warm"])


@case("a slip in a template of Argo's does not pass")
def argo_variables_fail(_world):
    for name, change, wanted in (
            ("build", lambda t: t["container"]["args"].append("{{inputs.parameters.none}}"), "none"),
            ("build", lambda t: t["inputs"]["parameters"].append({"name": "idle", "value": ""}), "idle"),
            ("build", lambda t: t["container"].pop("command"), "no command"),
            ("build-once", lambda t: t["dag"]["tasks"][0]["arguments"]["parameters"].pop(0), "needs image"),
            ("build-once", lambda t: t.update(steps=[t.pop("dag")["tasks"]]), "remembers no outputs"),
            ("build-platforms", lambda t: t["dag"]["tasks"][1].update(template="indices"), "no template")):
        templates = copy.deepcopy(argo_templates())
        change(templates[name])
        found = argo.check_template(templates[name], templates, {}, set())
        expect(any(wanted in problem for problem in found), f"{wanted}: {found}")


@case("Argo's cluster template is the template of a namespace, and a build from a volume the one from an artifact")
def argo_same(_world):
    own, cluster = (manifests.catalog(kind)["cairn"] for kind in ("WorkflowTemplate", "ClusterWorkflowTemplate"))
    expect_equal(cluster["spec"], own["spec"])
    artifact, volume = (argo_templates()[name] for name in ("build", "build-volume"))
    expect_equal(volume["container"]["args"], artifact["container"]["args"])
    expect_equal(volume["inputs"]["parameters"][2:], artifact["inputs"]["parameters"])
    for key in ("command", "image", "env", "resources", "securityContext", "workingDir"):
        expect_equal(volume["container"][key], artifact["container"][key])


@case("a template is tried again after exit status 75 and a lost pod, and not after another failure")
def argo_retries(_world):
    for name, template in argo_templates().items():
        if "container" not in template:
            continue
        words = template["retryStrategy"]["expression"].replace("||", "or")
        for exit_code, status, again in (("75", "Failed", True), ("1", "Failed", False), ("", "Error", True)):
            last = types.SimpleNamespace(exitCode=exit_code, status=status)
            expect_equal(eval(words, {"lastRetry": last}), again, f"{name} {exit_code} "
                                                                  f"{status}")  # pylint: disable=eval-used


@case("every flag in the manifests is one of the program's")
def flags(world):
    known = {}
    for program, words in (("executor", ["--help"]), ("cairn-creds", ["inject", "--help"]),
                           ("cairn-creds", ["check", "--help"]), ("warmer", ["--help"])):
        if not (world.program.parent / program).exists():
            continue
        done = subprocess.run([world.program.parent / program, *words], capture_output=True, text=True, check=True)
        names = set(re.findall(r"--([a-z][a-z-]*)", done.stdout))
        known.setdefault(f"/kaniko/{program}", set()).update(names, {f"{name}s" for name in names})
    wrong = []
    for path, document in manifests.documents():
        spec = document.get("spec", {})
        bodies = spec.get("steps", [spec]) + [template.get("container", {}) for template in spec.get("templates", [])]
        for body in bodies:
            words = body.get("command", []) + body.get("args", [])
            if not words or words[0] not in known or "index" in words[1:2]:
                continue
            wrong += [f"{path}: {word}" for word in words[1:] if word.startswith("--")
                      and word[2:].partition("=")[0] not in known[words[0]]]
    none_found(wrong)


if __name__ == "__main__":
    sys.exit(main())
