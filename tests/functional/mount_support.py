"""What the tests of RUN --mount share: builds on all modes, and what came of them."""
import functools

from support import case


def build_in_namespaces(world, text, files=None, *flags, cache=None, environment=None, agent=None):
    extra = [f"--cache-dir={cache or world.new_directory('cache')}"] + ([f"--ssh=default={agent}"] if agent else [])
    return world.build(text, files, *flags, *extra, environment=environment)


def build_in_pod(isolation, world, text, files=None, *flags, cache=None, environment=None, agent=None):
    cache = cache or world.new_directory("cache")
    cache.chmod(0o755)  # as volumes are
    binds = {"/cache": cache} | ({"/agent.sock": agent} if agent else {})
    extra = ["--ssh=default=/agent.sock"] if agent else []
    return world.build_in_pod(isolation, text, files, *flags, *extra, binds=binds, environment=environment)


MODES = {
    "in namespaces": build_in_namespaces,
    "supervised": functools.partial(build_in_pod, "supervised"),
    "in place": functools.partial(build_in_pod, "inplace")
}


def in_all_modes(name: str):
    """Registers a case for each place in which commands run; it takes the World and a way to build."""
    def register(function):
        for place, build in MODES.items():
            case(f"{name}, {place}")(lambda world, build=build: function(world, functools.partial(build, world)))
        return function
    return register


def printed(build) -> list[str]:
    return build.succeeded().out.splitlines()


def new_names(build, base_layers: int = 1) -> list[str]:
    """All names in the layers above the base."""
    return [name for layer in build.image.layers[base_layers:] for name in layer.names]
