"""What the tests of raw-server call."""

import os
import time


def line(request):
    """`SECONDS TEXT` answers TEXT after that time; `fail TEXT` fails; `late TEXT` fails after its answer has begun."""
    word, _, text = request.partition(b" ")
    if word == b"fail":
        raise ValueError(text.decode())
    if word == b"late":
        yield text
        raise ValueError("too late")
    if word == b"long":
        yield b"x" * int(text)
        return
    if word == b"hold":
        while not os.path.exists(text):
            time.sleep(0.005)
        yield b"held"
        return
    time.sleep(float(word or 0))
    yield text


def sizes(request, response):
    """Says how much has come with each chunk, and the sum at the end."""
    total = 0
    for chunk in request:
        total += len(chunk)
        response.write(b"%d\n" % total)
    response.write(b"end %d\n" % total)


def greet(request, response):
    """Speaks first, answers one chunk, and ends while the peer may still send."""
    response.write(b"hello\n")
    response.write(b"you said " + request.read())
    response.close()


def wait(request, response):
    """Takes the whole request only when the file that its first line names is there."""
    first = request.read()
    path, _, rest = first.partition(b"\n")
    while not os.path.exists(path):
        time.sleep(0.005)
    total = len(rest)
    for chunk in request:
        total += len(chunk)
    response.write(b"%d" % total)
