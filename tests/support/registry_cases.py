"""What the tests of the registry floor share: the tool they drive, and how cases are reported."""
import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import traceback

ROOT = pathlib.Path(os.environ.get("CAIRN_ROOT", pathlib.Path(__file__).resolve().parents[2]))
BUILT = "tests/unit/registry/registry_tool"


def find_tool() -> pathlib.Path | None:
    """CAIRN_REGISTRY_TOOL, beside the programs, or the newest in a build directory of this checkout."""
    named = [os.environ.get("CAIRN_REGISTRY_TOOL", ""), os.environ.get("CAIRN_PROGRAMS", "/-") + "/registry_tool"]
    for path in map(pathlib.Path, filter(None, named)):
        if path.is_file():
            return path
    found = sorted(ROOT.glob(f"build/**/{BUILT}"), key=lambda path: path.stat().st_mtime)
    return found[-1] if found else None


@dataclasses.dataclass
class Result:
    status: int
    out: str
    err: str


class Tool:
    """registry_tool with an empty environment but for what a case sets."""

    def __init__(self, program: pathlib.Path, directory: pathlib.Path):
        self.program, self.directory = program, directory

    def __call__(self, *words: str, config: dict | None = None, environment: dict[str, str] | None = None,
                 timeout: float = 60) -> Result:
        variables = {"PATH": os.environ["PATH"], **(environment or {})}
        if config is not None:
            folder = pathlib.Path(tempfile.mkdtemp(dir=self.directory))
            (folder / "config.json").write_text(json.dumps(config))
            variables["DOCKER_CONFIG"] = str(folder)
        done = subprocess.run([str(self.program), *map(str, words)], env=variables, capture_output=True,
                              timeout=timeout, check=False)
        return Result(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))


def expect(condition: bool, what: str, result: Result | None = None) -> None:
    if not condition:
        said = f" (exit {result.status}: {result.err.strip()[-900:]})" if result else ""
        raise AssertionError(what + said)


def run_cases(cases: list, fixture) -> int:
    """Calls each of CASES, functions whose docstring is the case's name, with what FIXTURE(directory, tool)
    yields."""
    tool = find_tool()
    if tool is None:
        print(f"skip {cases[0].__doc__}: registry_tool is not built ({BUILT} in a Meson build directory)")
        return 0
    failures = 0
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        with fixture(directory, Tool(tool, directory)) as world:
            for case in cases:
                try:
                    case(world)
                    print(f"ok {case.__doc__}", flush=True)
                except Exception as error:  # pylint: disable=broad-except
                    failures += 1
                    why = str(error).replace("\n", " | ") or type(error).__name__
                    print(f"not ok {case.__doc__}: {why}", flush=True)
                    if not isinstance(error, AssertionError):
                        traceback.print_exc(file=sys.stdout)
    return 1 if failures else 0
