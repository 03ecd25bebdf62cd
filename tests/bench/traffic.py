"""What a build asked of the registry and what went over the wire, by the registry's own log."""
import collections
import dataclasses
import re
import time

import registry

LINE = re.compile(r'"(?P<method>[A-Z]+) (?P<target>\S+) HTTP/1\.1" (?P<status>\d+) (?P<size>\d+|-)')
BLOB = re.compile(r"^/v2/.*/blobs/(sha256:[0-9a-f]{64})")
STORED = re.compile(r"^/v2/.*/blobs/uploads/.*[?&]digest=(sha256(?::|%3A)[0-9a-f]{64})")
PATIENCE = 10  # seconds for a line to get into the log


@dataclasses.dataclass
class Traffic:
    """Of one build. Bytes are those of blobs and documents, without HTTP's headers."""

    requests: int = 0
    blob_gets: int = 0
    most_gets_of_a_blob: int = 0
    sent: int = 0      # by the registry
    received: int = 0  # by the registry, in blobs


class Meter:
    """Reads the log of a registry from where it was read last."""

    def __init__(self, server: registry.Registry):
        self._server, self._marks = server, 0
        self._log = server.log.open(errors="replace")

    def read(self) -> Traffic:
        """What was asked since the last call."""
        found, gets = Traffic(), collections.Counter()
        for line in self._new_lines():
            match = LINE.search(line)
            if match is None or registry.MARK in match["target"]:
                continue
            found.requests += 1
            blob = BLOB.match(match["target"])
            if match["method"] == "GET":
                found.sent += int(match["size"].replace("-", "0"))
                gets.update([blob[1]] if blob and match["status"] in ("200", "206") else [])
            stored = STORED.match(match["target"])
            if stored and match["method"] in ("PUT", "POST") and match["status"] == "201":
                found.received += self._size_of(stored[1].replace("%3A", ":"))
        found.blob_gets = gets.total()
        found.most_gets_of_a_blob = max(gets.values(), default=0)
        return found

    def _new_lines(self) -> list[str]:
        """A line is written a little later than the answer: so a request of our own has to be in the log."""
        self._marks += 1
        mark = f"{registry.MARK}{self._marks}."
        registry.ask(self._server.host, f"/v2/{mark}")
        text, end = "", time.monotonic() + PATIENCE
        while mark not in text and time.monotonic() < end:
            time.sleep(0.05)
            text += self._log.read()
        time.sleep(0.05)
        return (text + self._log.read()).splitlines()

    def _size_of(self, digest: str) -> int:
        name = digest.partition(":")[2]
        return (self._server.storage / f"docker/registry/v2/blobs/sha256/{name[:2]}/{name}/data").stat().st_size

    def close(self) -> None:
        self._log.close()
