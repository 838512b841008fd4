"""A channel: one request and its answer."""

from __future__ import annotations

from _collections import deque  # what collections gives, without the milliseconds of importing it
from _thread import get_ident

from . import Cancelled
from .app import STREAMS
from .call import Call
from .frames import CONTROL, channel_head
from .limits import GO_ON_BYTES, HOLD_BYTES, UNREAD_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Optional

    from .app import Handler


class Channel(Call):
    """Each side ends once: `closed` is the node's end, `ended` ours; then the number is forgotten."""

    __slots__ = ("number", "head", "handler", "header_items", "channels", "chunks", "unread", "holds", "closed", "ended", "is_cancelled",
                 "given_up", "begun", "started", "is_held", "writers", "waiter", "task")

    def __init__(self, number: int, handler: Handler | None, header_items: Sequence[Any], channels: Channels) -> None:
        self.number = number
        self.head = channel_head(number)
        self.handler = handler
        self.header_items = header_items
        self.channels = channels
        self.chunks = deque()      # of the request, not read yet
        self.unread = 0            # bytes in them, of a stream
        self.holds = False         # the node was asked to hold its chunks
        self.closed = False
        self.ended = False
        self.is_cancelled = False
        self.given_up = ()         # the category, code and reason of the caller's error; valid when it is cancelled
        self.begun = False         # the node takes it back no more
        self.started = False       # the handler runs, or has run
        self.is_held = False       # the node has asked to hold ours
        self.writers = None        # futures of those that wait until it lets them go on, or None
        self.waiter = None         # the future of an async read
        self.task = None

    def take(self) -> bytes:
        """The next chunk of a stream; there is one."""
        chunk = self.chunks.popleft()
        channels = self.channels
        size = len(chunk)
        channels.unread -= size
        self.unread -= size
        if self.holds and self.unread < GO_ON_BYTES and not self.closed:
            self.holds = False
            channels.ask(self, False)
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
        self.channels.unread -= self.unread
        self.unread = 0
        self.chunks.clear()
        if self.channels.is_full:
            self.channels.see_room()

    def let_go(self) -> None:
        """Writers go on: the node has said so, or they find out why they cannot."""
        self.is_held = False
        writers, self.writers = self.writers, None
        for future in writers or ():
            if not future.done():
                future.set_result(None)

    def wait_to_write(self, future: Any) -> Any:
        """The future, which is done when writers go on."""
        if self.writers is None:
            self.writers = []
        self.writers.append(future)
        return future

    @property
    def event(self) -> str:
        return self.handler.event

    @property
    def app(self) -> str:
        return self.handler.app

    @property
    def cancellation(self) -> Cancelled | None:
        """What says that the caller gave up, a new one each time: it may be raised in several places."""
        return Cancelled("the caller gave up", *self.given_up) if self.is_cancelled else None

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
        self.has_flow = False      # the node has flow control of one channel
        self.is_full = False       # unread is so much that nothing more should be taken from the node
        self.when_read: Callable[[], None] = lambda: None  # called when enough of it has been read
        self.ask: Callable[[Channel, bool], None] = lambda channel, holds: None  # the node, to hold a channel's chunks, or to go on
        self.look: Callable[[], None] = lambda: None  # takes in what has come, when a plain function asks whether it is cancelled

    def open(self, number: int, handler: Handler | None, headers: Sequence[Any]) -> Channel:
        self._by_number[number] = channel = Channel(number, handler, headers, self)
        self.running += 1
        return channel

    def begin(self, channel: Channel) -> None:
        channel.begun = True
        self.under_way += 1

    def came(self, channel: Channel, size: int) -> None:
        """A chunk of a stream."""
        self.unread += size
        channel.unread += size
        if not self.has_flow:
            self.is_full = self.is_full or self.unread > UNREAD_BYTES
        elif channel.unread > HOLD_BYTES and not channel.holds:
            channel.holds = True
            self.ask(channel, True)

    def hold(self, number: int, holds: bool) -> None:
        """The node asks to hold the chunks that we write, or to go on."""
        channel = self.find(number)
        if channel is None or channel.ended or channel.is_cancelled:
            return
        if holds:
            channel.is_held = True
        else:
            channel.let_go()

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
