"""Events that write much, and that read slowly."""

import os
import time

CHUNK = bytes(64 << 10)


def pid():
    return b"%d" % os.getpid()


def floods(request, response):
    for _ in range(int(request.body()) << 4):
        response.write(CHUNK)


def yields(request):
    for _ in range(int(request) << 4):
        yield CHUNK


def swallows(request, response):
    """Begins to read after a while, and waits after each chunk."""
    size = 0
    time.sleep(0.2)
    for chunk in request:
        size += len(chunk)
        time.sleep(0.0002)
    response.write(b"%d" % size)
