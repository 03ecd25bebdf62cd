"""What Kubernetes makes of a manifest: the defaults of its API, what it refuses although the schema allows it, what its
Job controller does with a pod that failed, and what an account may do."""
import copy

TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount"
DISRUPTED = [{"type": "DisruptionTarget", "status": "True"}]


def template_of(document: dict) -> dict:
    """The specification of the pods of a Pod, Job or CronJob, as it is written."""
    spec = document["spec"]
    while "containers" not in spec:
        spec = spec.get("template", spec.get("jobTemplate"))["spec"]
    return spec


def pod_spec(document: dict) -> dict:
    """The same with the API's defaults and what its admission adds."""
    spec = copy.deepcopy(template_of(document))
    spec.setdefault("restartPolicy", "Always")
    spec.setdefault("serviceAccountName", "default")
    with_defaults(spec)
    return spec


def with_defaults(spec: dict) -> None:
    """Puts in what every container of a pod gets, the account's token among it."""
    for each in containers(spec):
        each.setdefault("terminationMessagePath", "/dev/termination-log")
        each.setdefault("terminationMessagePolicy", "File")
        mounts = each.setdefault("volumeMounts", [])
        if spec.get("automountServiceAccountToken", True) and TOKEN not in [mount["mountPath"] for mount in mounts]:
            mounts.append({"name": "kube-api-access", "mountPath": TOKEN, "readOnly": True})


def containers(spec: dict) -> list[dict]:
    return spec.get("initContainers", []) + spec["containers"]


def sees_token(container: dict) -> bool:
    return any(mount["mountPath"] == TOKEN for mount in container["volumeMounts"])


def job_spec(document: dict) -> dict:
    """A Job's specification, or that of a CronJob's Jobs, with the API's defaults."""
    spec = document["spec"].get("jobTemplate", document)["spec"]
    return {"backoffLimit": 6, "completions": 1, "parallelism": 1, **spec}


def problems(document: dict) -> list[str]:
    """What the API refuses, beyond the schema."""
    metadata = document["metadata"]
    found = [] if ("name" in metadata) != ("generateName" in metadata) else ["either a name or a generateName"]
    if document["kind"] in ("Pod", "Job", "CronJob"):
        spec = template_of(document)
        known = [volume["name"] for volume in spec.get("volumes", [])]
        found += [f"{each['name']}: no volume {mount['name']}" for each in containers(spec)
                  for mount in each.get("volumeMounts", []) if mount["name"] not in known]
        found += [f"{each['name']}: no image" for each in containers(spec) if "image" not in each]
    if document["kind"] in ("Job", "CronJob"):
        found += job_problems(job_spec(document))
    return found


def job_problems(spec: dict) -> list[str]:
    pod = spec["template"]["spec"]
    found = []
    if pod.get("restartPolicy") not in ("Never", "OnFailure"):
        found.append("a Job's pods are restarted Never or OnFailure")
    if "podFailurePolicy" not in spec:
        return found
    if pod.get("restartPolicy") != "Never":
        found.append("podFailurePolicy needs restartPolicy: Never")
    rules = spec["podFailurePolicy"]["rules"]
    if len(rules) > 20:
        found.append("more than 20 rules")
    for number, rule in enumerate(rules):
        names = [each["name"] for each in containers(pod)]
        found += [f"rule {number}: {problem}" for problem in _rule_problems(rule, names)]
    return found


def _rule_problems(rule: dict, names: list[str]) -> list[str]:
    found = []
    if rule.get("action") not in ("FailJob", "Ignore", "Count"):
        found.append(f"action {rule.get('action')}")
    if len(set(rule) & {"onExitCodes", "onPodConditions"}) != 1 or len(rule) != 2:
        return [*found, f"one of onExitCodes and onPodConditions, not {sorted(rule)}"]
    for condition in rule.get("onPodConditions", []):
        if condition.get("status") not in ("True", "False", "Unknown") or "type" not in condition:
            found.append(f"condition {condition}")
    codes = rule.get("onExitCodes")
    if codes is None:
        return found
    values = codes.get("values", [])
    if codes.get("operator") not in ("In", "NotIn") or (codes.get("operator") == "In" and 0 in values):
        found.append(f"operator {codes.get('operator')} of {values}")
    if not values or values != sorted(set(values)) or not all(isinstance(each, int) for each in values):
        found.append(f"values {values} are not ordered, each once")
    if codes.get("containerName", names[0]) not in names:
        found.append(f"no container {codes['containerName']}")
    return found


def after_failure(spec: dict, exit_codes: dict[str, int], conditions: list[dict], failed_before: int = 0) -> str:
    """What becomes of a Job: "failed", "retried", or "retried for nothing" when the failure does not count.
    EXIT_CODES are those of the containers."""
    for rule in spec.get("podFailurePolicy", {}).get("rules", []):
        if not _matches(rule, exit_codes, conditions):
            continue
        if rule["action"] != "Count":
            return {"FailJob": "failed", "Ignore": "retried for nothing"}[rule["action"]]
        break
    return "failed" if failed_before + 1 > spec["backoffLimit"] else "retried"


def _matches(rule: dict, exit_codes: dict[str, int], conditions: list[dict]) -> bool:
    if "onPodConditions" in rule:
        return any(wanted["type"] == each["type"] and wanted["status"] == each["status"]
                   for wanted in rule["onPodConditions"] for each in conditions)
    codes = rule["onExitCodes"]
    found = [code for name, code in exit_codes.items() if code != 0 and codes.get("containerName", name) == name]
    return any((code in codes["values"]) == (codes["operator"] == "In") for code in found)


def rights(documents: list[dict], account: str) -> set[tuple[str, str, str]]:
    """(verb, resource, namespace) of what Roles in DOCUMENTS let a service account do; no namespace is its own."""
    found = set()
    for binding in documents:
        if binding["kind"] != "RoleBinding" or not any(
                subject["kind"] == "ServiceAccount" and subject["name"] == account for subject in binding["subjects"]):
            continue
        namespace = binding["metadata"].get("namespace", "")
        for role in documents:
            if (role["kind"], role["metadata"].get("namespace", "")) == ("Role", namespace) \
                    and role["metadata"]["name"] == binding["roleRef"]["name"]:
                found |= {(verb, resource, namespace) for rule in role["rules"] for verb in rule["verbs"]
                          for resource in rule["resources"]}
    return found


def has_token_secret(documents: list[dict], account: str) -> bool:
    """Whether DOCUMENTS have the Secret that the control plane fills with an account's token, under the name that Argo
    looks for."""
    return any(each["kind"] == "Secret" and each["metadata"]["name"] == f"{account}.service-account-token"
               and each.get("type") == "kubernetes.io/service-account-token"
               and each["metadata"].get("annotations", {}).get("kubernetes.io/service-account.name") == account
               for each in documents)
