"""Every function here is an event: a client calls it by its name."""

import time


def echo(request):
    yield request


def count(request):
    """count of b"3" answers with the chunks 1, 2 and 3."""
    for number in range(1, int(request) + 1):
        yield str(number)


def slow(request):
    """Answers after as many seconds as the request says; 1 when it is empty."""
    time.sleep(float(request or 1))
    yield b"done"


def blob(request):
    """Streams as many bytes as the request says."""
    left = int(request)
    part = bytes(min(left, 65536))
    while left > 0:
        yield part[:left]
        left -= len(part)
