"""The same with async functions."""

import asyncio
import os

import cocaine

GATE = int(os.environ.get("GATE", "-1"))


async def about(request, response):
    call = cocaine.current()
    assert (call.trace_id, call.header("x")) == (request.trace_id, request.header("x"))
    response.write("%s %s %s %s %s" % (request.trace_id, request.span_id, request.parent_id, request.header("x"), request.header(b"none")))


async def whole(request):
    call = cocaine.current()
    return "%s %s %s %s %s" % (call.trace_id, call.span_id, call.parent_id, call.header("x"), call.cancelled)


async def body(request, response):
    response.write(await request.read() + b"|")
    response.write(await request.body())
    response.write(b"|" + await request.body())


def plain(request):
    call = cocaine.current()
    return "%s %s" % (call.event, call.header("x"))


async def blocks(request, response):
    """Holds the loop up after a write; what comes meanwhile is taken in right after it."""
    await asyncio.sleep(0.01)
    response.write(b"written")
    os.write(int(os.environ["BEGUN"]), b"x")
    os.read(GATE, 1)


async def computes(request, response):
    response.write(b"computing")
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        assert request.cancelled and response.cancelled and cocaine.current().cancelled
        raise


async def fails_long(request, response):
    response.error(7, (await request.body()).decode() * 5000)


async def kept(request, response):
    kept.request = request


async def asks_kept(request):
    return str(kept.request.cancelled)


async def holds(request, response):
    response.write(b"holding")
    opened = asyncio.Event()
    asyncio.get_running_loop().add_reader(GATE, opened.set)
    await opened.wait()
    asyncio.get_running_loop().remove_reader(GATE)
    response.write(b"%d" % len(await request.body()))
