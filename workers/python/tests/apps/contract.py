"""The app of the contract tests."""

import os
import sys

import cocaine
from os import getpid  # noqa: F401  (visible, but no event)



def echo(request):
    yield request


def plain(request):
    return request


def text(request):
    return "gr\u00fc\u00df"


def nothing(request):
    return None


def no_argument():
    return b"no argument"


def count(request):
    for number in range(int(request)):
        yield b"%d" % number


def listed(request):
    return [b"a", "b", bytearray(b"c")]


class Upper:
    def __init__(self, request):
        self.request = request

    def __iter__(self):
        yield self.request.upper()


class _Callable:
    def __call__(self, request):
        return b"called " + request


instance = _Callable()


def raises(request):
    raise TypeError("text")


def raises_late(request):
    yield b"first"
    raise KeyError("later")


def bad_chunk(request):
    yield 5


def leaves(request):
    sys.exit(3)


def who(request):
    call = cocaine.current()
    return "%s %s %s %s" % (call.app, call.event, cocaine.uuid, call.headers)


def relay(request, response):
    for chunk in request:
        response.write(b"<" + chunk + b">")


def fails(request, response):
    response.error(77, "mine")


def endless_or_not(request):
    try:
        yield b"x"
        while request == b"0":
            yield b"x" * 100
    except GeneratorExit:
        sys.stderr.write("endless was closed\n")
        raise


def waits(request, response):
    response.write(b"waiting")
    try:
        request.read()
    except cocaine.Cancelled:
        sys.stderr.write("waits was cancelled\n")
        raise


def held(request):
    """A slow generator: goes on only when the file descriptor says so."""
    yield b"before"
    os.read(int(os.environ["GATE"]), 1)
    yield b"after"


def prints(request):
    print("to stdout")
    return b"ok"


_kept = []


def keep(request):
    _kept.append(request)
    return "kept"


def kept(request):
    return _kept.pop()


def reused(request):
    """One buffer for all chunks: a write is over when it returns."""
    buffer = bytearray(100_000)
    for n in range(3):
        buffer[:] = bytes((n,)) * len(buffer)
        yield buffer


def viewed(request, response):
    buffer = bytearray(400_000)
    view = memoryview(buffer).cast("I")[25_000:50_000]
    for n in range(3):
        buffer[:] = bytes((n,)) * len(buffer)
        response.write(view)
