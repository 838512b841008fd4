"""A channel: one request and its answer."""

from __future__ import annotations

from _collections import deque  # what collections gives, without the milliseconds of importing it
from _thread import get_ident

from .app import STREAMS
from .call import Call
from .frames import CONTROL, channel_head
from .limits import UNREAD_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Optional

    from .app import Handler


class Channel(Call):
    """Each side ends once: `closed` is the node's end, `ended` ours; then the number is forgotten."""

    __slots__ = ("number", "head", "handler", "header_items", "channels", "chunks", "closed", "ended", "is_cancelled", "begun",
                 "started", "waiter", "task")

    def __init__(self, number: int, handler: Handler | None, header_items: Sequence[Any], channels: Channels) -> None:
        self.number = number
        self.head = channel_head(number)
        self.handler = handler
        self.header_items = header_items
        self.channels = channels
        self.chunks = deque()      # of the request, not read yet
        self.closed = False
        self.ended = False
        self.is_cancelled = False
        self.begun = False         # the node takes it back no more
        self.started = False       # the handler runs, or has run
        self.waiter = None         # the future of an async read
        self.task = None

    def take(self) -> bytes:
        """The next chunk of a stream; there is one."""
        chunk = self.chunks.popleft()
        channels = self.channels
        channels.unread -= len(chunk)
        if channels.is_full:
            channels.see_room()
        return chunk

    def body(self) -> bytes:
        """The whole request; valid when closed."""
        chunks = self.chunks
        body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        chunks.clear()
        return body

    def drop(self) -> None:
        """Nobody reads the rest of the request."""
        if self.handler.takes == STREAMS:
            self.channels.unread -= sum(map(len, self.chunks))
        self.chunks.clear()
        if self.channels.is_full:
            self.channels.see_room()

    @property
    def event(self) -> str:
        return self.handler.event

    @property
    def app(self) -> str:
        return self.handler.app

    @property
    def cancelled(self) -> bool:
        if not self.is_cancelled and not self.ended and not self.handler.is_async:
            self.channels.look()
        return self.is_cancelled


class Channels:
    """All channels whose two sides have not both ended."""

    def __init__(self) -> None:
        self._by_number: dict[int, Channel] = {}
        self.find: Callable[[int], Optional[Channel]] = self._by_number.get
        self.forget: Callable[[int, None], Optional[Channel]] = self._by_number.pop
        self.last = CONTROL        # the highest channel so far
        self.running = 0           # channels that we have not ended
        self.under_way = 0         # those of them that have begun
        self.thread = get_ident()  # which alone may touch all this
        self.unread = 0            # bytes of streamed requests that no handler has read
        self.is_full = False       # that is so much that nothing more should be taken from the node
        self.when_read: Callable[[], None] = lambda: None  # called when enough of it has been read
        self.look: Callable[[], None] = lambda: None  # takes in what has come, when a plain function asks whether it is cancelled

    def open(self, number: int, handler: Handler | None, headers: Sequence[Any]) -> Channel:
        self._by_number[number] = channel = Channel(number, handler, headers, self)
        self.running += 1
        return channel

    def begin(self, channel: Channel) -> None:
        channel.begun = True
        self.under_way += 1

    def void(self, first: int) -> None:
        """The node has taken back what has not begun from this channel on: it was never here."""
        for channel in [channel for channel in self._by_number.values() if channel.number >= first and not channel.begun]:
            self.forget(channel.number, None)
            if not channel.ended:
                channel.ended = True
                self.running -= 1
                channel.drop()

    def see_room(self) -> None:
        """Something of what was too much has been read."""
        if self.unread <= UNREAD_BYTES // 2:
            self.is_full = False
            self.when_read()
