"""The same for async functions."""

import asyncio
import os
import sys
import threading
import time

import cocaine
from faults import FAILURES, TOO_LONG, child_code  # noqa: F401  (the file beside this one)

__all__ = ["agives_long", "ayields_long", "awrites_long", "acuts", "aplain", "afails", "afails_late", "threads", "thread_after", "forks", "counts", "ticks", "blocks", "reads_elsewhere",
           "plain_elsewhere", "current"]

kept = []
ran = 0


async def agives_long(request):
    return TOO_LONG


async def ayields_long(request):
    yield b"first"
    yield TOO_LONG


async def awrites_long(request, response):
    await response.write(b"first")
    await asyncio.to_thread(response.write, TOO_LONG)


async def acuts(request, response):
    try:
        await response.write(TOO_LONG)
    except cocaine.ChunkTooLong as refused:
        await response.write(str(refused))
    await response.write(b"in pieces")


async def aplain(request):
    return request


async def afails(request):
    raise FAILURES[request.decode()]()


async def afails_late(request):
    yield b"first"
    raise FAILURES[request.decode()]()


async def threads(request, response):
    """Eight threads, each writes as many chunks as are asked for."""
    count = int(await request.read())

    def write(thread):
        for i in range(count):
            response.write(b"%d %d %s" % (thread, i, b"x" * 6000))  # long enough to be sent at once

    await asyncio.gather(*[asyncio.to_thread(write, thread) for thread in range(8)])


async def thread_after(request, response):
    """A thread that goes on when the call has ended."""
    if await request.read() == b"keep":
        kept.append(response)
        return
    old, texts = kept.pop(), []

    def attempt():
        try:
            old.write(b"late")
        except Exception as failure:
            texts.append("%s: %s" % (type(failure).__name__, failure))

    await asyncio.to_thread(attempt)
    response.write(texts[0])


async def forks(request):
    await asyncio.sleep(0)
    child = os.fork()
    if child:
        while True:
            pid, status = os.waitpid(child, os.WNOHANG)
            if pid:
                return b"%d" % os.waitstatus_to_exitcode(status)
            await asyncio.sleep(0.001)
    if request == b"exit":
        sys.exit(3)
    if request == b"wait":
        await asyncio.sleep(0)  # to the loop, which has other tasks
    if request == b"raise":
        raise ValueError("in the child")
    return b"the child's answer"


async def counts(request):
    """Each step of these is written down with the process that runs it."""
    for step in range(200):
        with open(os.environ["MARKS"], "ab") as file:
            file.write(b"%s %d\n" % (request, os.getpid()))
        await asyncio.sleep(0)
    return b"counted"


async def reads_elsewhere(request, response):
    def attempt():
        try:
            asyncio.run(request.read())
        except Exception as failure:
            return "%s: %s" % (type(failure).__name__, failure)

    response.write(await asyncio.to_thread(attempt))


async def current(request):
    found = []
    thread = threading.Thread(target=lambda: found.append(cocaine.current()))
    thread.start()
    thread.join()
    return "%s %s" % (found[0], (await asyncio.to_thread(cocaine.current)).event)


async def ticks(request, response):
    """Waits for ever, and says so."""
    response.write(b"waiting")
    await asyncio.Event().wait()


def blocks(request, response):
    response.write(b"blocking")
    time.sleep(600)


def plain_elsewhere(request, response):
    thread = threading.Thread(target=response.write, args=(b"torn",))
    thread.start()
    thread.join()
    response.write(b"mine")
