"""What the node writes: its messages one by one, into channels and queues. No handler runs here."""

from __future__ import annotations

from _collections import deque

from .app import STREAMS, Handler
from .exits import broken
from .frames import CATEGORY, CLOSE, CONTROL, ERROR, FLOW, NOT_FOUND, RECALL, WRITE, read
from .msgpack import Truncated

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .app import App
    from .channel import Channel, Channels
    from .link import Link, Pending
    from .streams import Request, Response
    from .wsgi import WsgiApp


class Input:
    def __init__(
            self, app: App | WsgiApp, link: Link, pending: Pending, channels: Channels, cancel: Callable[[Channel], None],
            answered: Callable[[], None]) -> None:
        self._app = app
        self._link = link
        self._pending = pending
        self._channels = channels
        self._cancel = cancel    # of a channel that we have not ended
        self._answered = answered  # a heartbeat
        self.ready = deque()       # channels whose handler may run
        self.draining = False      # no more calls come

    def step(self, data: bytes, at: int) -> int:
        """One message. Where the next one begins, or -1 when this one is not all here."""
        try:
            number, kind, args, headers, at = read(data, at)
        except Truncated as short:
            self._link.truncated(self._pending, data, at, short.need)
            return -1
        except ValueError as problem:
            broken(str(problem))
        self.take(number, kind, args, headers)
        return at

    def take(self, number: int, kind: int, args: list[Any] | None, headers: list[Any] | None) -> None:
        """A message that has been read. One is late, and passed over, when both sides have ended its channel."""
        channels = self._channels
        channel = channels.find(number)
        if channel is not None:
            self._on_channel(channel, kind, args)
        elif number == CONTROL:
            self._on_control(kind, args)
        elif number > channels.last:
            if kind != WRITE or len(args) < 1 or type(args[0]) is not bytes:
                broken("a message of type %d on channel %d, which is not open" % (kind, number))
            channels.last = number
            self._on_invoke(number, args[0], headers)
        elif kind > CLOSE:
            broken("a message of type %d" % kind)

    def _on_control(self, kind: int, args: list[Any] | None) -> None:
        if kind == 0:
            self._answered()
        elif kind == 1:
            self.draining = True
        elif kind == FLOW and self._channels.has_flow and _is_flow(args):
            self._channels.hold(args[0], args[1] == 1)
        elif kind == RECALL and len(args) == 2 and type(args[0]) is type(args[1]) is int:
            self._link.recalled(args[0])
            self._channels.void(args[1])
        else:
            broken("a message of type %d on the control channel" % kind)

    def _on_invoke(self, number: int, event: bytes, headers: list[Any] | None) -> None:
        handler = self._app.find(event) or _missing(event, self._app.name)
        channel = self._channels.open(number, handler, headers)
        if handler.takes == STREAMS:
            self.ready.append(channel)

    def _on_channel(self, channel: Channel, kind: int, args: list[Any] | None) -> None:
        if kind == WRITE:
            if len(args) < 1 or type(args[0]) is not bytes:
                broken("a chunk without data")
            if not channel.ended and not channel.closed:
                channel.chunks.append(args[0])
                if channel.handler.takes == STREAMS:
                    self._channels.came(channel, len(args[0]))
        elif kind == CLOSE:
            again, channel.closed = channel.closed, True
            if channel.ended:
                self._channels.forget(channel.number, None)
            elif not again and channel.handler.takes != STREAMS:
                self.ready.append(channel)
        elif kind == ERROR:
            channel.closed = True
            if channel.ended:
                self._channels.forget(channel.number, None)
            else:
                channel.is_cancelled = True
                channel.given_up = _error_of(args)
                channel.let_go()
                self._cancel(channel)
        else:
            broken("a message of type %d on a channel" % kind)
        if channel.waiter is not None and not channel.waiter.done():
            channel.waiter.set_result(None)


def _error_of(args: list[Any] | None) -> tuple[int, int, str] | tuple[()]:
    """The category, code and reason of an error's arguments; nothing when they are of another form."""
    if args is not None and len(args) == 2 and type(args[0]) is list and len(args[0]) == 2 and type(args[1]) is bytes:
        category, code = args[0]
        if type(category) is type(code) is int:
            return category, code, args[1].decode("utf-8", "replace")
    return ()


def _is_flow(args: list[Any] | None) -> bool:
    """[a channel, 1 or 0]; None is the empty list, see read."""
    return args is not None and len(args) == 2 and type(args[0]) is type(args[1]) is int and args[0] >= 0 and 0 <= args[1] <= 1


def _missing(event: bytes, app: str) -> Handler:
    """In the place of a handler where the app has none for the event: a call to it begins like any other."""
    name = event.decode("utf-8", "replace")

    def refuse(request: Request, response: Response) -> None:
        response.error(NOT_FOUND, "there is no event '%s' in app '%s'" % (name, app), CATEGORY)

    return Handler(name, app, refuse)
