"""An app that says which version of it answers; VERSION is in its environment."""

import os
import time

VERSION = os.environ.get("VERSION", "?")

# An import that takes until a test lets it go.
_gate = os.environ.get("IMPORT_WAITS_FOR")
while _gate and not os.path.exists(_gate):
    time.sleep(0.005)


def echo(request):
    yield request


def version():
    yield VERSION


def hold(request):
    """Runs until the file is there."""
    while not os.path.exists(request.decode()):
        time.sleep(0.005)
    yield "held by %s" % VERSION


def say(request):
    print(request.decode())
    yield b""


def extra(request):
    yield b"extra " + request
