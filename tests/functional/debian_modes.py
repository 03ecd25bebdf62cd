#!/usr/bin/env python3
"""What real images are made of gives one image with namespaces and without, down to the last file: packages of Debian
with their scripts, and the Dockerfiles that are written around them."""
import functools
import subprocess
import sys

from support import Skip, case, expect_equal, main

import bases
import mode_support
from mode_cases import Example

MODES = {name: mode_support.MODES[name] for name in ("overlay", "supervised")}
PACKAGES = ("libcap2-bin nginx-light nodejs openjdk-17-jre-headless openssh-server python3-pip python3-setuptools "
            "python3-wheel")
INSTALL = "apt-get install -y --no-install-recommends --no-download"
# Of these the content is the time at which, or the place on the disk where, they were written.
CLEAN = ("rm -rf /var/log/* /var/cache/ldconfig /var/cache/debconf/*-old /var/cache/apt/*.bin "
         "/etc/ssl/certs/java/cacerts /etc/ssh/ssh_host_*")
SETUP = """\
from setuptools import setup
setup(name="greeter", version="1.0", py_modules=["greeter"],
      entry_points={"console_scripts": ["greet = greeter:main"]})
"""
GREETER = "def main():\n    print('greetings from an installed program')\n"
BUNDLE = """\
const { Worker } = require("worker_threads"), fs = require("fs"), { execFileSync } = require("child_process");
fs.cpSync("src", "dist", { recursive: true });
new Worker("require('fs').writeFileSync('dist/worker', process.version)", { eval: true });
console.log("built by", execFileSync("uname", ["-s"]).toString().trim(), "for", require("os").hostname().length > 0);
"""
EXAMPLES = [
    Example("node", "FROM REGISTRY/packages\n"
            f"RUN {INSTALL} nodejs && useradd --create-home node && {CLEAN}\n"
            "WORKDIR /home/node/app\nCOPY --chown=node . .\nRUN chown node .\nUSER node\n"
            "RUN node bundle.js && cat dist/deep/file\nCMD [\"node\", \"dist\"]\n",
            files={"bundle.js": BUNDLE, "src/deep/file": "bundled\n"}, prints=("built by Linux for true", "bundled")),
    Example("python", "FROM REGISTRY/packages\n"
            f"RUN {INSTALL} python3-pip python3-setuptools python3-wheel && {CLEAN} && "
            "find / -xdev -name __pycache__ -exec rm -rf {} +\n"
            "ENV PYTHONDONTWRITEBYTECODE=1\nWORKDIR /src\nCOPY . .\n"
            "RUN --mount=type=cache,target=/root/.cache pip install --break-system-packages --no-index --no-compile "
            "--no-build-isolation . && greet\n"
            "RUN python3 -c 'import multiprocessing as m; print(sum(m.Pool(4).map(abs, range(9))))'\n",
            files={"setup.py": SETUP, "greeter.py": GREETER},
            prints=("greetings from an installed program", "36")),
    Example("java", "FROM REGISTRY/packages\n"
            f"RUN {INSTALL} openjdk-17-jre-headless && {CLEAN}\n"
            "RUN java -Xshare:auto -XshowSettings:properties -version 2>&1 | grep -c java.home && "
            "java --list-modules > /modules && readlink -f /usr/bin/java > /where\n"),
    Example("sshd", "FROM REGISTRY/packages\n"
            f"RUN {INSTALL} openssh-server && mkdir -p /var/run/sshd && ssh-keygen -A && /usr/sbin/sshd -t && "
            f"sed -i 's/#PermitRootLogin.*/PermitRootLogin no/' /etc/ssh/sshd_config && {CLEAN}\n"
            "RUN useradd --create-home --shell /bin/bash dev && install -d -o dev -m 700 ~dev/.ssh\n"
            "COPY --chown=dev:dev --chmod=600 key.pub /home/dev/.ssh/authorized_keys\nEXPOSE 22\n",
            files={"key.pub": "ssh-ed25519 AAAA dev\n"}),
    Example("nginx", "FROM REGISTRY/packages\n"
            f"RUN {INSTALL} nginx-light libcap2-bin && ln -sf /dev/stdout /var/log/nginx/access.log && "
            "chown -R www-data:www-data /var/log/nginx /var/lib/nginx && "
            "setcap cap_net_bind_service=+ep /usr/sbin/nginx && "
            "sed -i s/80/8080/ /etc/nginx/sites-available/default && nginx -t && "
            "rm -rf /var/cache/ldconfig /var/cache/debconf/*-old /var/cache/apt/*.bin /var/log/apt /var/log/dpkg.log "
            "/var/log/alternatives.log /run/nginx.pid /var/log/nginx/error.log\n"
            "COPY . /usr/share/nginx/html\nRUN getcap /usr/sbin/nginx > /capabilities\n"
            "USER www-data\nRUN test ! -w /etc && test -w /var/log/nginx && id -nu > /tmp/who\n"),
]


@functools.lru_cache(maxsize=None)
def push_packages(world) -> None:
    """REGISTRY/packages: Debian with the packages in its cache, so that they are fetched once."""
    try:
        layout = bases.debian()
    except bases.CannotMake as problem:
        raise Skip(f"no base can be made here: {str(problem)!r}") from problem
    subprocess.run(["skopeo", "copy", "--quiet", "--dest-tls-verify=false", f"oci:{layout}:12",
                    f"docker://{world.host}/debian:12"], check=True)
    fetched = Example("packages", "FROM REGISTRY/debian:12\n"
                      "RUN printf 'APT::Keep-Downloaded-Packages \"true\";' "
                      "> /etc/apt/apt.conf.d/keep && apt-get update && "
                      f"apt-get install -y --no-install-recommends --download-only {PACKAGES}\n")
    done = mode_support.build(world, fetched, MODES["overlay"], "packages")
    expect_equal(done.returncode, 0, done.stderr[-1500:])


def built_alike(world, example) -> None:
    push_packages(world)
    mode_support.one_image(world, example, MODES)


for each in EXAMPLES:
    case(f"one image with namespaces and supervised: {each.name}")(
        lambda world, example=each: built_alike(world, example))


if __name__ == "__main__":
    sys.exit(main())
