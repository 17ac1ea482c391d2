"""Whether a container of which its engine says that it never ran has run all the same.

An engine that is ended just as it starts a container does not know later that it did, while the container may have done
its work, or be doing it still: to start it then is to run the job twice.
"""

from contextlib import closing

from workers.engine.failures import PathNotFound
from workers.engine.interface import Interrupt
from workers.supervision.script import OUTPUT_FILE, Launch
from workers.supervision.site import Site


async def has_run(site: Site, container: str, how: Launch) -> bool:
    """Look for what it said, and for the file that its script makes before all else.

    Raises:
        EngineError: the engine cannot be asked, or has no such container.
    """
    if await site.threads.call(_has_spoken, site, container):
        return True
    # Where the script does not make it, it is put there before the start.
    return how.makes_folder and await site.threads.call(_has_output_file, site, container)


def _has_spoken(site: Site, container: str) -> bool:
    return any(site.engine.logs(container, follow=False, tail=1, interrupt=Interrupt()))


def _has_output_file(site: Site, container: str) -> bool:
    try:
        with closing(site.engine.get_archive(container, OUTPUT_FILE)):
            return True
    except PathNotFound:
        return False
