"""The same with async functions, and with threads that they let run."""

import asyncio
import os

import cocaine
from flow import CHUNK_BYTES, GATE, numbered, writes as plain_writes, yields as plain_yields  # noqa: F401  (the file beside this one)

__all__ = ["writes", "yields", "yields_small", "returns", "threads", "plain_writes", "plain_yields", "errs", "closes", "steps", "sums",
           "echo", "cancelled", "threads_cancelled"]


async def writes(request, response):
    for chunk in numbered(await request.read()):
        await response.write(chunk)


async def yields(request):
    for chunk in numbered(request):
        yield chunk


async def yields_small(request):
    for i in range(int(request)):
        yield b"%08d" % i + bytes(992)


async def returns(request):
    return numbered(request)


async def threads(request, response):
    chunks = numbered(await request.read())
    await asyncio.to_thread(lambda: [response.write(chunk) for chunk in chunks])


async def errs(request, response):
    await request.read()
    response.error(7, "mine")


async def closes(request, response):
    await request.read()
    response.close()


async def steps(request, response):
    while True:
        await asyncio.to_thread(os.read, GATE, 1)
        chunk = await request.read()
        if chunk is None:
            return
        await response.write(chunk[:8])


async def sums(request, response):
    await response.write(b"%d" % sum([len(chunk) async for chunk in request]))


async def echo(request):
    return request


async def cancelled(request, response):
    try:
        while True:
            await response.write(bytes(CHUNK_BYTES))
    except asyncio.CancelledError:
        os.write(int(os.environ["TOLD"]), b"x")
        raise


async def threads_cancelled(request, response):
    def write():
        try:
            while True:
                response.write(bytes(CHUNK_BYTES))
        except (cocaine.Cancelled, ValueError):  # the second when the call has been ended already
            os.write(int(os.environ["TOLD"]), b"x")

    await asyncio.to_thread(write)
