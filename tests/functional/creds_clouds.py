#!/usr/bin/env python3
"""Registries of Amazon, Google and Azure, opened with the identity of the machine. What clouds answer comes from
strict servers of the test's own; the registries behind them are real ones that want the password that was handed
out."""
import base64
import contextlib
import json
import subprocess
import sys
import time

from support import case, closed_registry, expect, expect_equal, main, write_tree

from cloud_front import CloudFront, PlainServer, check_signature, forward
from creds_support import creds, new_secret, no_secret_was_printed, push, run

ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
GCP = "europe-docker.pkg.dev"
ACR = "acme.azurecr.io"
KEY = "AKIDEXAMPLE"
ROLE = "arn:aws:iam::123456789012:role/build"


def reply(answer: dict, status: int = 200, headers: dict | None = None):
    return status, headers or {}, json.dumps(answer).encode()


def in_an_hour() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))


class Amazon:
    """STS, ECR and a registry that takes what ECR hands out."""

    def __init__(self, registry_host: str, password: str):
        self.password, self.registry = password, registry_host
        self.secret, self.session, self.jwt = new_secret("aws"), new_secret("session"), new_secret("jwt")
        self.routes = {"sts.eu-west-1.amazonaws.com": self.sts, "api.ecr.eu-west-1.amazonaws.com": self.ecr,
                       ECR: lambda asked: forward(self.registry, asked)}
        self.tokens = 0

    def sts(self, asked):
        asked.want(asked.method == "POST" and asked.path == "/", "path")
        asked.want(asked.form == {"Action": "AssumeRoleWithWebIdentity", "RoleArn": ROLE, "RoleSessionName": "cairn",
                                  "Version": "2011-06-15", "WebIdentityToken": self.jwt}, "form")
        body = (f"<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>{KEY}"
                f"</AccessKeyId><SecretAccessKey>{self.secret}</SecretAccessKey><SessionToken>{self.session}"
                f"</SessionToken><Expiration>{in_an_hour()}</Expiration></Credentials>"
                "</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>")
        return 200, {"Content-Type": "text/xml"}, body.encode()

    def ecr(self, asked):
        asked.want(asked.method == "POST" and asked.path == "/" and asked.body == b"{}", "request")
        asked.want_header("X-Amz-Target", "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken")
        asked.want_header("Content-Type", "application/x-amz-json-1.1")
        asked.want_header("X-Amz-Security-Token", self.session)
        check_signature(asked, self.secret, KEY, "eu-west-1/ecr")
        self.tokens += 1
        token = base64.b64encode(f"AWS:{self.password}".encode()).decode()
        return reply({"authorizationData": [{"authorizationToken": token, "expiresAt": time.time() + 43200,
                                             "proxyEndpoint": f"https://{ECR}"}]})

    def keys(self) -> dict:
        return {"Code": "Success", "AccessKeyId": KEY, "SecretAccessKey": self.secret, "Token": self.session,
                "Expiration": in_an_hour()}


@contextlib.contextmanager
def amazon(world):
    password = new_secret("ecr")
    with closed_registry(world, "AWS", password) as server:
        cloud = Amazon(server.host, password)
        with contextlib.closing(CloudFront(world.new_directory("front"), cloud.routes)) as front:
            yield cloud, front


@case("ECR by a web identity (IRSA): one token is enough for a whole build")
def irsa(world):
    with amazon(world) as (cloud, front):
        folder = world.new_directory("irsa")
        write_tree(folder, {"token": f"{cloud.jwt}\n"})
        environment = {
            **front.environment(), "AWS_ROLE_ARN": ROLE, "AWS_WEB_IDENTITY_TOKEN_FILE": str(folder / "token")
        }
        push(world, f"{ECR}/app:1", environment).succeeded()
        expect_equal(front.refusals, [])
        expect_equal(cloud.tokens, 1, "tokens of ECR")
        done = creds(world, "check", f"{ECR}/app", environment=environment).succeeded()
        expect_equal(done.out, f'{ECR}/app: user "AWS" with credential "{ECR}" of Amazon ECR (role {ROLE})\n')
        push(world, f"{ECR}/app:2", environment, "--credential-helpers=env").failed("no credential for")


@case("ECR by the container's endpoint (EKS Pod Identity), through docker-credential-ecr-login")
def pod_identity(world):
    with amazon(world) as (cloud, front):
        token = new_secret("pod")

        def answer(asked):
            asked.want(asked.path == "/v1/credentials", "path")
            asked.want_header("Authorization", token)
            return reply(cloud.keys())

        folder = world.new_directory("pod")
        write_tree(folder, {"token": token, "config.json": json.dumps({"credsStore": "ecr-login"})})
        with contextlib.closing(PlainServer(answer)) as machine:
            environment = {**front.environment(), "DOCKER_CONFIG": str(folder),
                           "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{machine.url}/v1/credentials",
                           "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(folder / "token")}
            push(world, f"{ECR}/app:1", environment, "--credential-helpers=").succeeded()
            got = run(world, "docker-credential-ecr-login", "get", environment=environment, stdin=f"https://{ECR}",
                      secret=True).succeeded()
            expect_equal(json.loads(got.out), {"ServerURL": f"https://{ECR}", "Username": "AWS",
                                               "Secret": cloud.password})
            expect_equal(machine.refusals + front.refusals, [])


@case("ECR by the instance's role (IMDSv2), as a file for other programs")
def instance(world):
    with amazon(world) as (cloud, front):
        session = new_secret("imds")

        def answer(asked):
            if asked.path == "/latest/api/token":
                asked.want(asked.method == "PUT", "PUT")
                asked.want_header("X-aws-ec2-metadata-token-ttl-seconds", "21600")
                return 200, {}, session.encode()
            asked.want_header("X-aws-ec2-metadata-token", session)
            if asked.path == "/latest/meta-data/iam/security-credentials/":
                return 200, {}, b"builder"
            asked.want(asked.path == "/latest/meta-data/iam/security-credentials/builder", "path")
            return reply(cloud.keys())

        with contextlib.closing(PlainServer(answer)) as machine:
            environment = {**front.environment(), "AWS_EC2_METADATA_SERVICE_ENDPOINT": machine.url}
            folder = world.new_directory("out")
            creds(world, "inject", f"--mint={ECR}", f"--dir={folder}", environment=environment).succeeded()
            creds(world, "inject", f"--cloud={ECR}", f"--dir={folder}/2", environment=environment).succeeded()
        expect_equal(machine.refusals + front.refusals, [])
        creds(world, "check", f"--dir={folder}", "--credential-helpers=", f"{ECR}/app",
              environment=front.environment()).succeeded()
        expect_equal(json.loads((folder / "2/config.json").read_text())["credHelpers"], {ECR: "cairn"})


@case("an identity that does not work is a warning, and is told without its token")
def denied(world):
    with amazon(world) as (cloud, front):
        folder = world.new_directory("denied")
        write_tree(folder, {"token": new_secret("stranger")})
        environment = {
            **front.environment(), "AWS_ROLE_ARN": ROLE, "AWS_WEB_IDENTITY_TOKEN_FILE": str(folder / "token")
        }
        build = push(world, f"{ECR}/app:1", environment).failed(f"no credential for {ECR}")
        expect("credential helper ecr: " in build.err and "going on without it" in build.err, build.said)
        got = run(world, "docker-credential-cairn", "get", environment=environment, stdin=ECR).failed()
        expect(got.out.startswith("AWS_WEB_IDENTITY_TOKEN_FILE: POST https://sts.eu-west-1.amazonaws.com/: "), got.out)
        expect(cloud.tokens == 0 and front.refusals != [], "it was taken")


def google_routes(server, token: str) -> dict:
    def registry(asked):
        user, _, password = base64.b64decode(asked.headers.get("Authorization", "Basic Og==").split()[1]).decode() \
            .partition(":")
        asked.want(not user or (user, password) == ("oauth2accesstoken", token), "user and password")
        return forward(server.host, asked)
    return {GCP: registry}


@case("Artifact Registry by the metadata server (Workload Identity of GKE)")
def metadata(world):
    token = new_secret("gcp")

    def answer(asked):
        asked.want(asked.path == "/computeMetadata/v1/instance/service-accounts/default/token", "path")
        asked.want_header("Metadata-Flavor", "Google")
        return reply({"access_token": token, "expires_in": 3599, "token_type": "Bearer"},
                     headers={"Metadata-Flavor": "Google"})

    with closed_registry(world, "oauth2accesstoken", token) as server, \
            contextlib.closing(CloudFront(world.new_directory("front"), google_routes(server, token))) as front, \
            contextlib.closing(PlainServer(answer)) as machine:
        environment = {**front.environment(), "GCE_METADATA_HOST": machine.host}
        push(world, f"{GCP}/project/repo/app:1", environment).succeeded()
        got = run(world, "docker-credential-gcr", "get", environment=environment, stdin=GCP, secret=True).succeeded()
        expect_equal(json.loads(got.out)["Secret"], token)
        expect_equal(machine.refusals + front.refusals, [])


@case("Artifact Registry by a service account's key, whose claim is verified with openssl")
def service_account(world):
    token, folder = new_secret("gcp"), world.new_directory("key")
    subprocess.run(["openssl", "genrsa", "-out", folder / "key.pem", "2048"], check=True, capture_output=True)
    subprocess.run(["openssl", "rsa", "-in", folder / "key.pem", "-pubout", "-out", folder / "public.pem"], check=True,
                   capture_output=True)

    def decode(text: str) -> bytes:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

    def oauth(asked):
        asked.want(asked.method == "POST" and asked.path == "/token", "path")
        asked.want(asked.form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer", "grant_type")
        header, claims, signature = asked.form["assertion"].split(".")
        write_tree(folder, {"signature": decode(signature)})
        verified = subprocess.run(["openssl", "dgst", "-sha256", "-verify", folder / "public.pem", "-signature",
                                   folder / "signature"], input=f"{header}.{claims}".encode(), capture_output=True)
        asked.want(verified.returncode == 0, "signature")
        asked.want(json.loads(decode(header)) == {"alg": "RS256", "typ": "JWT", "kid": "k1"}, "header")
        said = json.loads(decode(claims))
        asked.want(abs(said["iat"] - time.time()) < 60 and said["exp"] - said["iat"] == 3600, "times")
        asked.want(said["iss"] == "build@p.iam.gserviceaccount.com" and
                   said["aud"] == "https://oauth2.googleapis.com/token" and
                   said["scope"] == "https://www.googleapis.com/auth/cloud-platform", "claims")
        return reply({"access_token": token, "expires_in": 3599, "token_type": "Bearer"})

    write_tree(folder, {"account.json": json.dumps({
        "type": "service_account", "client_email": "build@p.iam.gserviceaccount.com", "private_key_id": "k1",
        "private_key": (folder / "key.pem").read_text(), "token_uri": "https://oauth2.googleapis.com/token"})})
    with closed_registry(world, "oauth2accesstoken", token) as server:
        routes = {**google_routes(server, token), "oauth2.googleapis.com": oauth}
        with contextlib.closing(CloudFront(world.new_directory("front"), routes)) as front:
            environment = {**front.environment(), "GOOGLE_APPLICATION_CREDENTIALS": str(folder / "account.json")}
            push(world, f"{GCP}/project/repo/app:1", environment).succeeded()
            expect_equal(front.refusals, [])


@case("ACR by a federated token (Workload Identity of AKS), a refresh token and its exchange")
def azure(world):
    jwt, aad, refresh, access = (new_secret(name) for name in ("sa", "aad", "refresh", "access"))
    password = new_secret("acr")

    def login(asked):
        asked.want(asked.path == "/tenant-1/oauth2/v2.0/token", "path")
        asked.want(asked.form == {
            "client_id": "client-1", "grant_type": "client_credentials",
            "scope": "https://management.azure.com/.default", "client_assertion": jwt,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "form")
        return reply({"token_type": "Bearer", "expires_in": 3599, "access_token": aad})

    with closed_registry(world, "u", password) as server:
        def acr(asked):
            if asked.path == "/oauth2/exchange":
                asked.want(asked.form == {"grant_type": "access_token", "service": ACR, "tenant": "tenant-1",
                                          "access_token": aad}, "exchange")
                return reply({"refresh_token": refresh})
            if asked.path == "/oauth2/token":
                asked.want(asked.form["grant_type"] == "refresh_token" and asked.form["refresh_token"] == refresh and
                           asked.form["service"] == ACR, "token")
                return reply({"access_token": access})
            if asked.headers.get("Authorization") != f"Bearer {access}":
                return reply({"errors": [{"code": "UNAUTHORIZED"}]}, 401,
                             {"WWW-Authenticate": f'Bearer realm="https://{ACR}/oauth2/token",service="{ACR}"'})
            basic = base64.b64encode(f"u:{password}".encode()).decode()
            del asked.headers["Authorization"]
            return forward(server.host, asked, {"Authorization": f"Basic {basic}"})

        folder = world.new_directory("azure")
        write_tree(folder, {"token": jwt})
        routes = {"login.microsoftonline.com": login, ACR: acr}
        with contextlib.closing(CloudFront(world.new_directory("front"), routes)) as front:
            environment = {**front.environment(), "AZURE_TENANT_ID": "tenant-1", "AZURE_CLIENT_ID": "client-1",
                           "AZURE_FEDERATED_TOKEN_FILE": str(folder / "token")}
            push(world, f"{ACR}/app:1", environment).succeeded()
            got = run(world, "docker-credential-acr-env", "get", environment=environment, stdin=ACR, secret=True)
            expect_equal(json.loads(got.succeeded().out), {"ServerURL": ACR, "Username": "<token>", "Secret": refresh})
            expect_equal(front.refusals, [])


@case("clouds are not asked about registries of others")
def others(world):
    asked_for = []

    def answer(asked):
        asked_for.append(asked.path)
        return 404, {}, b""

    with contextlib.closing(PlainServer(answer)) as machine:
        environment = {"GCE_METADATA_HOST": machine.host, "AWS_EC2_METADATA_SERVICE_ENDPOINT": machine.url,
                       "AZURE_POD_IDENTITY_AUTHORITY_HOST": machine.url}
        push(world, f"{world.host}/app:1", environment).succeeded()
        for name in ("cairn", "ecr-login", "gcr", "acr-env"):
            got = run(world, f"docker-credential-{name}", "get", environment=environment, stdin="r.example").failed()
            expect_equal(got.out, "credentials not found in native keychain\n")
    expect_equal(asked_for, [])


@case("no secret of a cloud is in anything that was printed")
def silence(_world):
    expect(no_secret_was_printed() > 0, "nothing was looked at")


if __name__ == "__main__":
    sys.exit(main())
