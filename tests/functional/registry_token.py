#!/usr/bin/env python3
"""docker-registry with token authentication: scopes, refresh tokens, tokens that end."""
import contextlib
import os
import pathlib
import sys
import types

ROOT = pathlib.Path(os.environ.get("CAIRN_ROOT", pathlib.Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(ROOT / "tests/support"))

import certificates  # noqa: E402
import fault_proxy  # noqa: E402
import images  # noqa: E402
import registry  # noqa: E402
import token_server  # noqa: E402
from registry_cases import expect, run_cases  # noqa: E402


def auths(world, user: str, password: str) -> dict:
    return {"auths": {world.registry.host: {"username": user, "password": password}}}


def writes(world):
    """a token lets its owner push and pull"""
    world.tokens.requests.clear()
    pushed = world.tool("push", world.blobs.path, world.image, f"{world.registry.host}/public/app:1",
                        config=auths(world, "writer", "pw"))
    expect(pushed.status == 0, "push works", pushed)
    expect(world.tokens.requests == [("GET", "writer", ["repository:public/app:pull,push"])],
           f"one token is enough: {world.tokens.requests}")


def anonymous_pull(world):
    """without a credential a token is asked for all the same"""
    world.tokens.requests.clear()
    pulled = world.tool("pull", f"{world.registry.host}/public/app:1", world.directory / "anonymous")
    expect(pulled.status == 0, "pull works", pulled)
    expect(world.tokens.requests == [("GET", "anonymous", ["repository:public/app:pull"])],
           f"one anonymous token: {world.tokens.requests}")


def anonymous_push(world):
    """without a credential a push is refused, and the error says so"""
    result = world.tool("check", f"{world.registry.host}/public/app")
    expect(result.status == 1 and f"no credential for {world.registry.host} was given" in result.err, "why", result)


def mounting(world):
    """mounting asks for both repositories at once"""
    world.tokens.requests.clear()
    mounted = world.tool("mount", f"{world.registry.host}/public/other", world.blobs.layers(world.image)[0]["digest"],
                         "public/app", config=auths(world, "writer", "pw"))
    expect(mounted.out == "mounted\n", "it is mounted", mounted)
    expect(world.tokens.requests == [("GET", "writer", ["repository:public/other:pull,push",
                                                        "repository:public/app:pull"])],
           f"one token for both: {world.tokens.requests}")


def reader_may_not_push(world):
    """a token that does not allow to push leads to an error, not to a loop"""
    world.tokens.requests.clear()
    result = world.tool("check", f"{world.registry.host}/public/app", config=auths(world, "reader", "pw"))
    expect(result.status == 1 and "may not exist, or the credential may not do this" in result.err, "why", result)
    expect(len(world.tokens.requests) <= 2, f"asked twice at most: {world.tokens.requests}")


def wrong_password(world):
    """what the token server says to a wrong password is shown"""
    result = world.tool("check", f"{world.registry.host}/public/app", config=auths(world, "writer", "no such password"))
    expect(result.status == 1 and "UNAUTHORIZED: incorrect username or password" in result.err, "its words", result)
    expect(f'with credential "{world.registry.host}"' in result.err, "the key", result)
    expect("no such password" not in result.err, "not the password", result)


def identity_tokens(world):
    """an identity token is exchanged by OAuth 2"""
    world.tokens.requests.clear()
    config = {"auths": {world.registry.host: {"auth": "d3JpdGVyOg==", "identitytoken": "refresh-1"}}}
    result = world.tool("check", f"{world.registry.host}/public/app", config=config)
    expect(result.status == 0, "it opens the registry", result)
    expect(world.tokens.requests == [("POST", "writer", ["repository:public/app:pull,push"])],
           f"by POST: {world.tokens.requests}")


def secrets_stay(world):
    """a token server that sends a secret on to another server is not followed"""
    proxy, taken = world.proxy, world.elsewhere
    identity = {"auth": "d3JpdGVyOg==", "identitytoken": "refresh-1"}
    for entry in (identity, {"username": "writer", "password": "pw"}):
        for status in (301, 302, 303, 307, 308):
            proxy.reset()
            taken.reset()
            proxy.add("^(GET|POST) /token", status=status, headers={"Location": f"http://{taken.host}/token"})
            proxy.add("/v2/", times=9, status=401,
                      headers={"WWW-Authenticate": f'Bearer realm="http://{proxy.host}/token"'})
            result = world.tool("--attempts=1", "check", f"{proxy.host}/public/app",
                                config={"auths": {proxy.host: entry}})
            expect(result.status == 1 and "would go to another server" in result.err, f"{status}: an error", result)
            expect(taken.log == [], f"nothing went there: {taken.log}")
            expect("refresh-1" not in result.err, "the secret is not shown", result)


def registry_tokens(world):
    """a registry token is sent as it is"""
    token = world.tokens.token("writer", ["repository:public/app:pull,push"])["token"]
    world.tokens.requests.clear()
    result = world.tool("check", f"{world.registry.host}/public/app",
                        config={"auths": {world.registry.host: {"registrytoken": token}}})
    expect(result.status == 0 and world.tokens.requests == [], "no token server is asked", result)


def rejected_token(world):
    """a token that the registry stops taking is replaced once"""
    proxy = world.proxy
    proxy.reset()
    challenge = (f'Bearer realm="http://{world.tokens.host}/token",service="test-registry",'
                 'scope="repository:public/app:pull,push",error="invalid_token"')
    proxy.add("^PUT .*/blobs/uploads/", status=401, headers={"WWW-Authenticate": challenge})
    image = world.blobs.image([600_000], seed=11)
    config = {"auths": {proxy.host: {"username": "writer", "password": "pw"}}}
    world.tokens.requests.clear()
    pushed = world.tool("push", world.blobs.path, image, f"{proxy.host}/public/app:2", config=config)
    expect(pushed.status == 0, "push works", pushed)
    expect(len(world.tokens.requests) == 2, f"two tokens: {world.tokens.requests}")


def short_lives(world):
    """a token is used until it ends and not beyond"""
    world.tokens.requests.clear()
    world.tokens.life = 1  # Of which nothing is left after rounding: every request asks anew.
    try:
        result = world.tool("pull", f"{world.registry.host}/public/app:1", world.directory / "short")
    finally:
        world.tokens.life = 300
    expect(result.status == 0, "pull works", result)


CASES = [
    writes, anonymous_pull, anonymous_push, mounting, reader_may_not_push, wrong_password, identity_tokens,
    secrets_stay, registry_tokens, rejected_token, short_lives
]


@contextlib.contextmanager
def fixture(directory: pathlib.Path, tool):
    with contextlib.ExitStack() as stack:
        tokens = stack.enter_context(
            contextlib.closing(
                token_server.TokenServer(certificates.Authority(directory), {"writer": "pw", "reader": "pw"},
                                         refresh_tokens={"refresh-1": "writer"})))
        server = stack.enter_context(contextlib.closing(registry.Registry(directory, auth=tokens.registry_config())))
        proxy = stack.enter_context(contextlib.closing(fault_proxy.FaultProxy(server.host)))
        elsewhere = stack.enter_context(contextlib.closing(fault_proxy.FaultProxy(server.host)))
        blobs = images.BlobFolder(directory / "blobs")
        yield types.SimpleNamespace(directory=directory, tool=tool, tokens=tokens, registry=server, proxy=proxy,
                                    elsewhere=elsewhere, blobs=blobs, image=blobs.image([50_000, 60_000]))


if __name__ == "__main__":
    if registry.PROGRAM is None:
        print(f"skip {writes.__doc__}: docker-registry is not installed")
        sys.exit(0)
    sys.exit(run_cases(CASES, fixture))
