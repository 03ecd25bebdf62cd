"""What tests make once and keep below build/, for all of them."""
import contextlib
import fcntl
import pathlib


@contextlib.contextmanager
def lock(kept: pathlib.Path):
    """While it is held nobody else makes KEPT, a file or folder that may not be there yet."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    with kept.with_name(f".{kept.name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
