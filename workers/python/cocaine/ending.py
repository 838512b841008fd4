"""How channels end: with one terminal message of ours, a close or an error."""

from __future__ import annotations

from . import Cancelled, ChunkTooLong
from .failures import UNSHOWN, show, text_of
from .forks import FORKED, end_child
from .frames import APP_ERROR, CATEGORY, CLOSE_TAIL, TOO_LARGE, error_tail

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .channel import Channel
    from .output import Output

_UNSHOWN_TAIL = error_tail(CATEGORY, APP_ERROR, UNSHOWN)


class Ending:
    def __init__(self, output: Output) -> None:
        self._out = output.out

    def end(self, channel: Channel) -> None:
        """Our one terminal message, unless it has been sent."""
        self._finish(channel, CLOSE_TAIL)

    def end_with_error(self, channel: Channel, code: int, text: str, category: int = CATEGORY) -> None:
        self._finish(channel, error_tail(category, code, text))

    def fail(self, channel: Channel, failure: BaseException) -> None:
        """Whatever the failure is: the channel is ended with an error, once."""
        kind = type(failure)  # not isinstance: that asks the object, which may lie or raise
        if FORKED:
            end_child(failure)
        if channel.is_cancelled and not channel.ended and (issubclass(kind, Cancelled) or not issubclass(kind, Exception)):
            self.end_with_error(channel, APP_ERROR, "cancelled")
        else:
            self._finish(channel, _tail_of(failure))  # too late for the caller perhaps, not for the log

    def fail_head(self, head: bytes, failure: BaseException) -> None:
        """The same for a call that has no channel, but the head of one."""
        if FORKED:
            end_child(failure)
        self._out += (head, _tail_of(failure))

    def _finish(self, channel: Channel, tail: bytes) -> None:
        if channel.ended:
            return
        channel.ended = True
        channel.task = None
        if channel.writers or channel.is_held:
            channel.let_go()
        if channel.chunks:
            channel.drop()
        channels = channel.channels
        channels.running -= 1
        channels.under_way -= channel.begun
        self._out += (channel.head, tail)
        if channel.closed:
            channels.forget(channel.number, None)


def _tail_of(failure: BaseException) -> bytes:
    try:
        show(failure)
        code = TOO_LARGE if issubclass(type(failure), ChunkTooLong) else APP_ERROR
        return error_tail(CATEGORY, code, text_of(failure))
    except BaseException:  # no memory, or a signal's handler raises: the channel must be ended all the same
        return _UNSHOWN_TAIL
