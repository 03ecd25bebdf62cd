"""The project's manifests, and what the tests of them share."""
import pathlib

from support import ROOT

import tekton

FOLDERS = ("tasks", "stepactions", "pipelines", "workflows")


def paths() -> list[pathlib.Path]:
    """Every file of YAML among the manifests, GitLab's aside."""
    return sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.y*ml") if "gitlab" not in path.parts)


def documents() -> list[tuple[str, dict]]:
    """(path, document) of all that go to a cluster, but for the executor plugin, which argo_plugin.py tests."""
    return [(str(path.relative_to(ROOT)), document) for path in paths() if path.parent.name != "executor-plugin"
            for document in tekton.load(path) if "kind" in document]


def of_kind(kind: str) -> list[tuple[str, dict]]:
    return [(path, document) for path, document in documents() if document["kind"] == kind]


def catalog(kind: str) -> dict[str, dict]:
    """The manifests that users install, by name: not the samples."""
    return {document["metadata"]["name"]: document for path, document in of_kind(kind) if "/samples/" not in path}


def tasks() -> dict[str, dict]:
    return catalog("Task")


def step_actions() -> dict[str, dict]:
    return catalog("StepAction")
