"""Handlers that do what they should not: in threads, in forked children, with exceptions that cannot be shown."""

import concurrent.futures
import multiprocessing
import os
import subprocess
import sys
import threading
import time

import cocaine

kept = []  # responses of calls that are over


TOO_LONG = bytes((64 << 20) + 1)


def plain(request):
    return request


# Chunks that are too long.

def gives_long(request):
    return TOO_LONG


def gives_long_text(request):
    return "\xe9" * ((32 << 20) + 1)  # two bytes each


def yields_long(request):
    yield b"first"
    yield TOO_LONG


def writes_long(request, response):
    response.write(b"first")
    response.write(bytearray(TOO_LONG))


def cuts(request, response):
    try:
        response.write(TOO_LONG)
    except cocaine.ChunkTooLong as refused:
        response.write(str(refused))
    response.write(b"in pieces")


# Threads.

def in_thread(function, *args):
    """What the function gives or raises in a thread, as text."""
    def attempt():
        try:
            return repr(function(*args))
        except Exception as failure:
            return "%s: %s" % (type(failure).__name__, failure)

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        return pool.submit(attempt).result()


def writes_elsewhere(request, response):
    for function, args in (response.write, (b"torn",)), (response.error, (1, "torn")), (response.close, ()), (request.read, ()):
        response.write(in_thread(function, *args) + "\n")
    response.write(in_thread(lambda: list(request)) + "\n")
    response.write(in_thread(cocaine.current) + "\n")


def collects(request, response):
    """As it should be done."""
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for chunk in pool.map(lambda i: b"%d" % i, range(int(request.read()))):
            response.write(chunk)


def keeps(request, response):
    kept.append(response)
    response.write(b"kept")


def writes_late(request):
    """To the call before, which has ended: in this thread, and in another."""
    response = kept.pop()
    texts = [in_thread(response.write, b"late")]
    try:
        response.write(b"late")
    except Exception as failure:
        texts.append("%s: %s" % (type(failure).__name__, failure))
    return "\n".join(texts)


# Forks. The parent answers with the child's exit code.

def child_code(child):
    return b"%d" % os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def fork_then(action):
    child = os.fork()
    if child:
        return child_code(child)
    return action()


def fail_to_exec():
    os.execv("/no/such/program", ["x"])


def raise_in_child():
    raise ValueError("in the child")


WAYS = {
    b"": lambda: b"the child's answer",
    b"exit": lambda: sys.exit(3),
    b"exit-text": lambda: sys.exit("text"),
    b"exec": fail_to_exec,
    b"raise": raise_in_child,
    b"quick": os.getpid,
}


def forks(request):
    return fork_then(WAYS[request])


def forks_or_not(request):
    return request if request == b"no" else forks(request)


def forks_in_generator(request):
    if request == b"no":
        yield b"no"
        return
    yield b"before"
    child = os.fork()
    if not child and request == b"end":
        return
    if not child and request == b"raise":
        raise_in_child()
    yield child_code(child) if child else b"the child's chunk"


def child_writes(request, response):
    response.write(b"before ")
    child = os.fork()
    response.write(child_code(child) if child else b"the child's chunk")


def mark(request):
    """One line a job, with the process that runs it."""
    with open(os.environ["MARKS"], "ab") as file:
        file.write(b"%s %d\n" % (request, os.getpid()))
    return b"marked"


def double(text):
    return text * 2


def processes(request):
    context = multiprocessing.get_context(request.decode())
    with context.Pool(2) as pool:
        pooled = pool.map(len, ["a", "bb", "ccc"])
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as executor:
        executed = executor.submit(len, "dddd").result()
    single = context.Process(target=len, args=("x",))
    single.start()
    single.join()
    shell = subprocess.run(["/bin/sh", "-c", "echo from a shell"], stdout=subprocess.PIPE, check=True).stdout
    return "%s %d %d %s" % (pooled, executed, single.exitcode, shell.decode())


# Failures.

class BadStr(Exception):
    def __str__(self):
        raise RuntimeError("in __str__")


class BadName(type):
    @property
    def __name__(cls):
        raise RuntimeError("in __name__")


class Nameless(BadStr, metaclass=BadName):
    pass


class NoText(Exception):
    def __str__(self):
        return 5


class OddText(Exception):
    def __str__(self):
        return Text("odd")


class Text(str):
    def encode(self, *args):
        raise RuntimeError("in encode")

    def __getitem__(self, index):
        raise RuntimeError("in __getitem__")

    def __bool__(self):
        raise RuntimeError("in __bool__")


class Liar(Exception):
    @property
    def __class__(self):
        raise RuntimeError("in __class__")


class Leaves(Exception):
    def __str__(self):
        sys.exit(4)


def recurse():
    return recurse() + 1


def stop():
    raise StopIteration("stopped")


FAILURES = {
    "badstr": BadStr, "nameless": Nameless, "notext": NoText, "oddtext": OddText, "liar": Liar, "leaves": Leaves,
    "huge": lambda: ValueError("x" * (70 << 20)), "surrogates": lambda: ValueError("\ud800" * 5000), "interrupt": KeyboardInterrupt,
    "generatorexit": GeneratorExit, "exit": lambda: SystemExit(3), "memory": MemoryError, "recursion": recurse, "stop": stop,
    "group": lambda: BaseExceptionGroup("several", [BadStr()]) if sys.version_info >= (3, 11) else BadStr(),
}


def fails(request):
    raise FAILURES[request.decode()]()


def fails_late(request):
    yield b"first"
    raise FAILURES[request.decode()]()


def fails_streaming(request, response):
    raise FAILURES[request.read().decode()]()


def fails_hooked(request):
    before = sys.excepthook
    sys.excepthook = lambda *args: 1 / 0
    threading.Timer(0, lambda: None).start()
    try:
        raise ValueError("hooked")
    finally:
        if request == b"restore":
            sys.excepthook = before


# What hangs.

def spins(request, response):
    response.write(b"spinning")
    while True:
        pass


def in_c(request, response):
    response.write(b"in C")
    time.sleep(600)
