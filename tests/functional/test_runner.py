#!/usr/bin/env python3
"""tests/run.py: which tests run at the same time, and what it says in the end."""
import json
import subprocess
import sys

from support import ROOT, File, case, expect, expect_equal, main, write_tree

# Each waits until the other runs as well.
MEETS = ("#!/bin/bash\ntouch {own}\nfor i in $(seq 600); do [ -e {other} ] && echo ok met && exit; sleep 0.1; done\n"
         "echo not ok met: alone\n")
ALONE = "#!/bin/bash\n# Runs alone: it looks at what the others do\n{}"


def run(world, tests: dict[str, str | File], *flags: str) -> tuple[int, list[str]]:
    """The exit status for TESTS, and the lines that were printed."""
    folder = world.new_directory("tests")
    write_tree(folder, {name: text if isinstance(text, File) else File(text, 0o755) for name, text in tests.items()})
    words = [ROOT / "tests/run.py", f"--functional={folder}", f"--programs={world.program.parent}", *flags]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)
    expect_equal(done.stderr, "")
    return done.returncode, done.stdout.splitlines()


@case("tests run at the same time, as many as --jobs says")
def together(world):
    marks = world.new_directory("marks")
    one = MEETS.format(own=marks / "one", other=marks / "two")
    two = MEETS.format(own=marks / "two", other=marks / "one")
    status, lines = run(world, {"one": one, "two": two}, "--jobs=2")
    expect_equal((status, lines[-1]), (0, "2 passed, 0 failed, 0 skipped"))
    busy = f"#!/bin/bash\nmkdir {marks}/busy && sleep 0.3 && rmdir {marks}/busy && echo ok\\ nobody else\n"
    status, lines = run(world, dict.fromkeys("abc", busy), "--jobs=1")
    expect_equal((status, lines[-1]), (0, "3 passed, 0 failed, 0 skipped"))


@case("a test that says so runs alone")
def alone(world):
    marks = world.new_directory("marks")
    busy = f"mkdir {marks}/$$ && sleep 0.5 && rmdir {marks}/$$ && echo ok busy\n"
    quiet = f"ls {marks} | grep . && echo not ok it is not alone || echo ok it is alone; {busy}"
    tests = dict.fromkeys("ad", ALONE.format(quiet)) | dict.fromkeys("bc", f"#!/bin/bash\n{busy}")
    status, lines = run(world, tests, "--jobs=4")
    expect_equal((status, lines[-1]), (0, "6 passed, 0 failed, 0 skipped"))


@case("what took longest is told, tests and cases apart, before the sum")
def slowest(world):
    tests = {name: f"#!/bin/bash\necho ok the quick case of {name}\nsleep 0.4\necho ok the slow case of {name}\n"
             for name in "ab"}
    tests |= {f"quick{number}": "#!/bin/bash\necho ok nothing\n" for number in range(12)}
    _, lines = run(world, tests)
    begin, middle = lines.index("slowest tests:"), lines.index("slowest cases:")
    expect_equal((middle - begin, len(lines) - middle), (11, 12))
    expect_equal({line.split()[-1] for line in lines[begin + 1:begin + 3]}, {"functional/a", "functional/b"})
    expect_equal({line.split(" s  ")[1] for line in lines[middle + 1:middle + 3]},
                 {f"functional/{name}: the slow case of {name}" for name in "ab"})
    expect(lines[-1] == "16 passed, 0 failed, 0 skipped", lines[-1])


@case("what fails counts, and is shown with what it printed")
def failing(world):
    tests = {"a": "#!/bin/bash\necho what happened\necho not ok the first: wrong\necho skip the second: no machine\n",
             "b": "#!/bin/bash\necho ok fine\nexit 7\n", "c": "#!/bin/bash\n"}
    status, lines = run(world, tests)
    expect_equal((status, lines[-1]), (1, "1 passed, 3 failed, 1 skipped"))
    for line in ("    not ok the first: wrong", "    skip the second: no machine", "    | what happened",
                 "    exit status 7", "    reported no case"):
        expect(line in lines, f"{line!r} is not in {lines}")


def in_mode(world, cases: str, differences: dict[str, str], end: str = "exit 1") -> tuple[int, list[str]]:
    tests = {"a": f"#!/bin/bash\n# world.build()\necho mode $CAIRN_ISOLATION\n{cases}\n{end}\n",
             "b": "#!/bin/bash\necho ok builds nothing\n",
             "differences.json": File(json.dumps({"other": {"a": differences}}), 0o644)}
    return run(world, tests, "--isolation=other")


@case("in another mode cases have to fail that are listed, and only these; tests that build nothing do not run")
def differing(world):
    cases = "echo ok one; echo 'not ok two: a: wrong'; echo 'not ok three: wrong'"
    status, lines = in_mode(world, cases, {"two: a": "no namespaces", "three": "as two"})
    expect_equal((status, lines[-1]), (0, "1 passed, 0 failed, 2 skipped"))
    expect("    differs two: a: no namespaces" in lines, f"{lines}")
    status, lines = in_mode(world, cases, {"three": "it is slow"})
    expect_equal((status, lines[-1]), (1, "1 passed, 1 failed, 1 skipped"))
    for line in ("    not ok two: a: wrong", "    differs three: it is slow", "    | mode other"):
        expect(line in lines, f"{line!r} is not in {lines}")


@case("in another mode a case that is listed and passes, or is not there, counts as failed")
def differing_no_more(world):
    status, lines = in_mode(world, "echo ok one; echo ok two", {"two": "no namespaces", "none": "no namespaces"}, "")
    expect_equal((status, lines[-1]), (1, "2 passed, 2 failed, 0 skipped"))
    expect("    differs no more: two" in lines and "    differs no more: none" in lines, f"{lines}")
    status, lines = in_mode(world, "echo 'not ok one: x'", {"one": "no namespaces"}, "kill -9 $$")
    expect_equal((status, lines[-1]), (1, "0 passed, 1 failed, 1 skipped"))


if __name__ == "__main__":
    sys.exit(main())
