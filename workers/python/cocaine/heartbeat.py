"""The heartbeat, and what it tells: whether the node is still there."""

from __future__ import annotations

import os

from .exits import die
from .forks import FORKED, end_child
from .frames import HEARTBEAT
from .limits import HEARTBEAT_SECONDS, NODE_SILENCE_SECONDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .channel import Channels
    from .link import Link, Pending
    from .output import Output

_SECONDS = min(HEARTBEAT_SECONDS, int(os.environ.get("COCAINE_HEARTBEAT_MS", "5000")) / 1000)


class Heartbeat:
    def __init__(self, link: Link, pending: Pending, channels: Channels, output: Output) -> None:
        self._link = link
        self._pending = pending
        self._channels = channels
        self._output = output
        self.next = 0.0          # when the next one is due
        self._unanswered = None  # since when one waits for its answer, and nothing else has come
        self._heard = 0          # what had come by then, in bytes

    def answered(self) -> None:
        self._unanswered = None

    def beat(self, now: float) -> None:
        """When it is time."""
        if now < self.next:
            return
        if FORKED:
            end_child()
        self.next = now + _SECONDS
        if self._channels.is_full:
            self._unanswered = now  # nothing is read, so no answer can be seen
        else:
            # First what waits to be read: a handler that took long has read nothing, and an answer may stand behind a long message.
            self._link.fetch(self._pending)
            before, self._heard = self._heard, self._link.received
            if self._unanswered is None or self._heard != before:
                self._unanswered = now
            elif not self._link.everything_read():
                self._unanswered = now  # the node does not read now, so it has nothing to answer
                return
            elif now - self._unanswered > NODE_SILENCE_SECONDS:
                die(1, "the node has not answered a heartbeat for %d s" % NODE_SILENCE_SECONDS)
        self._output.out.append(HEARTBEAT)
        self._output.publish()
