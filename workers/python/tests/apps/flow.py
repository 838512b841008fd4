"""Plain functions that write much, or read step by step."""

import os
import select

import cocaine

GATE = int(os.environ.get("GATE", "-1"))
CHUNK_BYTES = 40000


def numbered(request):
    """As many chunks as the request says; each begins with its number."""
    return (b"%08d" % i + bytes(CHUNK_BYTES - 8) for i in range(int(request)))


def writes(request, response):
    for chunk in numbered(request.read()):
        response.write(chunk)


def yields(request):
    yield from numbered(request)


def yields_small(request):
    """Quick from chunk to chunk."""
    for i in range(int(request)):
        yield b"%08d" % i + bytes(992)


def returns(request):
    return list(numbered(request))


def errs(request, response):
    request.read()
    response.error(7, "mine")


def closes(request, response):
    request.read()
    response.close()


def steps(request, response):
    """Reads a chunk for each byte in the gate. Looks for a cancel meanwhile, so the SDK hears the node."""
    while True:
        while not select.select([GATE], [], [], 0.001)[0]:
            assert not request.cancelled
        os.read(GATE, 1)
        chunk = request.read()
        if chunk is None:
            return
        response.write(chunk[:8])


def sums(request, response):
    response.write(b"%d" % sum(map(len, request)))


def echo(request):
    return request


def cancelled(request, response):
    """Tells how its write ended."""
    try:
        while True:
            response.write(bytes(CHUNK_BYTES))
    except cocaine.Cancelled:
        os.write(int(os.environ["TOLD"]), b"x")
        raise
