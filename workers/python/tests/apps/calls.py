"""What a synchronous handler can ask about its call."""

import os
import select

import cocaine

GATE = int(os.environ.get("GATE", "-1"))


def about(request, response):
    call = cocaine.current()
    assert (call.trace_id, call.header("x")) == (request.trace_id, request.header("x"))
    response.write("%s %s %s %s %s" % (request.trace_id, request.span_id, request.parent_id, request.header("x"), request.header(b"none")))


def whole(request):
    call = cocaine.current()
    return "%s %s %s %s %s" % (call.trace_id, call.span_id, call.parent_id, call.header("x"), call.cancelled)


def body(request, response):
    response.write(request.read() + b"|")
    response.write(request.body())
    response.write(b"|" + request.body())


def computes(request, response):
    """Neither reads nor writes, but asks."""
    response.write(b"computing")
    while not request.cancelled:
        pass
    assert response.cancelled and cocaine.current().cancelled
    raise cocaine.Cancelled


def fails_long(request, response):
    response.error(7, request.body().decode() * 5000)


def kept(request, response):
    kept.request = request


def asks_kept(request):
    return str(kept.request.cancelled)


def holds(request, response):
    """Yields, and begins to read when the gate opens."""
    yield b"holding"
    while not select.select([GATE], [], [], 0.001)[0]:
        yield b""
    yield b"%d" % len(request.body())
