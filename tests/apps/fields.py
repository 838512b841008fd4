"""Methods for drivers that publish, and for those over ZeroMQ."""

import json
import os
import time


def echo(request):
    yield request


def nothing(request):
    return None


def many(request):
    for number in range(1, int(request) + 1):
        yield str(number)


def fail(request):
    raise ValueError(request.decode())


def refuses(request, response):
    """Gives an error of its own, whose text its client may take apart."""
    response.error(77, request.read().decode())


def blobs(request):
    """Streams so many chunks of 64 KiB."""
    block = bytes(65536)
    for _ in range(int(request)):
        yield block


def held(request):
    """Answers when the file that the request names is there."""
    while not os.path.exists(request.decode()):
        time.sleep(0.005)
    yield b"held"


def slow(request):
    """Answers when the file of the environment is there; before that nothing moves."""
    while not os.path.exists(os.environ["GATE"]):
        time.sleep(0.005)
    yield json.dumps({"got": request.decode()})
