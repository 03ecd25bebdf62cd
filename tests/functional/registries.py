#!/usr/bin/env python3
"""Builds with registries that ask for a password, for trust in their certificate, or speak plain HTTP."""
import base64
import concurrent.futures
import contextlib
import json
import socket
import ssl
import struct
import sys
import threading

from support import Skip, case, closed_registry, expect, expect_equal, main, write_tree

import certificates
import fault_proxy
import registry

USER, PASSWORD = "ann", "s3cret:with:colons"
TEXT = "FROM REGISTRY/busybox\nENV A=b\nCOPY f /f\n"
FILES = {"f": "content"}


@contextlib.contextmanager
def tls_registry(world):
    folder = world.new_directory("tls")
    authority = certificates.Authority(folder)
    certificate, key = authority.issue("server", "IP:127.0.0.1")
    with contextlib.closing(registry.Registry(
            folder, tls=f"  tls: {{certificate: {certificate}, key: {key}}}\n")) as server:
        yield server, authority.certificate


def push_to(world, host: str, *flags: str, **how):
    return world.files_only(TEXT, FILES, *flags, outputs=(f"--destination={host}/app:1",), **how)


def blob_names(server: registry.Registry) -> list[str]:
    return sorted(path.name for path in server.storage.rglob("tags/*"))


@case("config.json opens a registry, for pushing and for bases")
def password(world):
    with closed_registry(world, USER, PASSWORD) as server:
        environment = world.credentials(server.host, USER, PASSWORD)
        push_to(world, server.host, environment=environment).succeeded()
        expect_equal(blob_names(server), ["1"])
        build = world.files_only(f"FROM {server.host}/app:1\nCOPY f /g\n", FILES, environment=environment)
        expect_equal(build.image.text("/f"), "content")


@case("credentials come from DOCKER_AUTH_CONFIG, from a helper, and from variables too")
def other_credentials(world):
    with closed_registry(world, USER, PASSWORD) as server:
        auth = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        push_to(world, server.host, environment={
            "DOCKER_AUTH_CONFIG": json.dumps({"auths": {f"http://{server.host}/v2/": {"auth": auth}}})}).succeeded()
        folder = world.new_directory("helper")
        write_tree(folder, {"config.json": json.dumps({"credHelpers": {server.host: "test"}}),
                            "docker-credential-test": "#!/bin/sh\nread -r host\n[ $1 = get ] || exit 1\n"
                            f'echo \'{{"ServerURL":"\'"$host"\'","Username":"{USER}","Secret":"{PASSWORD}"}}\'\n'})
        (folder / "docker-credential-test").chmod(0o755)
        push_to(world, server.host, environment={"DOCKER_CONFIG": str(folder),
                                                 "PATH": f"{folder}:{world.environment['PATH']}"}).succeeded()


@case("a wrong password is an error that names the key, not the secret")
def wrong_password(world):
    with closed_registry(world, USER, PASSWORD) as server:
        environment = world.credentials(server.host, USER, "hunter2hunter2")
        build = push_to(world, server.host, environment=environment)
        build.failed("check push permission", f"{server.host}/app", "401 Unauthorized", f'"{server.host}"',
                     "config.json")
        expect("hunter2" not in build.err + build.out, f"the secret is shown: {build.err}")
        encoded = base64.b64encode(f"{USER}:hunter2hunter2".encode()).decode()
        expect(encoded not in build.err + build.out, "the secret is shown in base64")
        expect_equal(blob_names(server), [])


@case("without a password the error says where one was looked for")
def no_password(world):
    with closed_registry(world, USER, PASSWORD) as server:
        push_to(world, server.host).failed("401 Unauthorized", f"no credential for {server.host}")
        world.files_only(f"FROM {server.host}/app:1\n").failed("Dockerfile:1", "401 Unauthorized")


@case("no secret is in a message, at any verbosity")
def secrets_in_logs(world):
    with closed_registry(world, USER, PASSWORD) as server:
        environment = world.credentials(server.host, USER, PASSWORD)
        build = push_to(world, server.host, "--verbosity=trace", environment=environment).succeeded()
        encoded = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        expect(PASSWORD not in build.err and encoded not in build.err, "the secret is in the log")


@case("an unknown certificate is refused, and the flags that would help are named")
def unknown_certificate(world):
    with tls_registry(world) as (server, _):
        push_to(world, server.host).failed("certificate", f"--registry-certificate {server.host}=")
        expect_equal(blob_names(server), [])


def own_address() -> str:
    """An address of this machine that is none of the loopback interface."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing
        except OSError:
            raise Skip("this machine has no address but loopback's") from None
        return probe.getsockname()[0]


@contextlib.contextmanager
def server_at(address: str, handle):
    """Calls HANDLE with each connection to a port there."""
    with socket.create_server((address, 0)) as listener:
        def serve():
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection, contextlib.suppress(OSError):
                        handle(connection)
        threading.Thread(target=serve, daemon=True).start()
        yield f"{address}:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)


@case("plain HTTP is never tried without a flag with a private address: the certificate is what the error is about")
def never_plain(world):
    folder = world.new_directory("tls")
    certificate, key = certificates.Authority(folder).issue("server", "IP:127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    plain = []

    def handle(connection):
        if connection.recv(1, socket.MSG_PEEK) != b"\x16":
            plain.append(connection.recv(100))
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return
        context.wrap_socket(connection, server_side=True)

    with server_at(own_address(), handle) as host:
        for build in (push_to(world, host), world.files_only(f"FROM {host}/app:1\n")):
            build.failed("certificate", f"--registry-certificate {host}=")
        expect_equal(plain, [])
        push_to(world, host, f"--insecure-registry={host}").failed("certificate", f"--registry-certificate {host}=")
        expect(plain, "with the flag it is")


@case("a private address that speaks plain HTTP needs a flag, and the error names it")
def private_plain(world):
    answer = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

    def handle(connection):
        connection.recv(4096)
        connection.sendall(answer)

    with server_at(own_address(), handle) as host:
        push_to(world, host).failed(f"--insecure-registry {host}")


@case("--registry-certificate names the authority of one registry")
def known_certificate(world):
    with tls_registry(world) as (server, authority):
        flag = f"--registry-certificate={server.host}={authority}"
        push_to(world, server.host, flag).succeeded()
        world.files_only(f"FROM {server.host}/app:1\nCOPY f /g\n", FILES, flag).succeeded()
        world.files_only(f"FROM {server.host}/app:1\n", None, f"--registry-certificate=elsewhere={authority}").failed(
            "Dockerfile:1", "certificate")


@case("what is trusted of a registry is not trusted of the storage that it redirects to")
def redirect_trust(world):
    with tls_registry(world) as (server, authority):
        flag = f"--registry-certificate={server.host}={authority}"
        push_to(world, server.host, flag).succeeded()
        with contextlib.closing(fault_proxy.FaultProxy(world.host)) as proxy:
            text = f"FROM {proxy.host}/app:1\nCOPY f /g\n"
            for trusted, flags in ((False, [f"--skip-tls-verify-registry={proxy.host}",
                                            f"--registry-certificate={proxy.host}={authority}"]), (True, [flag])):
                proxy.reset()
                proxy.add("^GET /v2/app/", times=99, status=307,
                          headers={"Location": f"https://{server.host}/v2/app/manifests/1"})
                build = world.files_only(text, FILES, *flags)
                said = "certificate" in build.error
                expect(build.status == 1 and said == (not trusted), f"with {flags}: {build.said}")


@case("verification can be turned off, for one registry, for pushes or for pulls")
def no_verification(world):
    with tls_registry(world) as (server, _):
        push_to(world, server.host, f"--skip-tls-verify-registry={server.host}").succeeded()
        push_to(world, server.host, "--skip-tls-verify").succeeded()
        text = f"FROM {server.host}/app:1\nCOPY f /g\n"
        for flag in (f"--skip-tls-verify-registry={server.host}", "--skip-tls-verify-pull"):
            world.files_only(text, FILES, flag).succeeded()
        world.files_only(text, FILES, "--skip-tls-verify").failed("certificate")
        push_to(world, server.host, "--skip-tls-verify-pull").failed("certificate")


@case("plain HTTP has to be allowed where a name is not this machine's own")
def plain_http(world):
    name = socket.gethostname()
    try:
        addresses = {entry[4][0] for entry in socket.getaddrinfo(name, None, socket.AF_INET)}
    except OSError:
        addresses = set()
    if not any(address.startswith("127.") for address in addresses) or "localhost" in name:
        raise Skip(f"the machine's name {name} does not stand for a loopback address")
    host = f"{name}:{world.registry.port}"
    push_to(world, host).failed(f"{host}/app", f"--insecure-registry {host}")
    for flag in ("--insecure", f"--insecure-registry={host}"):
        push_to(world, host, flag).succeeded()
    text = f"FROM {host}/app:1\nCOPY f /g\n"
    for flag in ("--insecure-pull", f"--insecure-registry={host}"):
        world.files_only(text, FILES, flag).succeeded()
    expect(world.files_only(text, FILES, "--insecure").status != 0, "--insecure is for pushes alone")


@case("a registry that refuses pushes is noticed before anything is built")
def push_check(world):
    with closed_registry(world, USER, PASSWORD) as server:
        build = push_to(world, server.host, environment=world.credentials(server.host, USER, "wrong"))
        expect("COPY" not in build.err, f"steps were built: {build.err}")
        build = push_to(world, server.host, "--skip-push-permission-check",
                        environment=world.credentials(server.host, USER, "wrong"))
        expect("COPY" in build.err, f"nothing was built: {build.err}")
        build.failed("401 Unauthorized")


@case("transfers that break are taken up again")
def broken_transfers(world):
    with contextlib.closing(fault_proxy.FaultProxy(world.host)) as proxy:
        proxy.add("^GET .*/blobs/", times=2, cut_answer_after=100)
        proxy.add("^GET .*/manifests/", status=503)
        proxy.add("^PUT .*/manifests/", status=500)
        build = world.build(f"FROM {proxy.host}/busybox\nCOPY f /f\nRUN cat /f\n", FILES,
                            outputs=(f"--destination={proxy.host}/broken:1",)).succeeded()
        expect_equal((build.out, world.tags("broken")), ("content", ["1"]))
        expect("trying again" in build.err, f"nothing is said of it: {build.err}")


@case("a registry that cannot be reached or is out of order is worth another try: status 75")
def unreachable(world):
    host = f"127.0.0.1:{registry.free_port()}"
    with contextlib.closing(fault_proxy.FaultProxy(
            world.host)) as proxy, concurrent.futures.ThreadPoolExecutor() as pool:
        proxy.add("", times=99, status=503)
        push = pool.submit(push_to, world, host)
        pull = pool.submit(world.files_only, f"FROM {host}/app:1\n")
        out_of_order = pool.submit(world.files_only, f"FROM {proxy.host}/app:1\n")
        push.result().failed(f"{host}/app", "connect", status=75)
        pull.result().failed("Dockerfile:1", f"{host}/app", "connect", status=75)
        out_of_order.result().failed("Dockerfile:1", f"{proxy.host}/app", "503", status=75)


if __name__ == "__main__":
    sys.exit(main())
