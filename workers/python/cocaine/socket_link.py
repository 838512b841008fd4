"""All messages over the Unix socket: where there is no pipe."""

from __future__ import annotations

import select
import sys
from fcntl import ioctl

from .exits import broken, node_gone
from .limits import BATCH_BYTES, MESSAGE_BYTES, READ_BYTES, UNREAD_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from _socket import socket

    from .begin_page import BeginPage
    from .link import Pending

SENT_PARTS = 512   # in one call; the system takes 1024
SIOCOUTQ = 0x5411  # bytes sent and not read yet; see unix(7)


class SocketLink:
    """A Link: see link.py."""

    best_batch = BATCH_BYTES

    def __init__(self, sock: socket, received: bytes, page: BeginPage | None = None) -> None:
        self.sock = sock
        self._page = page
        self.most_begun = sys.maxsize if page is None else page.most_begun  # without a page the node gives no more calls than may begin
        self._rest = [received] if received else []  # the start of a message whose end has not come
        self._rest_size = len(received)
        self._need = 0
        self._taken_ahead = 0  # bytes that have come while there was no room
        self.received = 0
        self._poll = select.epoll()
        self._poll.register(sock.fileno(), select.EPOLLIN)
        sock.setblocking(False)

    def fetch(self, pending: Pending) -> bool:
        try:
            data = self.sock.recv(READ_BYTES)
        except (BlockingIOError, InterruptedError):
            data = None
        except OSError:
            node_gone()
        if data == b"":
            node_gone()
        if data is not None:
            self._rest.append(data)
            self._rest_size += len(data)
            self.received += len(data)
        if not self._rest or self._rest_size < self._need:
            return data is not None
        pending.append((b"".join(self._rest), 0))
        self._rest.clear()
        self._rest_size = self._need = 0
        return True

    def truncated(self, pending: Pending, data: bytes, at: int, need: int) -> None:
        """Keeps the start of a message until `need` bytes of it are here; joining only then keeps long messages linear."""
        if need > MESSAGE_BYTES:
            broken("a message of more than %d bytes" % MESSAGE_BYTES)
        if pending:  # more was read while a handler waited for room
            following, start = pending.popleft()
            pending.appendleft((data[at:] + following[start:], 0))
        else:
            self._rest.insert(0, memoryview(data)[at:])
            self._rest_size += len(data) - at
            self._need = need

    @property
    def is_recalling(self) -> bool:
        return self._page is not None and self._page.is_recalling

    def begin(self, number: int) -> bool:
        return self._page is None or self._page.begin(number)

    def recalled(self, count: int) -> None:
        if self._page is None:
            broken("a recall without a page about what is begun")
        self._page.recalled(count)

    def send(self, data: bytes, pending: Pending) -> None:
        data = memoryview(data)
        while data:
            try:
                data = data[self.sock.send(data):]
            except (BlockingIOError, InterruptedError):
                self._wait_for_room(pending)
            except OSError:
                node_gone()

    def send_parts(self, parts: list[bytes | memoryview], pending: Pending) -> None:
        try:
            sent = self.sock.sendmsg(parts[:SENT_PARTS])
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError:
            node_gone()
        rest = []
        for part in parts:
            if sent < len(part):
                rest.append(memoryview(part)[sent:] if sent else part)
            sent = max(0, sent - len(part))
        if rest:
            self.send(b"".join(rest), pending)

    def _wait_for_room(self, pending: Pending) -> None:
        """Reads on meanwhile, so that the node need not wait; no more than the bound of what is unread."""
        descriptor = self.sock.fileno()
        if not pending:
            self._taken_ahead = 0
        reads = self._taken_ahead < UNREAD_BYTES
        self._poll.modify(descriptor, select.EPOLLOUT | (select.EPOLLIN if reads else 0))
        self._poll.poll(-1)
        self._poll.modify(descriptor, select.EPOLLIN)
        if reads:
            before = self.received
            self.fetch(pending)
            self._taken_ahead += self.received - before

    def everything_read(self) -> bool:
        return int.from_bytes(ioctl(self.sock.fileno(), SIOCOUTQ, bytes(4)), "little") == 0

    def wait(self, seconds: float) -> None:
        self._poll.poll(seconds)

    def park_for_loop(self) -> bool:
        return True  # the loop watches the socket, level-triggered

    def unpark(self) -> None:
        pass

    def watched(self) -> tuple[int, tuple[tuple[int, Callable[[], None]], ...]]:
        return self.sock.fileno(), ()
