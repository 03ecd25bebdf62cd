"""What the tests of the warmer share: warmers that run, and what became of them."""
import json
import os
import subprocess

from support import expect, registry, tar_layers


class Warmed:
    def __init__(self, status: int, out: str, err: str, report: dict):
        self.status, self.out, self.err, self.report = status, out, err, report

    @property
    def said(self) -> str:
        return f"exit status {self.status}: {(self.out + self.err).strip()[-1500:]}"

    @property
    def bytes(self) -> tuple[int, int]:
        """How many were fetched, and how many were there."""
        return self.report["fetchedBytes"], self.report["reusedBytes"]

    def succeeded(self) -> "Warmed":
        expect(self.status == 0, self.said)
        return self

    def failed(self, *texts: str, status: int = 1) -> "Warmed":
        expect(self.status == status, f"expected exit status {status}, got {self.said}")
        for text in texts:
            expect(text in self.err, f"the error does not hold {text!r}: {self.said}")
        return self


def start(world, directory, *flags, report=None, before=(), environment=None, **how) -> subprocess.Popen:
    words = [*map(str, before), str(world.program.parent / "warmer"), f"--cache-dir={directory}", *map(str, flags)]
    if report:
        words.append(f"--report={report}")
    return subprocess.Popen(words, env={**world.environment, **(environment or {})}, cwd=world.directory,
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **how)


def warm(world, directory, *flags, stdin: str = "", **how) -> Warmed:
    report = world.new_directory("report") / "report.json"
    process = start(world, directory, *flags, report=report, **how)
    try:
        out, err = process.communicate(stdin.encode(), timeout=120)
    except subprocess.TimeoutExpired:
        process.kill()
        raise AssertionError(f"not finished after two minutes: {process.communicate()[1].decode()[-1500:]}") from None
    document = json.loads(report.read_text()) if report.exists() else {}
    return Warmed(process.returncode, out.decode(), err.decode(), document)


def large(server, name: str, size: int = 8_000_000) -> tuple[str, str, int]:
    """An image of one layer that does not compress; the digests of manifest and layer, the layer's size."""
    digest = tar_layers.push(server.host, name,
                             tar_layers.Image([tar_layers.tar([tar_layers.entry("large", os.urandom(size))])]))
    layer = json.loads(registry.get(server.host, f"/v2/{name.partition(':')[0]}/manifests/{digest}"))["layers"][0]
    return digest, layer["digest"], layer["size"]
