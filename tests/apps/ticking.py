"""Handlers of timers: each run leaves a line, so that a test sees what ran."""

import os
import time

FOLDER = os.environ["TICKING"]


def _note(name, text=""):
    with open(os.path.join(FOLDER, name), "a") as file:
        file.write("%.6f %s\n" % (time.time(), text))


def tick():
    _note("tick")
    yield b'{"ticks": 1}'


def drift():
    _note("drift", "begin")
    time.sleep(0.03)
    _note("drift", "end")


def second():
    _note("second")


def manual():
    _note("manual")
    yield str(time.time() + 0.05)


def hold():
    """Runs until the file is there."""
    _note("hold", "begin")
    while not os.path.exists(os.path.join(FOLDER, "release")):
        time.sleep(0.005)
    _note("hold", "end")


def sink(request, response):
    """Takes a request chunk by chunk."""
    chunks = [bytes(chunk) for chunk in request]
    text = b"".join(chunks)
    if text.startswith(b"fail"):
        raise ValueError("no luck")
    while text.startswith(b"hold") and not os.path.exists(os.path.join(FOLDER, "release")):
        time.sleep(0.005)
    _note("sink", "%d %s" % (len(chunks), text[:100].decode()))
    response.write(b'{"taken": %d}' % len(text))
    response.close()
