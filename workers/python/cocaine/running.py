"""
Runs handlers that are plain functions.

Answers share publishes (see output.py), but an answer must not wait for other code that takes long. So a handler has to prove itself: only
after PROVEN_RUNS quick runs in a row are its answers batched; before each step of any other one, everything written so far is published.
"""

from __future__ import annotations

from time import monotonic

import cocaine

from .app import STREAMS
from .forks import FORKED, end_child
from .frames import APP_ERROR
from .limits import LISTEN_BYTES, PROVEN_RUNS, QUICK_SECONDS
from .streams import Request, Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .app import Handler
    from .channel import Channel
    from .ending import Ending
    from .output import Output


class Running:
    def __init__(self, output: Output, ending: Ending, listen: Callable[[], bool], hear: Callable[[], None]) -> None:
        self.output = output
        self.ending = ending
        self._listen = listen  # takes in what has come
        self._hear = hear      # waits for it

    def run(self, channel: Channel) -> None:
        """Runs the handler to its end."""
        if channel.ended:
            return  # cancelled before it began
        channel.started = True
        handler, output = channel.handler, self.output
        before, cocaine._call = cocaine._call, channel
        try:
            if handler.streak < PROVEN_RUNS:
                output.publish()
            then = monotonic()
            if handler.takes == STREAMS:
                answer = handler.function(Request(channel, self._hear), Response(channel, output, self.ending, self._written, self._hear))
            else:
                answer = handler.invoke(channel.body())
            if FORKED:
                end_child()
            self.judge(handler, monotonic() - then)
            if isinstance(answer, (bytes, str)) or answer is None:
                output.write_all(channel.head, answer)
            else:
                self.stream(channel, answer)
        except BaseException as failure:
            self.ending.fail(channel, failure)
        finally:
            cocaine._call = before
        self.ending.end(channel)

    def stream(self, channel: Channel, answer: Any) -> None:
        """Sends an iterable's chunks, and listens to the node between them."""
        output = self.output
        if isinstance(answer, (dict, bytearray, memoryview)):
            return output.write_all(channel.head, answer)
        handler, chunks = channel.handler, iter(answer)
        listen_at = 0.0  # not output.due: each publish puts that off, and full batches publish by themselves
        try:
            while not channel.ended:
                if handler.streak < PROVEN_RUNS:
                    output.publish()
                then = monotonic()
                chunk = next(chunks, self)
                if FORKED:
                    end_child()
                now = monotonic()
                self.judge(handler, now - then)
                if chunk is self or channel.ended:
                    return
                output.write(channel.head, chunk)
                if now > listen_at or handler.streak < PROVEN_RUNS or output.unheard > LISTEN_BYTES:
                    output.publish()
                    self._listen()
                    while channel.is_held:
                        self._hear()
                    listen_at = monotonic() + QUICK_SECONDS
                    if channel.is_cancelled:
                        raise channel.cancellation
        finally:
            if hasattr(chunks, "close"):
                chunks.close()  # GeneratorExit, now and not when the collector comes by

    def _written(self) -> None:
        """A handler has written, and may go on to do so: now and then the node is listened to, which may hold its channel."""
        self.output.publish()
        if self.output.unheard > LISTEN_BYTES:
            self._listen()

    def judge(self, handler: Handler, seconds: float) -> None:
        if seconds > QUICK_SECONDS:
            handler.streak = 0
        elif handler.streak < PROVEN_RUNS:
            handler.streak += 1

    def cancel(self, channel: Channel) -> None:
        """The caller gave up. A handler that runs finds out by itself; one that does not is not started."""
        if not channel.started:
            self.ending.end_with_error(channel, APP_ERROR, "cancelled")
