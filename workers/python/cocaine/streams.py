"""A channel, and the two streams that an app sees of it."""

from __future__ import annotations

from _collections import deque  # what collections gives, without the milliseconds of importing it
from _thread import get_ident

from . import Cancelled, WrongThread
from .app import Call
from .frames import APP_CATEGORY, channel_head

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Sequence
    from typing import Any

    from .app import Handler
    from .session import Session


class Channel(Call):
    """One request and its answer. Each side ends once: `closed` is the node's end, `ended` ours; then the number is forgotten."""

    __slots__ = ("number", "head", "handler", "header_items", "chunks", "closed", "ended", "cancelled", "started", "waiter", "task")

    def __init__(self, number: int, handler: Handler | None, header_items: Sequence[Any]) -> None:
        self.number = number
        self.head = channel_head(number)
        self.handler = handler
        self.header_items = header_items
        self.chunks = deque()     # of the request, not read yet
        self.closed = False
        self.ended = False
        self.cancelled = False
        self.started = False      # the handler runs, or has run
        self.waiter = None        # the future of an async read
        self.task = None

    def body(self) -> bytes:
        """The whole request; valid when closed."""
        chunks = self.chunks
        body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        chunks.clear()
        return body

    @property
    def event(self) -> str:
        return self.handler.event

    @property
    def app(self) -> str:
        return self.handler.app


_READS = "a request is read in the thread of its handler only: read there, and hand the chunks to the other thread, by a queue.Queue, say"
_WRITES = ("this response is written in the thread of its handler only: hand the chunk to that thread and write it there (concurrent.futures' "
           "map and as_completed do), or make the handler an async function")


class Request:
    """The request's chunks, as they come."""

    def __init__(self, session: Session, channel: Channel) -> None:
        self._session = session
        self._channel = channel

    event = property(lambda self: self._channel.event)
    app = property(lambda self: self._channel.app)
    headers = property(lambda self: self._channel.headers)
    trace_id = property(lambda self: self._channel.trace_id)

    def read(self) -> bytes | None:
        """The next chunk, or None at the end. Waits for it; raises Cancelled when the caller gives up."""
        channel = self._channel
        if get_ident() != self._session.thread:
            raise WrongThread(_READS)
        while not channel.chunks:
            if channel.cancelled:
                raise Cancelled("the caller gave up")
            if channel.closed:
                return None
            self._session.hear()
        return channel.chunks.popleft()

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.read, None)


class AsyncRequest(Request):
    """The same for async functions; a cancel is the task's CancelledError."""

    async def read(self) -> bytes | None:
        channel = self._channel
        if get_ident() != self._session.thread:
            raise WrongThread(_READS)
        while not channel.chunks:
            if channel.closed:
                return None
            channel.waiter = self._session.future()
            try:
                await channel.waiter
            finally:
                channel.waiter = None
        return channel.chunks.popleft()

    __iter__ = None

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        chunk = await self.read()
        if chunk is None:
            raise StopAsyncIteration
        return chunk


class _Done:
    """What write gives back, for those who await it."""

    def __await__(self) -> Iterator[None]:
        return iter(())


DONE = _Done()


class Response:
    """The answer. It is closed when the handler returns, unless it has ended before."""

    def __init__(self, session: Session, channel: Channel, written: Callable[[], None]) -> None:
        self._session = session
        self._channel = channel
        self._written = written   # publishes, now or soon

    def write(self, chunk: bytes | str) -> _Done:
        """Sends a chunk: bytes, or text as UTF-8."""
        channel = self._channel
        if get_ident() != self._session.thread:
            raise WrongThread(_WRITES)
        if channel.cancelled:
            raise Cancelled("the caller gave up")
        if channel.ended:
            raise ValueError("the response has ended")
        self._session.write(channel.head, chunk)
        self._written()
        return DONE

    def error(self, code: int, text: str = "", category: int = APP_CATEGORY) -> _Done:
        """Ends the answer with an error of the app's own."""
        if get_ident() != self._session.thread:
            raise WrongThread(_WRITES)
        self._session.end_with_error(self._channel, code, text, category)
        self._written()
        return DONE

    def close(self) -> _Done:
        if get_ident() != self._session.thread:
            raise WrongThread(_WRITES)
        self._session.end(self._channel)
        self._written()
        return DONE


class AsyncResponse(Response):
    """
    The same for async functions, and for the threads in which they let something run (asyncio.to_thread, run_in_executor): such a thread
    waits until the loop has taken what it writes, so that its chunks keep their order and no more than one of a thread is under way.
    """

    def write(self, chunk: bytes | str) -> _Done:
        here = get_ident() == self._session.thread
        return Response.write(self, chunk) if here else self._session.do_in_loop(Response.write, self, chunk)

    def error(self, code: int, text: str = "", category: int = APP_CATEGORY) -> _Done:
        here = get_ident() == self._session.thread
        return Response.error(self, code, text, category) if here else self._session.do_in_loop(Response.error, self, code, text, category)

    def close(self) -> _Done:
        return Response.close(self) if get_ident() == self._session.thread else self._session.do_in_loop(Response.close, self)
