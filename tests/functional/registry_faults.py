#!/usr/bin/env python3
"""A registry whose connections break, whose bytes are wrong, and that is busy."""
import contextlib
import json
import os
import pathlib
import sys
import time
import types

ROOT = pathlib.Path(os.environ.get("CAIRN_ROOT", pathlib.Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(ROOT / "tests/support"))

import fault_proxy  # noqa: E402
import images  # noqa: E402
import registry  # noqa: E402
from registry_cases import expect, run_cases  # noqa: E402

BLOB = r"^GET /v2/team/app/blobs/"
UPLOAD = r"^PUT /v2/team/.*/blobs/uploads/"


def pull(world, *options, name="copy", **keywords):
    return world.tool(*options, "pull", f"{world.proxy.host}/team/app:1", world.directory / name, **keywords)


def fetch_layer(world, *options):
    layer = world.layer
    return world.tool(*options, "blob", f"{world.proxy.host}/team/app", layer["digest"], layer["size"])


def upload(world, *options, seed: int, size: int = 900_000):
    image = world.blobs.image([size], seed=seed)
    return image, world.tool(*options, "push", world.blobs.path, image, f"{world.proxy.host}/team/up{seed}:1")


def is_there(world, image: str, seed: int) -> bool:
    return images.digest_of(registry.get(world.registry.host, f"/v2/team/up{seed}/manifests/1")) == image


def resumed(world):
    """a download that breaks off goes on where it broke"""
    world.proxy.add(BLOB + world.layer["digest"], cut_answer_after=1_500_000)
    world.proxy.add(BLOB + world.layer["digest"], cut_answer_after=700_000)
    result = fetch_layer(world)
    expect(result.status == 0, "the blob comes", result)
    ranges = [headers["Range"] for headers in world.proxy.headers_seen if "Range" in headers]
    first = [int(value.removeprefix("bytes=").removesuffix("-")) for value in ranges]
    expect(len(first) == 2 and 0 < first[0] <= 1_500_000 and first[0] < first[1] <= 2_200_000,
           f"two ranges, each further on: {ranges}")


def ignored_range(world):
    """a registry that ignores ranges is read from the start again"""
    world.proxy.add(BLOB + world.layer["digest"], cut_answer_after=1_000_000)
    world.proxy.add(BLOB + world.layer["digest"], ignore_range=True)
    result = fetch_layer(world)
    expect(result.status == 0, "the blob comes, verified", result)


def corrupt(world):
    """a wrong byte is noticed before the end of the blob"""
    world.proxy.add(BLOB + world.layer["digest"], flip_byte=2_000_000)
    result = fetch_layer(world)
    expect(result.status == 1 and f"get blob {world.layer['digest']}" in result.err, "it is an error", result)
    expect("the bytes that came have the digest sha256:" in result.err, "that says what came", result)


def corrupt_manifest(world):
    """a manifest that is not the one asked for is refused"""
    world.proxy.add("^GET .*/manifests/", times=2, flip_byte=40)
    result = world.tool("manifest", f"{world.proxy.host}/team/app@{world.image}")
    expect(result.status == 1 and f"not {world.image}" in result.err, "by its digest", result)
    result = world.tool("manifest", f"{world.proxy.host}/team/app:1")
    expect(result.status == 1 and f"not {world.image}" in result.err, "by the header when asked for a tag", result)


def short_manifest(world):
    """a manifest that breaks off is asked for again, one that ends early is refused"""
    world.proxy.add("^GET .*/manifests/", cut_answer_after=40)
    result = pull(world)
    expect(result.status == 0, "the image comes", result)
    expect(world.proxy.count("^GET .*/manifests/") == 2, f"after a second request: {world.proxy.log}")
    whole = registry.get(world.registry.host, "/v2/team/app/manifests/1")
    media_type = {"Content-Type": json.loads(whole)["mediaType"]}
    for name in (f"team/app@{world.image}", "team/app:1"):
        world.proxy.add("^GET .*/manifests/", times=9, status=200, headers=media_type, body=whole[:-40])
        result = world.tool("pull", f"{world.proxy.host}/{name}", world.directory / "short")
        expect(result.status == 1 and f"{world.proxy.host}/{name}" in result.err, "an error that names it", result)
        world.proxy.reset()


def abandoned(world):
    """a download that nobody wants to the end does not hold the program up"""
    world.proxy.add(BLOB + world.layer["digest"], stall_after=100_000)
    started = time.monotonic()
    result = world.tool("drop", f"{world.proxy.host}/team/app", world.layer["digest"], world.layer["size"])
    expect(result.status == 0 and result.out == "1\n", "the first byte came", result)
    expect(time.monotonic() - started < 10, "and it ended soon after")


def stalled(world):
    """a connection on which nothing moves is given up and the download goes on"""
    world.proxy.add(BLOB + world.layer["digest"], stall_after=1_000_000)
    result = fetch_layer(world, "--stall=1")
    expect(result.status == 0, "the blob comes", result)
    expect("nothing moved for 1 seconds" in result.err, "why it was tried again", result)


def trickling(world):
    """a download of a byte now and then is given up and goes on with another connection"""
    world.proxy.add(BLOB + world.layer["digest"], trickle=0.05)
    result = fetch_layer(world, "--window=2")
    expect(result.status == 0 and "bytes moved in 2 seconds" in result.err, "the blob comes", result)


def unanswered_upload(world):
    """an upload that is not answered is told of, given up and begun again"""
    world.proxy.add(UPLOAD, silent=True)
    image, result = upload(world, "--stall=2", "--report=1", seed=31)
    expect(result.status == 0 and is_there(world, image, 31), "the image is there", result)
    expect("/blobs/uploads/" in result.err and "no answer for 1 s" in result.err, "who is waited for", result)
    expect("no answer for 2 seconds" in result.err, "why it was tried again", result)


def long_header(world):
    """headers that are too large are an error at once"""
    body = registry.get(world.registry.host, "/v2/team/app/manifests/1")
    for headers in ({"X-Long": "x" * 200_000}, {f"X-{i}": "y" for i in range(3000)}):
        world.proxy.reset()
        world.proxy.add("^GET .*/manifests/", times=9, status=200, headers=headers, body=body)
        result = pull(world)
        expect(result.status == 1 and "headers" in result.err, "an error", result)
        expect(world.proxy.count("^GET .*/manifests/") == 1, f"after one request: {world.proxy.log}")


def large_documents(world):
    """a manifest that is too large is an error at once"""
    world.proxy.add("^GET .*/manifests/", times=9, status=200, body=b" " * (9 << 20))
    result = pull(world)
    expect(result.status == 1 and "larger than 8388608 bytes" in result.err, "an error", result)
    expect(world.proxy.count("^GET .*/manifests/") == 1, f"after one request: {world.proxy.log}")


def no_manifest(world):
    """JSON that is no manifest is an error"""
    for body in (b'{"hello":"world"}', b"[1]", b'{"schemaVersion":2,"layers":5,"config":{}}'):
        world.proxy.reset()
        world.proxy.add("^GET .*/manifests/", status=200, body=body,
                        headers={"Content-Type": "application/vnd.oci.image.manifest.v1+json"})
        result = pull(world)
        expect(result.status == 1 and f"get manifest of {world.proxy.host}/team/app:1" in result.err, "an error",
               result)


def led_to_metadata(world):
    """a redirect to a link-local address is refused"""
    for host in ("169.254.169.254", "2852039166", "0xa9fea9fe", "[::ffff:169.254.169.254]", "[fe80::1]",
                 "[fd00:ec2::254]"):
        for pattern in (BLOB, "^GET .*/manifests/"):
            world.proxy.reset()
            world.proxy.add(pattern, times=9, status=307, headers={"Location": f"http://{host}/latest/meta-data/"})
            result = fetch_layer(world) if pattern == BLOB else pull(world)
            expect(result.status == 1 and "must not lead to a link-local address" in result.err, host, result)
            expect(world.proxy.count(pattern) == 1, f"once: {world.proxy.log}")
    world.proxy.reset()
    world.proxy.add("^POST .*/blobs/uploads/", times=9, status=202,
                    headers={"Location": "http://169.254.169.254/upload"})
    _, result = upload(world, seed=32)
    expect(result.status == 1 and "must not lead to a link-local address" in result.err, "an upload", result)


def body_elsewhere(world):
    """an upload that is redirected to another server is refused"""
    world.storage.reset()
    for pattern, seed in ((UPLOAD, 33), ("^PUT .*/manifests/", 34)):
        world.proxy.reset()
        world.proxy.add(pattern, times=9, status=307, headers={"Location": f"http://{world.storage.host}/elsewhere"})
        _, result = upload(world, seed=seed)
        expect(result.status == 1 and "what is sent would go to another server" in result.err, "an error", result)
    expect(world.storage.log == [], f"nothing went there: {world.storage.log}")


def no_location(world):
    """an answer without a Location is an error that holds its status"""
    world.proxy.add("^POST .*/blobs/uploads/", times=9, status=202)
    _, result = upload(world, seed=35)
    expect(result.status == 1 and f"POST http://{world.proxy.host}/v2/team/up35/blobs/uploads/: 202: the answer has no "
           "Location" in result.err, "what was asked", result)


def pieces_alone(world):
    """a registry that takes uploads in pieces alone is remembered"""
    for number, refusal in enumerate([(404, b'{"errors":[{"code":"BLOB_UNKNOWN"}]}'), (405, b""), (501, b"")]):
        world.proxy.reset()
        world.proxy.add(UPLOAD, times=99, refuse_above=0, refuse_with=refusal)
        image = world.blobs.image([900_000, 800_000, 700_000], seed=36 + number)
        result = world.tool("--parallel=1", "push", world.blobs.path, image,
                            f"{world.proxy.host}/team/up{36 + number}:1")
        expect(result.status == 0 and is_there(world, image, 36 + number), "the image is there", result)
        expect(world.proxy.count(f"^PUT .*/uploads/.* {refusal[0]}") == 1 and
               world.proxy.count("^PATCH .* 202") == 4, f"refused once: {world.proxy.log}")


def busy(world):
    """a registry that is busy is asked again"""
    for status in (500, 502, 503, 504, 408):
        world.proxy.reset()
        world.proxy.add("^GET .*/manifests/", status=status)
        result = pull(world)
        expect(result.status == 0 and str(status) in result.err, f"{status} passes", result)


def retry_after(world):
    """Retry-After is waited for"""
    world.proxy.add("^GET .*/manifests/", status=429, headers={"Retry-After": "2"})
    started = time.monotonic()
    result = pull(world)
    expect(result.status == 0, "pull works", result)
    expect(2 <= time.monotonic() - started < 8, "after two seconds")


def asks_too_much(world):
    """a registry that wants to be left alone for an hour is a temporary failure at once"""
    world.proxy.add("^GET .*/manifests/", status=429, headers={"Retry-After": "3600"},
                    body=b'{"errors":[{"code":"TOOMANYREQUESTS","message":"pull rate limit reached"}]}')
    started = time.monotonic()
    result = pull(world)
    expect(result.status == 75 and "TOOMANYREQUESTS: pull rate limit reached" in result.err, "its words", result)
    expect("wait for 3600 seconds" in result.err and time.monotonic() - started < 5, "no waiting", result)


def stays_broken(world):
    """what stays broken ends with exit status 75, naming host and answer"""
    world.proxy.add("^GET .*/manifests/", times=99, status=503, body=b"the disk is full\n")
    result = pull(world, "--attempts=3")
    expect(result.status == 75, "exit status 75", result)
    expect(f"{world.proxy.host}/v2/team/app/manifests/1: 503 Service Unavailable: the disk is full" in result.err,
           "host and words", result)
    expect(world.proxy.count("^GET .*/manifests/") == 3, "three attempts")


def broken_upload(world):
    """an upload whose connection breaks begins again"""
    layer = world.blobs.layers(world.blobs.image([900_000], seed=21))[0]["digest"]
    world.proxy.add(UPLOAD + ".*" + layer.removeprefix("sha256:"), cut_request_after=300_000)
    image, result = upload(world, seed=21)
    expect(result.status == 0 and is_there(world, image, 21), "the image is there", result)
    expect("of 900" in result.err and "callback" not in result.err, "how far it came", result)
    expect(world.proxy.count("^POST .*/uploads/ 202") == 3, f"with a new upload: {world.proxy.log}")


def lost_session(world):
    """an upload that the registry does not know any more begins again"""
    world.proxy.add(UPLOAD, status=404, body=b'{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}')
    image, result = upload(world, seed=22)
    expect(result.status == 0 and is_there(world, image, 22), "the image is there", result)


def pieces(world):
    """a proxy that limits the size of requests gets pieces"""
    world.proxy.add(r"^(PUT|PATCH) .*/blobs/uploads/", times=99, refuse_above=1_100_000)
    image, result = upload(world, seed=23, size=2_500_000)
    expect(result.status == 0 and is_there(world, image, 23), "the image is there", result)
    expect(world.proxy.count("^PATCH .* 202") == 3, f"in three pieces: {world.proxy.log}")


def broken_pieces(world):
    """a piece that breaks off is the only one that is sent again"""
    world.proxy.add(UPLOAD, times=99, refuse_above=1_100_000)
    world.proxy.add("^PATCH ", times=2, refuse_above=1_100_000)  # the first is refused, the second is not
    world.proxy.add("^PATCH ", cut_request_after=400_000)
    image, result = upload(world, seed=28, size=2_500_000)
    expect(result.status == 0 and is_there(world, image, 28), "the image is there", result)
    expect(world.proxy.count("^PATCH .* 202") == 3 and world.proxy.count("^PATCH .* cut") == 1 and
           world.proxy.count("^GET .*/uploads/.* 204") == 1, f"the piece that had arrived stays: {world.proxy.log}")


def forgotten_pieces(world):
    """an upload in pieces that the registry forgets begins again, a few times"""
    world.proxy.add(r"^(PUT|PATCH) .*/blobs/uploads/", times=2, refuse_above=1_100_000)
    world.proxy.add("^PATCH ", status=503)
    world.proxy.add("^GET .*/blobs/uploads/", status=404)
    image, result = upload(world, seed=29, size=2_500_000)
    expect(result.status == 0 and is_there(world, image, 29), "the image is there", result)
    world.proxy.reset()
    world.proxy.add(UPLOAD, status=405)
    world.proxy.add("^PATCH ", times=99, status=503)
    world.proxy.add("^GET .*/blobs/uploads/", times=99, status=404)
    _, result = upload(world, "--attempts=9", seed=30)
    expect(result.status == 75, "an end of it", result)


def no_single_put(world):
    """a registry that takes no single PUT gets PATCH and PUT"""
    world.proxy.add(UPLOAD, times=1, status=405)
    image, result = upload(world, seed=24)
    expect(result.status == 0 and is_there(world, image, 24), "the image is there", result)


def refused_upload(world):
    """an upload that is refused for good is not tried again"""
    world.proxy.add("^POST .*/blobs/uploads/", times=99, status=403,
                    body=b'{"errors":[{"code":"DENIED","message":"quota exceeded"}]}')
    _, result = upload(world, seed=25)
    expect(result.status == 1 and "403 Forbidden: DENIED: quota exceeded" in result.err, "its words", result)


def nothing_tagged(world):
    """a push that fails half way leaves no tag"""
    world.proxy.add(UPLOAD, times=99, status=500)
    _, result = upload(world, "--attempts=2", seed=26)
    expect(result.status == 75 and world.proxy.count("^PUT .*/manifests/") == 0, "no manifest was put", result)


def immutable(world):
    """a tag that may not be moved is an error, or none if that is wished"""
    body = (b'{"errors":[{"code":"TAG_INVALID","message":"The image tag \'1\' already exists and cannot be overwritten '
            b'because the tag is immutable."}]}')
    for options, status in (((), 1), (("--ignore-immutable",), 0)):
        world.proxy.add("^PUT .*/manifests/", status=400, body=body)
        _, result = upload(world, *options, seed=27)
        expect(result.status == status and "cannot be overwritten" in result.err, f"status {status}", result)


def schema1(world):
    """a Docker schema 1 manifest is refused with what to do"""
    world.proxy.add("^GET .*/manifests/", status=200, body=b'{"schemaVersion": 1, "name": "x", "tag": "1"}',
                    headers={"Content-Type": "application/vnd.docker.distribution.manifest.v1+prettyjws"})
    result = world.tool("manifest", f"{world.proxy.host}/team/app:1")
    expect(result.status == 1 and "schema 1" in result.err and "hint: " in result.err, "it is named", result)


def redirects(world):
    """a redirect to storage is followed without the credential"""
    storage = world.storage
    path = f"/v2/team/app/blobs/{world.layer['digest']}"
    world.proxy.add(BLOB, status=307, headers={"Location": f"http://{storage.host}{path}"})
    challenge = 'Basic realm="x"'
    world.proxy.faults.insert(0, fault_proxy.Fault(BLOB, status=401, headers={"WWW-Authenticate": challenge}))
    storage.reset()
    layer = world.layer
    result = world.tool("blob", f"{world.proxy.host}/team/app", layer["digest"], layer["size"],
                        config={"auths": {world.proxy.host: {"username": "u", "password": "p"}}})
    expect(result.status == 0, "the blob comes", result)
    expect(any("Authorization" in headers for headers in world.proxy.headers_seen), "the registry gets it")
    expect(storage.headers_seen and not any("Authorization" in headers for headers in storage.headers_seen),
           "the storage does not")


def through_a_proxy(world):
    """--insecure and HTTP_PROXY reach a registry that no name server knows"""
    environment = {"HTTP_PROXY": f"http://{world.proxy.host}"}
    result = world.tool("--insecure", "manifest", "registry.invalid/team/app:1", environment=environment)
    expect(result.status == 0 and world.image in result.out, "the manifest comes", result)
    result = world.tool("--attempts=1", "manifest", "registry.invalid/team/app:1", environment=environment)
    expect(result.status == 75, "not without --insecure", result)
    result = world.tool("--attempts=1", "--insecure", "manifest", "registry.invalid/team/app:1",
                        environment={**environment, "NO_PROXY": ".invalid"})
    expect(result.status == 75, "not with NO_PROXY", result)


def documented(_world):
    """docs/registries.md says of every fault what happens"""
    rows = {line.split("|")[3].strip() for line in (ROOT / "docs/registries.md").read_text().splitlines()
            if line.count("|") == 4}
    undocumented = {case.__doc__ for case in CASES if case is not documented} - rows
    expect(not undocumented, f"no row for {sorted(undocumented)}")
    held = (ROOT / "tests/functional/registry_faults.py").read_text() + \
        (ROOT / "tests/functional/registry_token.py").read_text()
    invented = [
        row for row in rows if f'"""{row}"""' not in held and row != "the test that holds it" and "---" not in row
    ]
    expect(not invented, f"no test for {invented}")


CASES = [
    resumed, ignored_range, corrupt, corrupt_manifest, short_manifest, no_manifest, large_documents, long_header,
    abandoned, stalled, trickling, unanswered_upload, led_to_metadata, body_elsewhere, no_location, pieces_alone, busy,
    retry_after, asks_too_much, stays_broken, broken_upload, lost_session, pieces, broken_pieces, forgotten_pieces,
    no_single_put, refused_upload, nothing_tagged, immutable, schema1, redirects, through_a_proxy, documented
]


def from_scratch(case):
    """CASE with a proxy that forwards faithfully at first."""
    def run(world):
        world.proxy.reset()
        case(world)
    run.__doc__ = case.__doc__
    return run


@contextlib.contextmanager
def fixture(directory: pathlib.Path, tool):
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(contextlib.closing(registry.Registry(directory)))
        proxy, storage = (stack.enter_context(contextlib.closing(fault_proxy.FaultProxy(server.host))) for _ in "12")
        blobs = images.BlobFolder(directory / "blobs")
        image = blobs.image([3_000_000, 4000])
        pushed = tool("push", blobs.path, image, f"{server.host}/team/app:1")
        expect(pushed.status == 0, "an image is pushed", pushed)
        yield types.SimpleNamespace(directory=directory, tool=tool, registry=server, proxy=proxy, storage=storage,
                                    blobs=blobs, image=image, layer=blobs.layers(image)[0])


if __name__ == "__main__":
    if registry.PROGRAM is None:
        print(f"skip {resumed.__doc__}: docker-registry is not installed")
        sys.exit(0)
    sys.exit(run_cases([from_scratch(case) for case in CASES], fixture))
