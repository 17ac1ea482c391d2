"""The activity that tells what images are now, for whoever is about to resume a run. It belongs to no workflow."""

import asyncio
from typing import Final

from temporalio import activity

from orchestrator.contract.images import LOOK_AT_IMAGES, ImageAsked, ImageFound, ImagesAsked, ImagesFound
from workers.supervision.images import Images

PATIENCE: Final = 6.0
"""Seconds that an engine or a registry may take to answer for one image."""


class ImageActivities:
    """Of one worker."""

    def __init__(self, images: Images, host: str) -> None:
        self._images = images
        self._host = host

    @activity.defn(name=LOOK_AT_IMAGES)
    async def look(self, request: ImagesAsked) -> ImagesFound:
        """Look at all that are asked for, side by side. What cannot be known is a value."""
        found = await asyncio.gather(*(self._one(asked) for asked in request.images))
        return ImagesFound(host=self._host, images=tuple(found))

    async def _one(self, asked: ImageAsked) -> ImageFound:
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._images.look(asked)
        except TimeoutError:
            return ImageFound(asked=asked, unknown=f"nobody could say within {PATIENCE:.0f} s what it is")
