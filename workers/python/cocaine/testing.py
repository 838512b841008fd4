"""
Runs an app's handlers without a node:

    python3 -m cocaine.testing app.py event < request          the answer's chunks go to standard output as they come

    from cocaine.testing import Runner
    answer = Runner("app.py").call("event", b"request")        in a test
    assert answer.chunks == [b"…"] and answer.error is None

The session is the worker's own, over a socket pair to a thread that plays the node: streams, async functions, headers and errors are as
they will be.
"""

from __future__ import annotations

import argparse
import os
import socket
import sys
import threading

import cocaine

from .apart import APART
from .app import App, mentions_async
from .frames import CLOSE, CONTROL, ERROR, HEARTBEAT, WRITE, read
from .msgpack import Truncated, packb
from .socket_link import SocketLink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Optional, Union

    Chunk = Union[bytes, str]

CHANNEL = 2
_PIECE_BYTES = 1 << 16


class AppError(Exception):
    """The answer ended with an error."""

    def __init__(self, category: int, code: int, reason: str) -> None:
        Exception.__init__(self, "error %d.%d: %s" % (category, code, reason))
        self.category = category
        self.code = code
        self.reason = reason


class Answer:
    """What a caller would have got."""

    def __init__(self) -> None:
        self.chunks: list[bytes] = []
        self.error: Optional[AppError] = None

    @property
    def body(self) -> bytes:
        """All chunks; raises the error when there is one."""
        if self.error is not None:
            raise self.error
        return b"".join(self.chunks)


class Runner:
    """An app, loaded once."""

    def __init__(self, source: str, name: str = "app", wsgi: Optional[str] = None) -> None:
        cocaine.app_name = name
        cocaine.uuid = cocaine.uuid or "testing"
        if mentions_async(source):
            from . import asynchronous  # noqa: F401  # before the app's folder is on the path
        if wsgi is None:
            self._app = App(name, source)
        else:
            from .wsgi import WsgiApp
            self._app = WsgiApp(name, source, wsgi)

    def call(
            self, event: str, *chunks: Chunk, headers: Iterable[tuple[str, Chunk]] = (),
            on_chunk: Optional[Callable[[bytes], object]] = None) -> Answer:
        """Runs the event's handler in this thread. The request is the chunks; headers are (name, value) pairs."""
        return self.stream(event, chunks, headers, on_chunk)

    def stream(
            self, event: str, chunks: Iterable[Chunk], headers: Iterable[tuple[str, Chunk]] = (),
            on_chunk: Optional[Callable[[bytes], object]] = None) -> Answer:
        """The same; the chunks may come from anything that gives them, read in another thread."""
        ours, theirs = socket.socketpair()
        node = _Node(theirs, event, chunks, headers, on_chunk)
        node.start()
        if self._app.has_async:
            with APART:
                from .asynchronous import AsyncSession as Session
        else:
            from .session import Session
        try:
            Session(self._app, SocketLink(ours, b"")).serve()
        finally:
            ours.shutdown(socket.SHUT_RDWR)
            node.join()
            ours.close()
            theirs.close()
        if node.failure is not None:
            raise node.failure
        return node.answer


class _Node(threading.Thread):
    """Sends the request, takes the answer, says terminate."""

    def __init__(
            self, sock: socket.socket, event: str, chunks: Iterable[Chunk], headers: Iterable[tuple[str, Chunk]],
            on_chunk: Optional[Callable[[bytes], object]]) -> None:
        threading.Thread.__init__(self, daemon=True)
        self.answer = Answer()
        self.failure: Optional[BaseException] = None
        self._sock = sock
        self._event = event
        self._chunks = chunks
        self._headers = list(headers)
        self._on_chunk = on_chunk or (lambda chunk: None)
        self._sending = threading.Lock()

    def run(self) -> None:
        writer = threading.Thread(target=self._send_request, daemon=True)
        writer.start()
        try:
            self._take_answer()
        except BaseException as failure:
            self.failure = failure
        self._send([CONTROL, 1, [1, "done"]])

    def _send(self, *messages: list[object]) -> None:
        with self._sending:
            try:
                self._sock.sendall(b"".join(map(packb, messages)))
            except OSError:
                pass  # the session is over

    def _send_request(self) -> None:
        named = [name for name, _ in self._headers]
        items: list[object] = [index for index, name in ((80, "trace_id"), (81, "span_id"), (82, "parent_id")) if name not in named]
        items += [[False, name.encode(), value.encode() if isinstance(value, str) else value] for name, value in self._headers]
        self._send([CHANNEL, 0, [self._event.encode()], items])
        try:
            for chunk in self._chunks:
                self._send([CHANNEL, WRITE, [chunk.encode() if isinstance(chunk, str) else bytes(chunk)]])
        except BaseException as failure:
            self.failure = failure
            self._send([CHANNEL, ERROR, [[1000, 400], "the request cannot be read"]])
            return
        self._send([CHANNEL, CLOSE, []])

    def _take_answer(self) -> None:
        data = b""
        while True:
            received = self._sock.recv(1 << 18)
            if not received:
                return
            data += received
            at = 0
            while at < len(data):
                try:
                    number, kind, args, _, at = read(data, at)
                except Truncated:
                    break
                if number == CONTROL:
                    with self._sending:
                        self._sock.sendall(HEARTBEAT)
                elif kind == WRITE:
                    self.answer.chunks.append(args[0])
                    self._on_chunk(args[0])
                else:
                    if kind == ERROR:
                        (category, code), reason = args
                        self.answer.error = AppError(category, code, reason.decode("utf-8", "replace"))
                    return
            data = data[at:]


def main(words: Optional[list[str]] = None) -> int:
    parser = argparse.ArgumentParser(prog="python3 -m cocaine.testing", description="Runs one event of an app, without a node.")
    parser.add_argument("source", help="the app: a file, or a folder with __init__.py")
    parser.add_argument("event", help="what is called; the request is standard input")
    parser.add_argument("--header", action="append", default=[], metavar="NAME=VALUE", help="a header of the call")
    parser.add_argument("--lines", action="store_true", help="each line of standard input is a chunk of the request")
    parser.add_argument("--wsgi", metavar="NAME", help="the WSGI application in the source, which answers every event")
    options = parser.parse_args(words)
    chunks = sys.stdin.buffer if options.lines else iter(lambda: sys.stdin.buffer.read1(_PIECE_BYTES), b"")
    headers = [(name, value) for name, _, value in (header.partition("=") for header in options.header)]

    def show(chunk: bytes) -> None:
        sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()

    answer = Runner(options.source, wsgi=options.wsgi).stream(options.event, chunks, headers, show)
    if answer.error is not None:
        print(answer.error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    os._exit(status)  # a thread may still wait for standard input
