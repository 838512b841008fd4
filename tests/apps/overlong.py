"""Sends chunks that no SDK sends: its own check is taken out, as in a worker that is built on something else."""

import asyncio

import cocaine.output

cocaine.output.CHUNK_BYTES = 1 << 40


async def echo(request):
    return request


async def small(request, response):
    """Answers when its request has ended."""
    await response.write(b"begun")
    await response.write(await request.body())


async def big(request, response):
    """Writes a chunk of so many bytes between two short ones, and goes on as if nothing had been."""
    await response.write(b"first")
    await response.write(bytes(int(await request.body())))
    await response.write(b"last")
