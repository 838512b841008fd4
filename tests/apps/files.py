"""What the tests of filesystem-monitor call: each job appends what it got, as a line of JSON, to the file that LOG names."""

import json
import os
import time

from cocaine.msgpack import unpackb


def _log(value):
    with open(os.environ["LOG"], "a") as log:
        log.write(json.dumps(value, default=lambda name: name.hex()) + "\n")


def spool(request):
    _log(unpackb(request))


def nothing():
    _log("called")


def fails(request):
    _log(unpackb(request))
    raise ValueError("no")


def slow(request):
    """Holds its slave until the file RELEASE is there."""
    _log(unpackb(request))
    while not os.path.exists(os.environ["RELEASE"]):
        time.sleep(0.005)
