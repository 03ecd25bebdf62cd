"""Images made of bytes, kept in a folder of blobs by digest as registry_tool reads them."""
import hashlib
import json
import pathlib
import random

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"


def digest_of(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


class BlobFolder:
    def __init__(self, path: pathlib.Path):
        self.path = path
        (path / "blobs/sha256").mkdir(parents=True, exist_ok=True)

    def put(self, data: bytes) -> str:
        digest = digest_of(data)
        (self.path / "blobs" / digest.replace(":", "/")).write_bytes(data)
        return digest

    def get(self, digest: str) -> bytes:
        return (self.path / "blobs" / digest.replace(":", "/")).read_bytes()

    def image(self, layer_sizes: list[int], *, seed: int = 1, architecture: str = "amd64",
              layer_type: str = "application/vnd.oci.image.layer.v1.tar+gzip") -> str:
        """Puts an image with random layers; the digest of its manifest."""
        chance = random.Random(seed)
        layers = [self.describe(chance.randbytes(size), layer_type) for size in layer_sizes]
        config = json.dumps({"architecture": architecture, "os": "linux", "config": {}, "seed": seed,
                             "rootfs": {"type": "layers", "diff_ids": [layer["digest"] for layer in layers]}})
        manifest = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "layers": layers,
                    "config": self.describe(config.encode(), "application/vnd.oci.image.config.v1+json")}
        return self.put(json.dumps(manifest).encode())

    def describe(self, data: bytes, media_type: str) -> dict:
        return {"mediaType": media_type, "digest": self.put(data), "size": len(data)}

    def layers(self, manifest: str) -> list[dict]:
        return json.loads(self.get(manifest))["layers"]
