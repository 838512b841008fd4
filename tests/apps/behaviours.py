"""An app that does what a test asks for."""

import os
import signal
import subprocess
import sys
import time


def echo(request):
    yield request


def pid():
    return str(os.getpid())


def spawn():
    """Starts a process that stays; both ids."""
    child = subprocess.Popen(["/bin/sleep", "600"])
    return "%d %d" % (os.getpid(), child.pid)


def count(request):
    for number in range(1, int(request) + 1):
        yield str(number)


def fail(request):
    raise ValueError(request.decode())


def fail_late():
    yield b"first"
    raise ValueError("too late")


def die(request):
    os.kill(os.getpid(), signal.SIGKILL)


def die_once(request):
    """Dies in its first run; the file tells the second that there was one."""
    path = request.decode()
    if not os.path.exists(path):
        open(path, "w").close()
        os.kill(os.getpid(), signal.SIGSEGV)
    yield b"survived"


def die_late():
    yield b"x" * 100000
    yield b"y"
    time.sleep(0.05)
    os.kill(os.getpid(), signal.SIGKILL)


def sleep(request):
    time.sleep(float(request))
    yield b"slept"


def hold(request):
    """Runs until the file is there."""
    while not os.path.exists(request.decode()):
        time.sleep(0.005)
    yield b"held"


def stall(request):
    """Runs while the file is there, and 10 ms more."""
    while os.path.exists(request.decode()):
        time.sleep(0.005)
    time.sleep(0.01)
    yield b"went on"


kept = []


def grow(request):
    """Keeps so many bytes for ever."""
    kept.append(b"x" * int(request))
    yield b"grown"


def chatty():
    print("a line for the log")
    print("another", file=sys.stderr)
    yield b"done"


def stream(request, response):
    total = 0
    for chunk in request:
        total += len(chunk)
        response.write(b"%d;" % len(chunk))
    response.write(b"total %d" % total)
    response.close()


def scribble():
    """Writes noise over the whole shared segment."""
    with open("/proc/self/maps") as maps:
        ranges = [line.split()[0] for line in maps if "memfd:cocaine-pipe" in line]
    with open("/proc/self/mem", "r+b", buffering=0) as memory:
        for one in ranges:
            start, end = (int(part, 16) for part in one.split("-"))
            memory.seek(start)
            memory.write(os.urandom(end - start))
    yield b"scribbled"


def die_unless(request):
    """Dies until the file is there: a job that is poison until its app is mended."""
    if not os.path.exists(request.decode()):
        print("about to die of", request.decode(), file=sys.stderr, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    yield b"mended"


def proc(request):
    """A file of /proc/self."""
    with open("/proc/self/" + request.decode(), "rb") as file:
        yield file.read()


def folder():
    return os.getcwd()


def greedy(request):
    """Takes memory until it gets no more, and ends as programs without exceptions do."""
    taken = []
    try:
        while len(taken) < int(request):
            taken.append(bytearray(1 << 20))
    except MemoryError:
        os.abort()
    yield b"took all"


def burn():
    while True:
        pass
