#!/usr/bin/env python3
"""cairn-creds and docker-credential-cairn, with a registry that wants a password."""
import base64
import json
import os
import pathlib
import stat
import sys
import tempfile

from support import Skip, case, closed_registry, expect, expect_equal, main, write_tree

import registry
import tar_layers
from cloud_front import PlainServer
from creds_support import (USER, creds, new_secret, no_secret_was_printed, push, remember, run,
                           skopeo)


def auth(user: str, password: str) -> str:
    return base64.b64encode(f"{user}:{password}".encode()).decode()


def docker_config(host: str, password: str, **members) -> str:
    return json.dumps({"auths": {host: {"auth": auth(USER, password)}}, **members})


def written(folder: pathlib.Path) -> dict:
    return json.loads((folder / "config.json").read_text())


@case("a mounted Secret opens the registry for the executor, and for skopeo")
def mounted_secret(world):
    password = new_secret("secret")
    with closed_registry(world, USER, password) as server:
        secret, folder = world.new_directory("secret"), world.new_directory("out") / "docker"
        write_tree(secret, {".dockerconfigjson": docker_config(server.host, password, HttpHeaders={"a": "b"})})
        done = creds(world, "inject", f"--from-dir={secret}", f"--dir={folder}", "--print-env").succeeded()
        expect_equal(done.out, f"DOCKER_CONFIG={folder}\nREGISTRY_AUTH_FILE={folder}/config.json\n")
        expect(f'{server.host}: user "{USER}" of {secret}/.dockerconfigjson' in done.err, done.said)
        expect_equal(stat.S_IMODE((folder / "config.json").stat().st_mode), 0o600)
        expect_equal(stat.S_IMODE(folder.stat().st_mode), 0o700)
        expect_equal(written(folder)["HttpHeaders"], {"a": "b"})
        push(world, f"{server.host}/app:1", {"DOCKER_CONFIG": str(folder)}).succeeded()
        seen = skopeo("inspect", "--tls-verify=false", f"docker://{server.host}/app:1",
                      environment={"REGISTRY_AUTH_FILE": str(folder / "config.json")})
        expect(seen.returncode == 0, seen.stderr)


@case("user and password in files are written as every client reads them")
def mounted_login(world):
    password = new_secret("basic")
    with closed_registry(world, USER, password) as server:
        secret, folder = world.new_directory("basic"), world.new_directory("out")
        write_tree(secret, {"username": f"{USER}\n", "password": f"{password}\n", "registry": server.host})
        creds(world, "inject", f"--from-dir={secret}", f"--dir={folder}", f"--auth-file={folder}/auth.json").succeeded()
        expect_equal(written(folder), {"auths": {server.host: {"auth": auth(USER, password)}}})
        expect_equal((folder / "auth.json").read_text(), (folder / "config.json").read_text())
        push(world, f"{server.host}/app:1", {"DOCKER_CONFIG": str(folder)}).succeeded()
        listed = skopeo("list-tags", "--tls-verify=false", "--authfile", str(folder / "auth.json"),
                        f"docker://{server.host}/app")
        expect(listed.returncode == 0, listed.stderr)


@case("a job of GitLab needs no configuration at all")
def gitlab(world):
    password = new_secret("job")
    with closed_registry(world, USER, password) as server:
        job = {"CI_REGISTRY": server.host, "CI_REGISTRY_USER": USER, "CI_REGISTRY_PASSWORD": password}
        push(world, f"{server.host}/app:1", job).succeeded()
        push(world, f"{server.host}/app:2", job, "--credential-helpers=").failed("no credential for")
        push(world, f"{server.host}/app:3", job, "--credential-helpers=gitlab").succeeded()


@case("and its variables become a file for other programs, the dependency proxy under both of its names")
def gitlab_file(world):
    password, folder = new_secret("job"), world.new_directory("out")
    with closed_registry(world, USER, password) as server:
        job = {"CI_REGISTRY": server.host, "CI_REGISTRY_USER": USER, "CI_REGISTRY_PASSWORD": password,
               "CI_DEPENDENCY_PROXY_SERVER": "gitlab.example.com:443", "CI_DEPENDENCY_PROXY_USER": "gitlab-ci-token",
               "CI_DEPENDENCY_PROXY_PASSWORD": new_secret("proxy"), "DOCKER_CONFIG": str(folder)}
        done = creds(world, "inject", environment=job).succeeded()
        expect("is not in memory" in done.err or folder.as_posix().startswith("/dev/shm"), done.said)
        expect_equal(sorted(written(folder)["auths"]), sorted([server.host, "gitlab.example.com",
                                                              "gitlab.example.com:443"]))
        done = creds(world, "check", f"{server.host}/app", environment={"DOCKER_CONFIG": str(folder)}).succeeded()
        expect_equal(done.out, f'{server.host}/app: user "{USER}" with credential "{server.host}" of '
                               f"{folder}/config.json\n")
        expect_equal(creds(world, "erase", environment={"DOCKER_CONFIG": str(folder)}).succeeded().err,
                     f"{folder}/config.json removed\n")
        expect(not (folder / "config.json").exists(), "it is still there")


@case("flags and variables of kaniko's count, later ones more, and that is told")
def precedence(world):
    password, folder = new_secret("flag"), world.new_directory("out")
    with closed_registry(world, USER, password) as server:
        environment = {"DOCKER_AUTH_CONFIG": docker_config(server.host, new_secret("text")),
                       "PASSWORD": password, "WHO": USER}
        done = creds(world, "inject", f"--dir={folder}", f"--registry={server.host}", "--username-env=WHO",
                     "--password-env=PASSWORD", environment=environment).succeeded()
        expect(f'{server.host}: user "{USER}" of --registry counts instead of user "{USER}" of DOCKER_AUTH_CONFIG'
               in done.err, done.said)
        creds(world, "check", f"--dir={folder}", "--push", f"{server.host}/app").succeeded()
        done = creds(world, "inject", f"--dir={folder}/2", "--only-flags", f"--registry={server.host}",
                     f"--username={USER}", "--password-stdin", stdin=f"{password}\n", environment=environment)
        expect("counts instead" not in done.succeeded().err, done.said)
        creds(world, "check", f"--dir={folder}/2", f"{server.host}/app").succeeded()
        variables = {"KANIKO_127_0_0_1_USER": USER, "KANIKO_127_0_0_1_PASSWORD": password}
        creds(world, "inject", f"--dir={folder}/3", f"--for={server.host}", environment=variables).succeeded()
        expect_equal(list(written(folder / "3")["auths"]), [server.host])


@case("Tekton's Secrets keep what its own merge drops")
def tekton(world):
    password, folder = new_secret("tekton"), world.new_directory("out")
    root = world.new_directory("tekton")
    write_tree(root, {
        "creds/.docker/config.json": json.dumps({"auths": {"r.example": {
            "username": USER, "password": password, "auth": auth(USER, password), "email": "not@val.id"}}}),
        "creds-secrets/regcred/.dockerconfigjson": json.dumps({
            "auths": {"r.example": {"auth": auth(USER, ""), "identitytoken": new_secret("refresh")}},
            "credHelpers": {"public.ecr.aws": "ecr-login"}})})
    creds(world, "inject", f"--tekton-dir={root}", f"--dir={folder}").succeeded()
    expect_equal(sorted(written(folder)["auths"]["r.example"]), ["auth", "identitytoken"])
    expect_equal(written(folder)["credHelpers"], {"public.ecr.aws": "ecr-login"})


@case("a folder that is not in memory is refused when that is asked for")
def memory(world):
    if os.statvfs("/dev/shm").f_blocks == 0 or not os.access("/dev/shm", os.W_OK):
        raise Skip("there is no /dev/shm")
    folder = world.new_directory("disk")
    creds(world, "inject", "--require-memory", f"--dir={folder}").failed("it is not in memory")
    expect(not (folder / "config.json").exists(), "it was written all the same")
    expect("is not in memory" not in creds(world, "inject", "--allow-disk", f"--dir={folder}").succeeded().err,
           "warned")
    with tempfile.TemporaryDirectory(dir="/dev/shm") as shared:
        creds(world, "inject", "--require-memory", f"--dir={shared}/docker").succeeded()


@case("the file can be given to the user of another step")
def chown(world):
    if not world.is_root:
        raise Skip("needs root")
    folder = world.new_directory("owned")
    creds(world, "inject", "--chown=1234:5678", f"--dir={folder}/d").succeeded()
    for path in (folder / "d", folder / "d/config.json"):
        expect_equal((path.stat().st_uid, path.stat().st_gid), (1234, 5678), str(path))


@case("check says what is wrong, and whether trying again can help")
def check(world):
    password = new_secret("right")
    with closed_registry(world, USER, password) as server:
        wrong = world.new_directory("wrong")
        write_tree(wrong, {"config.json": docker_config(server.host, new_secret("wrong"))})
        image, gone = f"{server.host}/app", f"127.0.0.1:{registry.free_port()}/app"
        creds(world, "check", f"--dir={wrong}", image).failed(
            "401", f'with credential "{server.host}" of {wrong}/config.json')
        creds(world, "check", image).failed("401", f"no credential for {server.host}")
        creds(world, "check", f"--dir={wrong}", image, f"{world.host}/app").failed(
            "401", f"{world.host}/app: no credential, and none is needed")
        write_tree(wrong, {"config.json": docker_config(server.host, password)})
        creds(world, "check", f"--dir={wrong}", f"{image}:1", gone).failed(
            f'{server.host}/app: user "{USER}"', status=75)
        creds(world, "check").failed("name the images")


@case("docker-credential-cairn serves the executor and skopeo by credHelpers")
def helper(world):
    password, folder = new_secret("helper"), world.new_directory("docker")
    with closed_registry(world, USER, password) as server:
        write_tree(folder, {"config.json": json.dumps({"credHelpers": {server.host: "cairn"}})})
        environment = {"DOCKER_CONFIG": str(folder), "HOME": str(folder)}
        variables = {"KANIKO_127_0_0_1_USER": USER, "KANIKO_127_0_0_1_PASSWORD": password}
        push(world, f"{server.host}/app:1", environment, "--credential-helpers=").failed("401")
        push(world, f"{server.host}/app:1", {**environment, **variables}, "--credential-helpers=").succeeded()
        seen = skopeo("inspect", "--tls-verify=false", f"docker://{server.host}/app:1", "--authfile",
                      str(folder / "config.json"), environment={**environment, **variables})
        expect(seen.returncode == 0, seen.stderr)


@case("it keeps what clients store with it")
def stored(world):
    password, folder = new_secret("stored"), world.new_directory("docker")
    environment = {"DOCKER_CONFIG": str(folder)}

    def ask(action: str, stdin: str = "", name: str = "docker-credential-cairn"):
        return run(world, name, action, stdin=stdin, environment=environment, secret=True)

    message = json.dumps({"ServerURL": "https://r.example", "Username": USER, "Secret": password})
    expect_equal(ask("store", message).succeeded().out, "")
    expect_equal(ask("get", "https://r.example\n").succeeded().out,
                 f'{{"ServerURL":"https://r.example","Username":"{USER}","Secret":"{password}"}}\n')
    expect_equal(ask("get", "r.example").succeeded().out,
                 f'{{"ServerURL":"r.example","Username":"{USER}","Secret":"{password}"}}\n')
    expect_equal(ask("list").succeeded().out, f'{{"https://r.example":"{USER}"}}\n')
    expect_equal(stat.S_IMODE((folder / "cairn-credentials.json").stat().st_mode), 0o600)
    expect_equal(ask("get", "r.example", name="docker-credential-ecr-login").failed().out,
                 "credentials not found in native keychain\n")
    expect_equal(ask("store", message, name="docker-credential-ecr-login").failed().out, "not implemented\n")
    expect_equal(ask("erase", "https://r.example").succeeded().out, "")
    expect_equal(ask("get", "https://r.example").failed().out, "credentials not found in native keychain\n")
    expect_equal(ask("frob").failed().out, "docker-credential-cairn: unknown action: frob\n")
    expect_equal(run(world, "cairn-creds", "credential-helper", "get", stdin="\n").failed().out,
                 "no credentials server URL\n")


@case("a secret of Vault is read with a service account's login")
def vault(world):
    password, jwt, token = new_secret("vault"), new_secret("jwt"), new_secret("hvs")

    def answer(asked):
        asked.want_header("X-Vault-Request", "true")
        if asked.path == "/v1/auth/kubernetes/login":
            asked.want(asked.method == "POST" and json.loads(asked.body) == {"role": "builder", "jwt": jwt}, "login")
            return 200, {}, json.dumps({"auth": {"client_token": token, "lease_duration": 600}}).encode()
        asked.want(asked.method == "GET" and asked.path == "/v1/secret/data/ci/registry", "path")
        asked.want_header("X-Vault-Token", token)
        return 200, {}, json.dumps({"data": {"data": {"username": USER, "password": password}}}).encode()

    server, folder = PlainServer(answer), world.new_directory("out")
    try:
        with closed_registry(world, USER, password) as closed:
            write_tree(folder, {"sa": f"{jwt}\n"})
            words = [f"--vault={closed.host}=ci/registry", f"--vault-jwt-file={folder}/sa", f"--dir={folder}"]
            done = creds(world, "inject", *words, "--vault-role=builder", environment={"VAULT_ADDR": server.url})
            expect(f'{closed.host}: user "{USER}" of Vault secret/ci/registry' in done.succeeded().err, done.said)
            creds(world, "check", f"--dir={folder}", f"{closed.host}/app").succeeded()
            expect_equal(server.refusals, [])
            creds(world, "inject", *words, "--vault-role=other", environment={"VAULT_ADDR": server.url}).failed(
                "Vault secret/ci/registry: log in: POST", "400")
    finally:
        server.close()


@case("broken files are named, and nothing of them is shown")
def broken(world):
    folder, secret = world.new_directory("broken"), new_secret("broken")
    for name, text in {"config.json": f"{{{secret}", ".dockerconfigjson": f'{{"auths": {{"r.io": "{secret}"}}}}',
                       ".dockercfg": f'{{"r.io": {{"auth": "{secret}"}}}}'}.items():
        write_tree(folder / name, {name: text})
        creds(world, "inject", f"--from-dir={folder / name}", f"--dir={folder}/out").failed(f"{folder / name}/{name}: ")
        expect(not (folder / "out/config.json").exists(), "a file was written")


@case("a build in place keeps the helper, and a base image cannot put another before it")
def in_place(world):
    password = new_secret("place")
    with closed_registry(world, USER, password) as server:
        trap = "#!/bin/sh\ntouch /caught\necho '{\"Username\":\"x\",\"Secret\":\"evil\"}'\n"
        world.push("trap", [tar_layers.entry("usr/local/bin/docker-credential-cairn", trap, mode=0o755)])
        docker = world.new_directory("docker")
        write_tree(docker, {"config.json": json.dumps({"credHelpers": {server.host: "cairn"}})})
        build = world.build_in_place(
            "FROM REGISTRY/trap\nRUN touch /made\n", {}, "--no-push=false", "-v=trace",
            f"--destination={server.host}/app:1", "--skip-push-permission-check", binds={"/kaniko/.docker": docker},
            environment={"KANIKO_127_0_0_1_USER": USER, "KANIKO_127_0_0_1_PASSWORD": password})
        remember(build.out, build.err)
        expect(build.status == 0, build.said)


TRAP = "printf '#!/bin/sh\\nenv > /caught/env\\n' > /tmp/trap && chmod 755 /tmp/trap && "
REPLACED = {
    "is written anew": "rm {path} && cat /tmp/trap > {path} && chmod 755 {path}",
    "is written over": "cat /tmp/trap > {path}",
    "has another renamed over it": "mv /tmp/trap {path}",
    "becomes a link to another": "ln -sfn /tmp/trap {path}",
    "becomes a hard link to another": "ln -f /tmp/trap {path}",
    "is renamed away": "mv {path} {path}.old",
}


def build_with_trap(world, commands: str):
    """A build in place that is to push, whose COMMANDS replace programs with one that writes down what it is given."""
    password = new_secret("replaced")
    with closed_registry(world, USER, password) as server:
        docker, caught = world.new_directory("docker"), world.new_directory("caught")
        caught.chmod(0o777)
        helpers = {server.host: "cairn", "other.example": "ecr-login"}
        write_tree(docker, {"config.json": json.dumps({"credHelpers": helpers})})
        build = world.build_in_place(
            f"FROM REGISTRY/busybox\nRUN {TRAP}{commands}", {}, "--no-push=false",
            f"--destination={server.host}/app:1", "--skip-push-permission-check", "--ignore-path=/caught",
            binds={"/kaniko/.docker": docker, "/caught": caught},
            environment={"KANIKO_127_0_0_1_USER": USER, "KANIKO_127_0_0_1_PASSWORD": password})
        remember(build.out, build.err)
        expect_equal(list(caught.iterdir()), [], "what the replaced program wrote")
        return build


def register_replaced(name: str, how: str, command: str) -> None:
    @case(f"in place {name} {how}: it is not run, and the build ends")
    def replaced(world):
        path = f"/kaniko/{name}"
        build = build_with_trap(world, command.format(path=path))
        expect_equal(build.status, 1, build.said)
        # The kernel itself refuses to write to a program that runs.
        if "Text file busy" not in build.out + build.err:
            expect(f"'{path}' in '/kaniko', the executor's own changed while the command ran" in build.error,
                   build.said)


for program in ("docker-credential-cairn", "docker-credential-ecr-login", "executor"):
    for row in REPLACED.items():
        register_replaced(program, *row)


@case("in place what a command leaves in the background ends with it, and replaces no program later")
def replaced_later(world):
    # In a shell of their own: what is before the & of a list would go into the background with it.
    for command in ("((sleep 1; mv /tmp/trap {path}) &)", "(setsid sh -c 'sleep 1; mv /tmp/trap {path}' &)"):
        for name in ("docker-credential-cairn", "executor"):
            build = build_with_trap(world, f"{command.format(path=f'/kaniko/{name}')}\nRUN sleep 2 && cat /tmp/trap\n")
            expect(build.status == 0, build.said)


@case("no secret is in anything that any of these programs printed")
def silence(_world):
    expect(no_secret_was_printed() > 0, "nothing was looked at")


if __name__ == "__main__":
    sys.exit(main())
