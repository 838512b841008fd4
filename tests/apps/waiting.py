"""Handlers that wait beside each other, and one that computes."""

import asyncio
import os
import time


async def wait(ms):
    await asyncio.sleep(int(ms) / 1000)
    return "waited"


async def compute(ms):
    """The answer is the process that computed."""
    until = time.monotonic() + int(ms) / 1000
    while time.monotonic() < until:
        pass
    return str(os.getpid())
