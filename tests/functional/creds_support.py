"""What the tests of credentials share: programs by name, a registry with a password, secrets nobody may print."""
import base64
import itertools
import os
import pathlib
import subprocess

from support import expect  # (puts tests/support on the path)

PROGRAMS = pathlib.Path(os.environ["CAIRN_PROGRAMS"])
USER = "ann"
_numbers = itertools.count(1)
_secrets: list[str] = []
_outputs: list[str] = []


def new_secret(name: str) -> str:
    """A text that no program may print: no_secret_was_printed() looks for it everywhere."""
    secret = f"hush-{name}-{next(_numbers)}-{os.urandom(6).hex()}"
    _secrets.append(secret)
    return secret


def remember(*outputs: str) -> None:
    _outputs.extend(outputs)


def no_secret_was_printed() -> int:
    """In all that was remembered, plain or in base64; how many outputs that were."""
    for secret in _secrets:
        encoded = [base64.b64encode(b"x" * shift + secret.encode())[4:-4].decode() for shift in range(3)]
        for output in _outputs:
            for text in [secret, *encoded]:
                expect(text not in output, f"the secret {secret} is in: {output[-1500:]}")
    return len(_outputs)


class Done:
    """What one run of a program did."""

    def __init__(self, process: subprocess.CompletedProcess):
        self.status, self.out, self.err = process.returncode, process.stdout, process.stderr

    @property
    def said(self) -> str:
        return f"exit status {self.status}: {(self.out + self.err).strip()[-1500:]}"

    def succeeded(self) -> "Done":
        expect(self.status == 0, self.said)
        return self

    def failed(self, *texts: str, status: int = 1) -> "Done":
        expect(self.status == status, f"expected exit status {status}, got {self.said}")
        for text in texts:
            expect(text in self.out + self.err, f"not said: {text!r}: {self.said}")
        return self


def run(world, program: str, *words, environment: dict | None = None, stdin: str = "", secret: bool = False) -> Done:
    """One of Cairn's programs with nothing but ENVIRONMENT. With SECRET its stdout may hold one."""
    done = Done(
        subprocess.run([str(PROGRAMS / program), *map(str, words)], input=stdin, capture_output=True, text=True,
                       timeout=180, check=False, cwd=world.directory,
                       env={"PATH": f"{PROGRAMS}:{os.environ['PATH']}", **(environment or {})}))
    remember(done.err, "" if secret else done.out)
    return done


def creds(world, *words, **how) -> Done:
    """cairn-creds, as talkative as it can be."""
    loud = ["-v=trace"] if words[0] in ("inject", "check") else []
    return run(world, "cairn-creds", words[0], *loud, *words[1:], **how)


def push(world, image: str, environment: dict, *flags: str) -> subprocess.CompletedProcess:
    """Builds a small image and pushes it, as talkative as it can be."""
    build = world.files_only("FROM scratch\nCOPY f /f\n", {"f": "content"}, "-v=trace", *flags,
                             outputs=(f"--destination={image}",),
                             environment={"PATH": f"{PROGRAMS}:{os.environ['PATH']}", **environment})
    remember(build.out, build.err)
    return build


def skopeo(*words: str, environment: dict | None = None) -> subprocess.CompletedProcess:
    return subprocess.run(["skopeo", *words], capture_output=True, text=True, timeout=180, check=False,
                          env={"PATH": f"{PROGRAMS}:{os.environ['PATH']}", **(environment or {})})
