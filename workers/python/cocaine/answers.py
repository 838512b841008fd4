"""
What a worker writes: chunks, and one terminal message per channel.

Answers are collected in `out` and shown to the node together, because a publish for each would cost more than a small handler does.
When that is allowed is session.py's business.
"""

from __future__ import annotations

from _collections import deque
from time import monotonic

import cocaine

from .failures import UNSHOWN, show, text_of
from .forks import FORKED, end_child, end_writing_child
from .frames import APP_ERROR, CATEGORY, CLOSE_TAIL, chunk_head, error_tail
from .streams import Channel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Union

    from .app import Handler
    from .pipe import Pipe
    from .plain import PlainSocket

    Link = Union[Pipe, PlainSocket]
    Pending = deque[tuple[bytes, int]]

QUICK_SECONDS = 0.001   # answers wait no longer than this for others

_UNSHOWN_TAIL = error_tail(CATEGORY, APP_ERROR, UNSHOWN)


class Answers:
    def __init__(self, link: Link) -> None:
        self.link = link
        self.out = []           # messages, in pieces, not published yet
        self.out_size = 0       # bytes in it, the small ones not counted
        self.due = 0.0          # when what is written must be published
        self.pending = deque()  # (bytes, offset): messages that came and were not looked at yet
        self.channels = {}      # by number: until both sides have ended
        self.running = 0        # channels that we have not ended

    def publish(self) -> None:
        if FORKED:
            end_writing_child()
        if self.out:
            data = b"".join(self.out)
            self.out.clear()
            self.out_size = 0
            self.link.send(data, self.pending)
        self.due = monotonic() + QUICK_SECONDS

    def write_all(self, head: bytes, answer: Any) -> None:
        """A handler's whole answer: nothing, a chunk, or an iterable of chunks."""
        if answer is None:
            return
        if isinstance(answer, (bytes, str, bytearray, memoryview)):
            self.write(head, answer)
        elif isinstance(answer, dict):
            raise TypeError("a handler gives bytes, text or an iterable of them, not a dict")
        else:
            for chunk in answer:
                self.write(head, chunk)

    def write(self, head: bytes, chunk: Any) -> None:
        if type(chunk) is not bytes:
            if isinstance(chunk, str):
                chunk = chunk.encode("utf-8", "surrogateescape")
            elif isinstance(chunk, (bytes, bytearray, memoryview)):
                chunk = bytes(chunk)
            else:
                raise TypeError("a chunk is bytes or text, not %s" % type(chunk).__name__)
        size = len(chunk)
        if self.out_size + size + 16 > self.link.best_batch:
            self.publish()
        self.out += (head, chunk_head(size), chunk)
        self.out_size += size + 16

    def _open(self, number: int, handler: Handler | None, headers: list[Any] | None) -> Channel:
        self.channels[number] = channel = Channel(number, handler, headers)
        self.running += 1
        return channel

    def end(self, channel: Channel) -> None:
        """Our one terminal message, unless it has been sent."""
        self._finish(channel, CLOSE_TAIL)

    def end_with_error(self, channel: Channel, code: int, text: str, category: int = CATEGORY) -> None:
        self._finish(channel, error_tail(category, code, text))

    def _finish(self, channel: Channel, tail: bytes) -> None:
        if channel.ended:
            return
        channel.ended = True
        channel.chunks.clear()
        channel.task = None
        self.running -= 1
        self.out += (channel.head, tail)
        if channel.closed:
            self.channels.pop(channel.number, None)

    def end_with_failure(self, channel: Channel, failure: BaseException) -> None:
        """Whatever the failure is: the channel is ended with an error, once."""
        kind = type(failure)  # not isinstance: that asks the object, which may lie or raise
        if FORKED:
            end_child(failure)
        if channel.cancelled and not channel.ended and (issubclass(kind, cocaine.Cancelled) or not issubclass(kind, Exception)):
            self.end_with_error(channel, APP_ERROR, "cancelled")
        else:
            self._finish(channel, self._tail_of(failure))  # too late for the caller perhaps, not for the log

    def fail(self, head: bytes, failure: BaseException) -> None:
        if FORKED:
            end_child(failure)
        self.out += (head, self._tail_of(failure))

    @staticmethod
    def _tail_of(failure: BaseException) -> bytes:
        try:
            show(failure)
            return error_tail(CATEGORY, APP_ERROR, text_of(failure))
        except BaseException:  # no memory, or a signal's handler raises: the channel must be ended all the same
            return _UNSHOWN_TAIL
