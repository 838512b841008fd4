"""
Whole requests recognised in one step, and answered one after another. A usual request comes as three messages in a row,

    [n, 0, [event], [80, 81, 82]]   [n, 0, [bin8]]   [n, 2, []]

and for an event, a width of n and a size of the data every byte but n and the data is known. So each such shape has a Struct that takes
all three apart in one call; the fixed parts are compared. A bin16 takes a little longer, all else the general way.

To begin a call takes a fence, which costs as much as half of a small one. So small ones begin together: the node is told the last of
them, then all run.
"""

from __future__ import annotations

from struct import Struct, error as StructError
from time import monotonic

import cocaine

from .app import STREAMS
from .forks import FORKED, end_child
from .frames import CLOSE_TAIL, LARGE, SMALL
from .limits import BURST_CALLS, BURST_SECONDS, PROVEN_RUNS, QUICK_SECONDS
from .msgpack import Truncated, unpack_from

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from typing import Any

    from .app import App, Handler
    from .channel import Channels
    from .link import Link, Pending
    from .running import Running
    from .wsgi import WsgiApp

    Shape = tuple[Any, ...]

_WIDTHS = {0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8}
_NO_TRACE = b"\x93\x50\x51\x52"
_Generator = type(_ for _ in ())


class Bursts:
    def __init__(self, app: App | WsgiApp, link: Link, pending: Pending, channels: Channels, running: Running) -> None:
        self._app = app
        self._begin = link.begin
        self._pending = pending
        self._channels = channels
        self._running = running
        self._known = {}
        self._together = 1  # calls that begin at once
        self.shape = None   # the last one seen: the next request is probably alike

    def guess(self, data: bytes, at: int) -> Shape | None:
        """The shape of the request that begins with the invoke at `at`, or None when it has none."""
        try:
            code = data[at + 1]
            start = at + 2 + _WIDTHS.get(code, 0)
            if code >= 0x80 and start == at + 2 or data[start] != 0 or data[start + 1] != 0x91:
                return None
            event, end = unpack_from(data, start + 2, True)
        except (IndexError, Truncated, ValueError):
            return None
        if type(event) is not bytes or data[end:end + 4] != _NO_TRACE:
            return None
        handler = self._app.find(event)
        if handler is None or handler.streak < PROVEN_RUNS or handler.takes == STREAMS or handler.is_async:
            return None
        key = code if code >= 0x80 else 0, data[start:end]
        shape = self._known.get(key)
        if shape is None:
            shape = self._known[key] = _make(key[0], data[start:end + 4], handler)
        return shape

    def answer(self, data: bytes, at: int) -> int:
        """
        Answers requests of the shape; where it stopped, or -1 when a generator took over and with it the rest of the data. No object per
        request but the ones that the app sees.
        """
        least, handler = self.shape[2], self.shape[6]
        output, fail_head = self._running.output, self._running.ending.fail_head
        function, out, clock = handler.invoke, output.out, monotonic
        small, tail_close, forked = SMALL, CLOSE_TAIL, FORKED
        cocaine._call = handler
        raw = None
        then, due = clock(), output.due
        while at < len(data) and self.shape is not None:
            batch, end = self._recognise(data, at)
            if not batch or not self._begin(int.from_bytes(batch[-1][1], "big")):
                break
            at, first = end, then
            rest = iter(batch)
            for _, raw, _, head, _, body, _, tail in rest:
                try:
                    answer = function(body)
                    if forked:
                        end_child()
                    if type(answer) is _Generator:
                        for chunk in answer:
                            if forked:
                                end_child()
                            if type(chunk) is bytes and len(chunk) < 256:
                                out += (head, small[len(chunk)], chunk)
                            else:
                                output.write(head, chunk)
                            now = clock()
                            if now > due:
                                self._pending.appendleft((data, at - _size_of(rest, least)))
                                self._adopt(raw, handler, answer, now - then)
                                return -1
                            then = now
                        if forked:
                            end_child()
                        out += (head, tail)
                    elif type(answer) is bytes and len(answer) < 256:
                        out += (head, small[len(answer)], answer, head, tail)
                    else:
                        output.write_all(head, answer)
                        out += (head, tail)
                except BaseException as failure:
                    fail_head(head, failure)
                now = clock()
                if now > due:
                    output.publish()
                    due = output.due
                    if now - then > QUICK_SECONDS:
                        handler.streak = 0
                        self.shape = None
                        at -= _size_of(rest, least)  # they have begun, as the node sees it, and run when what is written has been shown
                        break
                then = now
            self._together = BURST_CALLS if now - first < BURST_SECONDS * len(batch) else 1
        if raw is not None:
            self._note(raw)
        return at

    def _recognise(self, data: bytes, at: int) -> tuple[list[tuple[bytes, ...]], int]:
        """The requests of the shape from `at` on, as many as may begin together, each taken apart; and where they end."""
        unpackers, size_at, least, first_a, first_b, again, _ = self.shape
        small, tail_close, all_data = SMALL, CLOSE_TAIL, len(data)
        batch = []
        for _ in range(self._together):
            try:
                size = data[at + size_at]
                request = unpackers[size](data, at)
            except (IndexError, StructError):
                break
            a, number, b, head, middle, _, head_again, tail = request
            if a != first_a or b != first_b or head != again + number:
                break
            if middle == small[size]:
                if head_again != head or tail != tail_close:
                    break
                at += least + size
            elif middle.startswith(LARGE):  # a bin16: what was taken for its size is the high byte of it
                begin = at + size_at + 2
                end = begin + (size << 8 | data[begin - 1])
                after = end + len(head) + 2
                if data[end:after] != head + tail_close:
                    break
                at, request = after, (a, number, b, head, middle, data[begin:end], head, tail_close)
            else:
                break
            batch.append(request)
            if at == all_data:
                break
        return batch, at

    def _note(self, raw: bytes) -> None:
        self._channels.last = max(self._channels.last, int.from_bytes(raw, "big"))

    def _adopt(self, raw: bytes, handler: Handler, generator: Generator[Any, None, None], seconds: float) -> None:
        """A generator of a burst goes on for longer: with a channel it can be cancelled, and the node is listened to meanwhile."""
        self._note(raw)
        self._together = 1
        if seconds > QUICK_SECONDS:
            handler.streak = 0
            self.shape = None
        running = self._running
        channel = self._channels.open(self._channels.last, handler, handler.header_items)
        channel.closed = channel.started = True
        self._channels.begin(channel)
        try:
            running.output.publish()
            running.stream(channel, generator)
        except BaseException as failure:
            running.ending.fail(channel, failure)
        running.ending.end(channel)


def _make(code: int, after_number: bytes, handler: Handler) -> Shape:
    """(unpackers by size, where the size is, bytes without the data, the three fixed parts, handler)."""
    prefix = bytes((code,)) if code else b""
    width = _WIDTHS.get(code, 1)
    head = 1 + len(prefix) + width
    form = ">%ds%ds%ds%ds4s%%ds%ds2s" % (1 + len(prefix), width, len(after_number), head, head)
    size_at = head + len(after_number) + head + 3
    unpackers = tuple(Struct(form % size).unpack_from for size in range(256))
    return unpackers, size_at, size_at + 1 + head + 2, b"\x94" + prefix, after_number, b"\x93" + prefix, handler


def _size_of(requests: Iterator[tuple[bytes, ...]], least: int) -> int:
    """How many bytes they took; a bin16 has one more for its size."""
    return sum(least + len(body) + middle.startswith(LARGE) for _, _, _, _, middle, body, _, _ in requests)
