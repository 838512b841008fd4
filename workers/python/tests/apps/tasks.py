"""Async functions."""

import asyncio
import sys

import cocaine

waiting = {}


async def echo(request):
    return request


async def stream(request):
    for part in request.split():
        await asyncio.sleep(0)
        yield part


async def relay(request, response):
    async for chunk in request:
        await response.write(b"<" + chunk + b">")
    assert await request.read() is None


async def meet(request):
    """Two calls that need each other: only both at once can end."""
    future = asyncio.get_running_loop().create_future()
    if "other" in waiting:
        waiting.pop("other").set_result(request)
        return b"second"
    waiting["other"] = future
    return b"first met " + await future


async def sleeps(request):
    await asyncio.sleep(0.001)
    return cocaine.current().event


async def timed(request):
    try:
        await asyncio.wait_for(asyncio.Event().wait(), 0.001)
    except asyncio.TimeoutError:
        return b"timeout"


async def forever(request, response):
    response.write(b"started")
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        sys.stderr.write("forever was cancelled\n")
        raise


async def raises(request):
    await asyncio.sleep(0)
    raise ValueError("async text")


def plain(request):
    return request


async def reused(request, response):
    """Writes without an await, and changes what it has written."""
    buffer = bytearray(100_000)
    for n in range(2):
        buffer[:] = bytes((n,)) * len(buffer)
        response.write(buffer)
    buffer[:] = b"x" * len(buffer)
