"""
Start of a worker: loads the app, connects, shakes hands, serves.

Time counts here: a pool that grows waits for it. So: _socket, not socket; asyncio only for apps that have async functions; no argparse,
no logging.
"""

from __future__ import annotations

import gc
import os
import sys
from _socket import AF_UNIX, CMSG_SPACE, MSG_CMSG_CLOEXEC, SCM_RIGHTS, SOCK_CLOEXEC, SOCK_STREAM, SOL_SOCKET, socket

import cocaine

from . import stacks
from .apart import APART
from .app import App, mentions_async
from .begin_page import BeginPage, open_page
from .exits import broken, die, node_gone
from .failures import show
from .forks import FORKED, end_child
from .frames import CONTROL, handshake, read
from .limits import CONCURRENCY
from .msgpack import Truncated
from .session import Session
from .socket_link import SocketLink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .link import Link
    from .pipe import Pipe
    from .wsgi import WsgiApp

_VALUED = ("--app", "--uuid", "--endpoint", "--locator", "--protocol", "--wsgi")


def main(words: list[str]) -> int:
    options, source, rest = _parse(words)
    if source is None or "--endpoint" not in options:
        sys.stderr.write("usage: cocaine-worker.py --app NAME --uuid UUID --endpoint PATH --locator HOST:PORT --protocol 1 SOURCE\n")
        return 2
    cocaine.app_name, cocaine.uuid = options.get("--app", "app"), options.get("--uuid", "")
    cocaine.app_version = int(os.environ.get("COCAINE_APP_VERSION", "0"))
    sys.argv = [source] + rest
    sys.stdout.reconfigure(line_buffering=True)
    stacks.install()
    page = open_page()  # before the app, which is not to see it
    pipe = _usable_pipe()  # and this, whose modules are not to be the app's: see apart.py
    try:
        if mentions_async(source):
            _import_asyncio()
        app = _load(cocaine.app_name, source, options.get("--wsgi"))
        session = _session_of(app)
    except BaseException as failure:
        if FORKED:
            end_child(failure)
        show(failure)
        _hint_at_package(failure)
        return 1
    if FORKED:
        end_child()
    link, has_flow = _connect(options["--endpoint"], cocaine.uuid, pipe, page, app.has_async)
    gc.freeze()  # what is loaded stays; the collector need not walk over it
    session(app, link, has_flow).serve()
    return 0


def _import_asyncio() -> None:
    try:
        from . import asynchronous  # noqa: F401
    except ImportError:
        pass  # python3-minimal: an app that has async functions indeed is told so when it is loaded


def _session_of(app: App | WsgiApp) -> type[Session]:
    if not app.has_async:
        return Session
    with APART:
        from .asynchronous import AsyncSession
    AsyncSession.prints_stacks = True
    return AsyncSession


def _hint_at_package(failure: BaseException) -> None:
    """Debian's python3-minimal has half of the standard library; the message alone would have one look for the module on PyPI."""
    name = getattr(failure, "name", None) if isinstance(failure, ImportError) else None
    if type(name) is str and name.partition(".")[0] in getattr(sys, "stdlib_module_names", ("asyncio", "contextvars", "mmap")):
        sys.stderr.write("cocaine: %s is part of Python's standard library, which is not whole here (python3-minimal?): "
                         "apt-get install python3\n" % name)


def _load(name: str, source: str, wsgi: str | None) -> App | WsgiApp:
    if wsgi is None:
        return App(name, source)
    from .wsgi import WsgiApp
    return WsgiApp(name, source, wsgi)


def _parse(words: list[str]) -> tuple[dict[str, str], str | None, list[str]]:
    """Options that the node gives, the app's path, and the app's own words after it. Unknown options are passed over."""
    options, source, rest = {}, None, []
    words = iter(words)
    for word in words:
        if source is None and word in _VALUED:
            options[word] = next(words, "")
        elif source is None and word.startswith("--"):
            continue
        elif source is None:
            source = word
        else:
            rest.append(word)
    return options, source, rest


def _usable_pipe() -> type[Pipe] | None:
    """The rings need x86-64's memory ordering and 64-bit words, see pipe.py, and a Python with mmap: python3-minimal has none."""
    if os.uname().machine != "x86_64" or sys.maxsize <= 1 << 32 or os.environ.get("COCAINE_PIPE") == "0":
        return None
    try:
        from .pipe import Pipe
        return Pipe
    except ImportError:
        return None  # the socket does the same, somewhat slower; the node's `info` says which it is


def _connect(endpoint: str, uuid: str, usable: type[Pipe] | None, page: int, overlaps: bool) -> tuple[Link, bool]:
    """The link, and whether the node has flow control of one channel."""
    sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC)
    offer = {name: 1 for name, has in (("pipe", usable is not None), ("flow", True), ("begin", page >= 0)) if has}
    if overlaps:
        offer["concurrency"] = CONCURRENCY
    try:
        sock.connect(endpoint)
        sock.sendall(handshake(uuid, offer))
    except OSError as failure:
        die(1, "cannot reach the node at %s: %s" % (endpoint, failure))
    received, descriptors = b"", []
    while True:
        try:
            data, ancillary, _, _ = sock.recvmsg(4096, CMSG_SPACE(3 * 4), MSG_CMSG_CLOEXEC)
        except OSError:
            data = b""
        if not data:
            node_gone()
        received += data
        for level, kind, content in ancillary:
            if level == SOL_SOCKET and kind == SCM_RIGHTS:
                descriptors += [int.from_bytes(content[at:at + 4], sys.byteorder) for at in range(0, len(content) - 3, 4)]
        try:
            number, kind, args, _, end = read(received, 0)
            break
        except Truncated:
            continue
        except ValueError as problem:
            broken(str(problem))
    if number != CONTROL or kind != 0 or len(args) != 1 or not isinstance(args[0], dict):
        broken("the handshake's answer is a message of type %d on channel %d" % (kind, number))
    has_flow = args[0].get(b"flow") == 1
    if usable is None or not args[0].get(b"pipe"):
        return SocketLink(sock, received[end:], BeginPage(page) if page >= 0 and args[0].get(b"begin") == 1 else None), has_flow
    if page >= 0:
        os.close(page)
    if len(descriptors) != 3 or end != len(received):
        broken("a grant with %d descriptors and %d bytes more" % (len(descriptors), len(received) - end))
    sock.setblocking(False)
    try:
        return usable(*descriptors, sock), has_flow
    except OSError as failure:
        die(1, "the shared memory of the pipe cannot be mapped: %s. \"env\": {\"COCAINE_PIPE\": \"0\"} in the manifest's args keeps the "
            "worker on its socket" % failure)
