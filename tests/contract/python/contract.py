"""The contract app of docs/worker-protocol.md."""

import asyncio
import sys
import time

import cocaine


def echo(request):
    return request


async def relay(request, response):
    async for chunk in request:
        await response.write(chunk)


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
    except asyncio.CancelledError as cancel:
        by = cancel.args[0]
        sys.stderr.write("waits was cancelled by [%d, %d]: %s\n" % (by.category, by.code, by.reason))
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
    return "%s %s %s %s" % (cocaine.app_name, cocaine.uuid, cocaine.current().event, cocaine.app_version)


# What every SDK can: the table of docs/languages.md.


async def body(request, response):
    response.write(await request.body())


def header(request):
    value = cocaine.current().header(request)
    return b"none" if value is None else value


def ids(request):
    call = cocaine.current()
    return "%d %d %d" % (call.trace_id, call.span_id, call.parent_id)


def category(request, response):
    response.error(78, "own category", 43)


def cancelled(request, response):
    response.write(b"waiting")
    while not cocaine.current().cancelled:
        time.sleep(0.001)
    sys.stderr.write("cancelled was seen\n")
