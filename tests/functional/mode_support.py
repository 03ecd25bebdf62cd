"""Builds of one Dockerfile in pods of all kinds, whose images have to be the same."""
import dataclasses
import subprocess

from support import expect, expect_equal

import built_image
import container_support as containers
import pod
import pod_layouts
import tar_layers


@dataclasses.dataclass
class Mode:
    """A kind of pod, and what the executor says of it."""

    profile: pod.Profile
    said: str
    volume: bool = True  # at /kaniko/work
    arguments: tuple[str, ...] = ()


MODES = {
    "overlay": Mode(pod.UNCONFINED, "namespace with overlay"),
    "directory": Mode(pod.UNCONFINED, "namespace with directory", volume=False),
    "supervised": Mode(pod.BASELINE, "supervised", arguments=("--isolation=supervised",)),
    "supervised without a volume": Mode(pod.BASELINE, "supervised", volume=False,
                                        arguments=("--isolation=supervised",)),
    "in place": Mode(pod.BASELINE, "in place", arguments=("--isolation=inplace",)),
    "user namespace": Mode(pod.USERNS, "namespace"),
}


def build(world, example, kind: Mode, name: str) -> subprocess.CompletedProcess:
    context = world.context(example.dockerfile, example.files)
    before = containers.fingerprint(context)
    with pod.Pod(containers.root_file_system(world.directory, "cairn"), world.directory, kind.profile) as container:
        for target in example.volumes:
            container.empty(target)
        container.bind(context, example.source, read_only=example.read_only)
        for mount in pod_layouts.driver_files(world.new_directory("driver")) if example.driver_files else []:
            container.bind(mount.source, mount.target, read_only=True)
        work = container.empty("/kaniko/work") if kind.volume else None
        done = container.run(["/kaniko/executor", f"--context={example.source}", "--reproducible",
                              f"--destination={world.host}/{name}", *kind.arguments])
        left = list(work.iterdir()) if work else []
    expect_equal(left, [], f"{kind.said}: left in the volume for work")
    expect_equal(containers.fingerprint(context), before, f"{kind.said}: the user's files")
    return done


def expect_refused(done: subprocess.CompletedProcess, texts: tuple[str, ...]) -> None:
    expect_equal(done.returncode, 1, done.stderr[-1500:])
    for text in (*texts, "hint: "):
        expect(text in done.stderr, f"{text!r} is not in {done.stderr[-1500:]}")


def one_image(world, example, modes: dict[str, Mode] = MODES) -> None:
    """Builds the example in all modes and compares the images down to their files."""
    repository, reference = world.new_name("example"), None
    for mode, kind in modes.items():
        tag = f"{repository}:{mode.replace(' ', '-')}"
        done = build(world, example, kind, tag)
        errors = {"in place": example.error_in_place, "supervised": example.error_supervised}.get(kind.said)
        if errors:
            expect_refused(done, errors)
            continue
        expect_equal(done.returncode, 0, f"{mode}: {done.stdout[-500:]}{done.stderr[-1500:]}")
        printed = (done.stdout + done.stderr).splitlines()
        expect("RUN" not in example.dockerfile or any(f"Isolation: {kind.said}" in line for line in printed),
               f"{mode}: another isolation: {done.stderr[:600]}")
        missing = [line for line in example.prints if line not in printed]
        expect_equal(missing, [], f"{mode}: not printed")
        digest = tar_layers.digest_of(world.manifest(tag))
        if reference is None:
            reference = containers.pulled(world, tag)
            expect_equal(reference.digest, digest)
            example.check(reference)
        elif digest != reference.digest:
            lines = built_image.differences(reference, containers.pulled(world, tag))
            raise AssertionError(f"{next(iter(modes))} | {mode}: " + "\n".join(lines[:20]))
