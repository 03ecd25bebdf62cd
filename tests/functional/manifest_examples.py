"""The examples that the documents show."""
import pathlib
import re

from support import ROOT

import tekton

PAGES = ("docs/tekton.md", "docs/argo.md", "docs/argo-plugin.md", "docs/gitlab.md", "docs/kubernetes.md",
         "docs/warmer.md", "docs/migrating.md", "docs/security.md", "README.md")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.S | re.M)


def pages() -> list[pathlib.Path]:
    own = [page for folder in ("tasks", "stepactions", "pipelines") for page in (ROOT / folder).glob("*/README.md")]
    return [ROOT / page for page in PAGES] + sorted(own)


def blocks(page: pathlib.Path, language: str) -> list[str]:
    return [text for name, text in BLOCK.findall(page.read_text()) if name == language]


def examples() -> list[tuple[str, dict]]:
    """(page, document) of everything in YAML that the pages show, but for lists, which are parts of something."""
    return [(str(page.relative_to(ROOT)), document) for page in pages() for block in blocks(page, "yaml")
            for document in tekton.parse(block) if isinstance(document, dict)]
