"""The same with async functions, and with threads that they let run."""

import asyncio

from flow import CHUNK, pid  # noqa: F401  (the file beside this one)

__all__ = ["pid", "floods", "yields", "threads", "swallows"]


async def floods(request, response):
    for _ in range(int(await request.body()) << 4):
        await response.write(CHUNK)


async def yields(request):
    for _ in range(int(request) << 4):
        yield CHUNK


async def threads(request, response):
    count = int(await request.body()) << 4
    await asyncio.to_thread(lambda: [response.write(CHUNK) for _ in range(count)])


async def swallows(request, response):
    size = 0
    await asyncio.sleep(0.2)
    async for chunk in request:
        size += len(chunk)
        await asyncio.sleep(0.0002)
    await response.write(b"%d" % size)
