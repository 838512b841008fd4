"""
One worker's conversation with the node: takes messages apart, runs handlers, keeps the heartbeat.

Answers share publishes (see answers.py), but an answer must not wait for other code that takes long. So a handler has to prove itself: only
after PROVEN quick runs in a row are its answers batched; before each step of any other one, everything written so far is published.
"""

from __future__ import annotations

import os
from _collections import deque
from _thread import get_ident
from time import monotonic

import cocaine

from .answers import QUICK_SECONDS, Answers
from .app import PROVEN, STREAMS
from .exits import broken, die
from .forks import FORKED, end_child
from .frames import APP_ERROR, CLOSE, CLOSE_TAIL, CONTROL, ERROR, HEARTBEAT, LARGE, NOT_FOUND, SMALL, WRITE, read
from .msgpack import Truncated
from .shapes import Shapes, StructError
from .streams import Request, Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import Any

    from .answers import Link
    from .app import App, Handler
    from .shapes import Shape
    from .streams import Channel

BEAT_SECONDS = min(5.0, int(os.environ.get("COCAINE_HEARTBEAT_MS", "5000")) / 1000)  # the node may want one more often
SILENCE_SECONDS = 30.0  # a node that reads our heartbeats says something within this time

_Generator = type(_ for _ in ())


class Session(Answers):
    def __init__(self, app: App, link: Link) -> None:
        Answers.__init__(self, link)
        self.app = app
        self.ready = deque()    # channels whose handler may run
        self.last = CONTROL     # the highest channel so far
        self.draining = False
        self.next_beat = 0.0
        self.unanswered = None  # since when a heartbeat waits for its answer, and nothing else has come
        self._heard = 0         # what had come by then, in bytes
        self._shapes = Shapes(app)
        self._shape = None      # the last one seen: the next request is probably alike
        self.thread = get_ident()  # which alone may touch all this
        FORKED.clear()          # in a child process this is the child's own

    def serve(self) -> None:
        """Until the node says terminate and everything is answered."""
        self.thread = cocaine._thread = get_ident()
        while True:
            self.beat(monotonic())
            self.work()
            if self.draining and not self.running:
                return
            self.link.wait(max(0.0, self.next_beat - monotonic()))

    def work(self) -> None:
        """Everything that has come, and what comes meanwhile."""
        while self.turn():
            pass

    def turn(self) -> bool:
        """One batch. False when there was nothing."""
        pending, ready = self.pending, self.ready
        if FORKED:
            end_child()
        if not pending and not ready and not self.link.fetch(pending):
            return False
        while True:
            if ready:
                self.run(ready.popleft())
            elif pending:
                self.parse(*pending.popleft())
            else:
                break
        cocaine._call = None
        self.publish()
        now = monotonic()
        if now >= self.next_beat:
            self.beat(now)
        return True

    def beat(self, now: float) -> None:
        if now < self.next_beat:
            return
        if FORKED:
            end_child()
        self.next_beat = now + BEAT_SECONDS
        # First what waits to be read: a handler that took long has read nothing, and an answer may stand behind a long message.
        self.link.fetch(self.pending)
        before, self._heard = self._heard, self.link.received
        if self.unanswered is None or self._heard != before:
            self.unanswered = now
        elif not self.link.everything_read():
            self.unanswered = now  # it does not read now, so it has nothing to answer
            return
        elif now - self.unanswered > SILENCE_SECONDS:
            die(1, "the node has not answered a heartbeat for %d s" % SILENCE_SECONDS)
        self.out.append(HEARTBEAT)
        self.publish()

    # What comes in.

    def parse(self, data: bytes, at: int) -> None:
        """Messages from `at` on, until one makes a handler ready. Small whole requests to proven handlers are answered on the way."""
        end, ready = len(data), self.ready
        guessed = False
        while at < end:
            if self._shape is not None:
                before = at
                at = self._burst(data, at, self._shape)
                if at < 0:
                    return  # a generator took over, and with it the rest of the data
                if at != before:
                    guessed = False
                    continue
            if not guessed and data[at] == 0x94:
                self._shape = self._shapes.guess(data, at)
                guessed = True
                continue
            guessed = False
            at = self.step(data, at)
            if at < 0:
                return
            if ready:
                if at < end:
                    self.pending.appendleft((data, at))
                return

    def _burst(self, data: bytes, at: int, shape: Shape) -> int:
        """Answers requests of one shape, one after another; where it stopped. No object per request but the ones that the app sees."""
        unpackers, size_at, least, first_a, first_b, again, handler = shape
        function, out, clock = handler.invoke, self.out, monotonic
        small, tail_close, forked = SMALL, CLOSE_TAIL, FORKED
        cocaine._call = handler
        raw = None
        then, due = clock(), self.due
        while True:
            try:
                size = data[at + size_at]
                a, number, b, head, middle, body, head_again, tail = unpackers[size](data, at)
            except (IndexError, StructError):
                break
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
                at, body, tail = after, data[begin:end], tail_close
            else:
                break
            raw = number
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
                            self.write(head, chunk)
                        now = clock()
                        if now > due:
                            self.pending.appendleft((data, at))
                            raw = None
                            self._adopt(number, handler, answer, now - then)
                            return -1
                        then = now
                    if forked:
                        end_child()
                    out += (head, tail)
                elif type(answer) is bytes and len(answer) < 256:
                    out += (head, small[len(answer)], answer, head, tail)
                else:
                    self.write_all(head, answer)
                    out += (head, tail)
            except BaseException as failure:
                self.fail(head, failure)
            now = clock()
            if now > due:
                self.publish()
                due = self.due
                if now - then > QUICK_SECONDS:
                    handler.streak = 0
                    self._shape = None
                    break
            then = now
        if raw is not None:
            self._note(raw)
        return at

    def _note(self, raw: bytes) -> None:
        self.last = max(self.last, int.from_bytes(raw, "big"))

    def _adopt(self, raw: bytes, handler: Handler, generator: Generator[Any, None, None], seconds: float) -> None:
        """A generator of a burst goes on for longer: with a channel it can be cancelled, and the node is listened to meanwhile."""
        self._note(raw)
        if seconds > QUICK_SECONDS:
            handler.streak = 0
            self._shape = None
        channel = self._open(self.last, handler, handler.header_items)
        channel.closed = channel.started = True
        try:
            self.publish()
            self.stream(channel, generator)
        except BaseException as failure:
            self.end_with_failure(channel, failure)
        self.end(channel)

    def step(self, data: bytes, at: int) -> int:
        """One message into channels and queues; runs no handler. Where the next one begins, or -1 when this one is not all here."""
        try:
            number, kind, args, headers, at = read(data, at)
        except Truncated as short:
            self.link.truncated(self.pending, data, at, short.need)
            return -1
        except ValueError as problem:
            broken(str(problem))
        channel = self.channels.get(number)
        if channel is not None:
            self._on_channel(channel, kind, args)
        elif number == CONTROL:
            self._on_control(kind, args)
        elif number > self.last:
            if kind != WRITE or len(args) < 1 or type(args[0]) is not bytes:
                broken("a message of type %d on channel %d, which is not open" % (kind, number))
            self.last = number
            self._on_invoke(number, args[0], headers)
        elif kind > CLOSE:
            broken("a message of type %d" % kind)
        return at  # else it is late: for a channel that both sides have ended

    def _on_control(self, kind: int, args: list[Any] | None) -> None:
        if kind == 0:
            self.unanswered = None
        elif kind == 1:
            self.draining = True
        else:
            broken("a message of type %d on the control channel" % kind)

    def _on_invoke(self, number: int, event: bytes, headers: list[Any] | None) -> None:
        handler = self.app.find(event)
        channel = self._open(number, handler, headers)
        if handler is None:
            name = event.decode("utf-8", "replace")
            self.end_with_error(channel, NOT_FOUND, "there is no event '%s' in app '%s'" % (name, self.app.name))
        elif handler.takes == STREAMS:
            self.ready.append(channel)

    def _on_channel(self, channel: Channel, kind: int, args: list[Any] | None) -> None:
        if kind == WRITE:
            if len(args) < 1 or type(args[0]) is not bytes:
                broken("a chunk without data")
            if not channel.ended and not channel.closed:
                channel.chunks.append(args[0])
        elif kind == CLOSE:
            again, channel.closed = channel.closed, True
            if channel.ended:
                del self.channels[channel.number]
            elif not again and channel.handler.takes != STREAMS:
                self.ready.append(channel)
        elif kind == ERROR:
            channel.closed = True
            if channel.ended:
                self.channels.pop(channel.number, None)
            else:
                channel.cancelled = True
                self.cancel(channel)
        else:
            broken("a message of type %d on a channel" % kind)
        if channel.waiter is not None and not channel.waiter.done():
            channel.waiter.set_result(None)

    def cancel(self, channel: Channel) -> None:
        """The caller gave up. A handler that runs finds out by itself; one that does not is not started."""
        if not channel.started:
            self.end_with_error(channel, APP_ERROR, "cancelled")

    # Handlers.

    def run(self, channel: Channel) -> None:
        """Runs a synchronous handler to its end."""
        if channel.ended:
            return  # cancelled before it began
        channel.started = True
        handler = channel.handler
        before, cocaine._call = cocaine._call, channel
        try:
            if handler.streak < PROVEN:
                self.publish()
            then = monotonic()
            if handler.takes == STREAMS:
                answer = handler.function(Request(self, channel), Response(self, channel, self.publish))
            else:
                answer = handler.invoke(channel.body())
            if FORKED:
                end_child()
            self._judge(handler, monotonic() - then)
            if isinstance(answer, (bytes, str)) or answer is None:
                self.write_all(channel.head, answer)
            else:
                self.stream(channel, answer)
        except BaseException as failure:
            self.end_with_failure(channel, failure)
        finally:
            cocaine._call = before
        self.end(channel)

    def stream(self, channel: Channel, answer: Any) -> None:
        """Sends an iterable's chunks, and listens to the node between them."""
        if isinstance(answer, (dict, bytearray, memoryview)):
            return self.write_all(channel.head, answer)
        handler, chunks = channel.handler, iter(answer)
        listen_at = 0.0  # not self.due: each publish puts that off, and full batches publish by themselves
        try:
            while not channel.ended:
                if handler.streak < PROVEN:
                    self.publish()
                then = monotonic()
                chunk = next(chunks, self)
                if FORKED:
                    end_child()
                now = monotonic()
                self._judge(handler, now - then)
                if chunk is self or channel.ended:
                    return
                self.write(channel.head, chunk)
                if now > listen_at or handler.streak < PROVEN:
                    self.publish()
                    self.listen()
                    listen_at = monotonic() + QUICK_SECONDS
                    if channel.cancelled:
                        raise cocaine.Cancelled
        finally:
            if hasattr(chunks, "close"):
                chunks.close()  # GeneratorExit, now and not when the collector comes by

    def _judge(self, handler: Handler, seconds: float) -> None:
        if seconds > QUICK_SECONDS:
            handler.streak = 0
        elif handler.streak < PROVEN:
            handler.streak += 1

    def listen(self) -> bool:
        """Takes in what has come, without running anything: a handler runs already."""
        now = monotonic()
        if now >= self.next_beat:
            self.beat(now)
        pending = self.pending
        heard = self.link.fetch(pending) or bool(pending)
        while pending:
            data, at = pending.popleft()
            while 0 <= at < len(data):
                at = self.step(data, at)
        return heard

    def hear(self) -> None:
        """The same, but waits for something."""
        self.publish()
        if not self.listen():
            self.link.wait(max(0.0, self.next_beat - monotonic()))
