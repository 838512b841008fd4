"""The contract app of docs/worker-protocol.md."""

import asyncio
import os
import sys
import time

import cocaine


def echo(request):
    return request


async def relay(request, response):
    async for chunk in request:
        response.write(chunk)


def count(request):
    for number in range(int(request)):
        yield b"%d" % number


def raises(request):
    raise ValueError(request.decode())


def raises_late(request):
    yield b"first"
    raise ValueError(request.decode())


def refuses(request, response):
    response.error(77, "mine")


async def waits(request, response):
    response.write(b"waiting")
    try:
        while await request.read() is not None:
            pass
    except asyncio.CancelledError:
        sys.stderr.write("waits was cancelled\n")
        raise
    response.write(b"done")


def sleeps(request):
    time.sleep(int(request) / 1000)
    return b"slept"


def prints(request):
    print(request.decode())
    sys.stderr.write(request.decode() + "\n")
    return b"printed"


def headers(request, response):
    for name, value in request.headers:
        response.write(b"%s=%s\n" % (name, value.hex().encode()))


def whoami(request):
    return "%s %s %s %s" % (cocaine.app_name, cocaine.uuid, cocaine.current().event, os.environ.get("COCAINE_APP_VERSION", "0"))
