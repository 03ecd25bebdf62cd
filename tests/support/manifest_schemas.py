"""Whether a manifest of Kubernetes, Tekton or Argo is what its schema says, and holds nothing else; and what their API
refuses besides."""
import functools
import gzip
import json
import pathlib

import jsonschema

import kubernetes

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "schemas"
CORE = "io.k8s.api.core.v1."
TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}
METADATA = {"type": "object", "additionalProperties": False,
            "properties": {"name": {"type": "string"}, "generateName": {"type": "string"},
                           "namespace": {"type": "string"}, "labels": TEXTS, "annotations": TEXTS}}


def load(name: str) -> dict:
    return json.loads(gzip.decompress((FOLDER / f"{name}.json.gz").read_bytes()))


def closed(schema):
    """The schema with every object that lists its keys allowing no others, and without Kubernetes' own words."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]}
    out = {key: closed(value) for key, value in schema.items() if not key.startswith("x-") and key != "format"}
    if isinstance(out.get("properties"), dict) and not schema.get("x-kubernetes-preserve-unknown-fields"):
        out.setdefault("additionalProperties", False)
    return out


def of_crd(name: str) -> dict:
    schema = closed(load(name))
    schema["properties"]["metadata"] = METADATA
    return schema


@functools.lru_cache(maxsize=None)
def argo_definitions() -> dict:
    definitions = closed(load("argo"))["definitions"]
    # A quantity is text or a number; of times the API server wants text.
    definitions["io.k8s.apimachinery.pkg.api.resource.Quantity"] = {"type": ["string", "number"]}
    definitions["io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"] = METADATA
    return definitions


def of_argo(kind: str) -> dict:
    return {"$ref": f"#/definitions/io.argoproj.workflow.v1alpha1.{kind}", "definitions": argo_definitions()}


def of_objects(**properties) -> dict:
    return {"type": "object", "additionalProperties": False, "properties": properties}


def core(name: str) -> dict:
    return {"$ref": f"#/definitions/{CORE}{name}"}


def pod_spec() -> dict:
    """The part of a pod's specification that samples use: Argo's schema has its pieces and not the whole."""
    containers = {"type": "array", "items": core("Container")}
    return of_objects(containers=containers, initContainers=containers,
                      volumes={"type": "array", "items": core("Volume")},
                      restartPolicy={"enum": ["Never", "OnFailure", "Always"]}, serviceAccountName={"type": "string"},
                      securityContext=core("PodSecurityContext"), automountServiceAccountToken={"type": "boolean"},
                      hostUsers={"type": "boolean"}, nodeSelector=TEXTS)


def of_pods(kind: str) -> dict:
    texts, number = {"type": "string"}, {"type": "integer"}
    codes = of_objects(containerName=texts, operator=texts, values={"type": "array", "items": number})
    conditions = {"type": "array", "items": of_objects(type=texts, status=texts)}
    rule = of_objects(action=texts, onExitCodes=codes, onPodConditions=conditions)
    job = of_objects(template=of_objects(metadata=METADATA, spec=pod_spec()), backoffLimit=number,
                     ttlSecondsAfterFinished=number, activeDeadlineSeconds=number,
                     podFailurePolicy=of_objects(rules={"type": "array", "items": rule}))
    cron = of_objects(schedule={"type": "string"}, concurrencyPolicy={"enum": ["Allow", "Forbid", "Replace"]},
                      jobTemplate=of_objects(spec=job))
    spec = {"Pod": pod_spec(), "Job": job, "CronJob": cron,
            "PersistentVolumeClaim": core("PersistentVolumeClaimSpec")}[kind]
    schema = of_objects(apiVersion={"type": "string"}, kind={"const": kind}, metadata=METADATA, spec=spec)
    return {**schema, "required": ["apiVersion", "kind", "metadata", "spec"], "definitions": argo_definitions()}


def of_plain(kind: str) -> dict:
    own = {"Secret": {"stringData": TEXTS, "data": TEXTS, "type": {"type": "string"}}, "ConfigMap": {"data": TEXTS},
           "ServiceAccount": {"secrets": {"type": "array"}, "automountServiceAccountToken": {"type": "boolean"}},
           "Role": {"rules": {"type": "array"}},
           "RoleBinding": {"roleRef": {"type": "object"}, "subjects": {"type": "array"}}}[kind]
    return of_objects(apiVersion={"type": "string"}, kind={"const": kind}, metadata=METADATA, **own)


@functools.lru_cache(maxsize=None)
def schemas(version: str, kind: str) -> list[dict]:
    group = version.partition("/")[0]
    if group == "tekton.dev":
        if version != ("tekton.dev/v1beta1" if kind == "StepAction" else "tekton.dev/v1"):
            raise KeyError(f"{version} {kind}")
        return [of_crd(f"tekton-{kind}")]
    if group == "argoproj.io":
        # The full definition covers the template kinds; the JSON schema all of them.
        full = [of_crd("argo-WorkflowTemplate")] if kind.endswith("WorkflowTemplate") else []
        return [of_argo(kind), *full]
    if (version, kind) in {("v1", "Pod"), ("batch/v1", "Job"), ("batch/v1", "CronJob"),
                           ("v1", "PersistentVolumeClaim")}:
        return [of_pods(kind)]
    return [of_plain(kind)]


def problems(document: dict) -> list[str]:
    """What is wrong with a manifest, a line each."""
    try:
        wanted = schemas(document["apiVersion"], document["kind"])
    except KeyError as unknown:
        return [f"no schema for {unknown}"]
    found = []
    for schema in wanted:
        validator = jsonschema.Draft7Validator(schema)
        found += ["/".join(map(str, error.absolute_path)) + f": {error.message[:300]}"
                  for error in validator.iter_errors(document)]
    return found or kubernetes.problems(document)
