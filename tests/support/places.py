"""Places for a store that fail in earnest: a disk that is full, one that stands still, a server that says nothing."""

import contextlib
import socket
import subprocess
import threading
from collections.abc import Generator
from pathlib import Path


@contextlib.contextmanager
def small_disk(folder: Path, size: str) -> Generator[Path]:
    """A file system of its own, of so many bytes (`256k`). Takes root."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "orca-test", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


class FreezingDisk:
    """A file system that can be told to stand still: whoever writes to it waits, as on a disk that hangs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._frozen = False

    def freeze(self) -> None:
        """From now on writes wait."""
        subprocess.run(["fsfreeze", "--freeze", self.folder], check=True)
        self._frozen = True

    def thaw(self) -> None:
        """They go on."""
        if self._frozen:
            subprocess.run(["fsfreeze", "--unfreeze", self.folder], check=True)
        self._frozen = False


@contextlib.contextmanager
def freezing_disk(folder: Path) -> Generator[FreezingDisk]:
    """A small one, on a file beside `folder`. Takes root."""
    image = folder.with_suffix(".disk")
    folder.mkdir()
    with image.open("wb") as file:
        file.truncate(32 * 1024 * 1024)
    subprocess.run(["mkfs.ext4", "-q", image], check=True)
    subprocess.run(["mount", "-o", "loop", image, folder], check=True)
    disk = FreezingDisk(folder)
    try:
        yield disk
    finally:
        disk.thaw()
        subprocess.run(["umount", "--lazy", folder], check=True)


@contextlib.contextmanager
def silent_server() -> Generator[int]:
    """A port of this host where connections are taken and nothing is ever said."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        taken: list[socket.socket] = []

        def take() -> None:
            with contextlib.suppress(OSError):
                while True:
                    taken.append(listener.accept()[0])

        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
            for connection in taken:
                connection.close()
