"""The two streams that an app sees of a channel."""

from __future__ import annotations

from _thread import get_ident

from . import WrongThread
from .frames import APP_CATEGORY
from .limits import LISTEN_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import Future
    from collections.abc import AsyncIterator, Callable, Iterator
    from typing import Any

    from .channel import Channel
    from .ending import Ending
    from .output import Output

_READS = "a request is read in the thread of its handler only: read there, and hand the chunks to the other thread, by a queue.Queue, say"
_WRITES = ("this response is written in the thread of its handler only: hand the chunk to that thread and write it there "
           "(concurrent.futures' map and as_completed do), or make the handler an async function")


class Request:
    """The request's chunks, as they come."""

    def __init__(self, channel: Channel, hear: Callable[[], None]) -> None:
        self._channel = channel
        self._hear = hear  # waits for what comes next, of any channel

    event = property(lambda self: self._channel.event)
    app = property(lambda self: self._channel.app)
    headers = property(lambda self: self._channel.headers)
    trace_id = property(lambda self: self._channel.trace_id)
    span_id = property(lambda self: self._channel.span_id)
    parent_id = property(lambda self: self._channel.parent_id)
    cancelled = property(lambda self: self._channel.cancelled)
    cancellation = property(lambda self: self._channel.cancellation)

    def header(self, name: str | bytes) -> bytes | None:
        """The value of the first header of that name, or None."""
        return self._channel.header(name)

    def read(self) -> bytes | None:
        """The next chunk, or None at the end. Waits for it; raises Cancelled when the caller gives up."""
        channel = self._channel
        if get_ident() != channel.channels.thread:
            raise WrongThread(_READS)
        while not channel.chunks:
            if channel.is_cancelled:
                raise channel.cancellation
            if channel.closed:
                return None
            self._hear()
        return channel.take()

    def body(self) -> bytes:
        """All the rest."""
        return b"".join(self)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.read, None)


class AsyncRequest(Request):
    """The same for async functions; a cancel is the task's CancelledError, with the cocaine.Cancelled as its argument."""

    def __init__(self, channel: Channel, future: Callable[[], Future[None]]) -> None:
        self._channel = channel
        self._future = future  # makes one of the loop's

    async def read(self) -> bytes | None:
        channel = self._channel
        if get_ident() != channel.channels.thread:
            raise WrongThread(_READS)
        while not channel.chunks:
            if channel.closed:
                return None
            channel.waiter = self._future()
            try:
                await channel.waiter
            finally:
                channel.waiter = None
        return channel.take()

    async def body(self) -> bytes:
        return b"".join([chunk async for chunk in self])

    __iter__ = None

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        chunk = await self.read()
        if chunk is None:
            raise StopAsyncIteration
        return chunk


class _Done:
    """What write gives back, for those that await it."""

    def __await__(self) -> Iterator[None]:
        return iter(())


DONE = _Done()


class Pause:
    """The same after much was written: lets the loop hear the node, and waits for as long as that holds the channel."""

    def __init__(self, channel: Channel, future: Callable[[], Future[None]]) -> None:
        self._channel = channel
        self._future = future

    def __await__(self) -> Iterator[Any]:
        yield
        channel = self._channel
        while channel.is_held:
            yield from channel.wait_to_write(self._future())


class Response:
    """The answer. It is closed when the handler returns, unless it has ended before."""

    def __init__(
            self, channel: Channel, output: Output, ending: Ending, written: Callable[[], None], hear: Callable[[], None]) -> None:
        self._channel = channel
        self._output = output
        self._ending = ending
        self._written = written   # publishes, now or soon
        self._hear = hear         # waits for what comes next, of any channel

    cancelled = property(lambda self: self._channel.cancelled)

    def write(self, chunk: bytes | str) -> _Done | Pause:
        """Sends a chunk: bytes, or text as UTF-8. Waits while the caller is slow to take the answer."""
        channel = self._channel
        if get_ident() != channel.channels.thread:
            raise WrongThread(_WRITES)
        while channel.is_held:
            self._hear()
        self._send(chunk)
        return DONE

    def _send(self, chunk: bytes | str) -> None:
        channel = self._channel
        if channel.is_cancelled:
            raise channel.cancellation
        if channel.ended:
            raise ValueError("the response has ended")
        self._output.write(channel.head, chunk)
        self._written()

    def error(self, code: int, text: str = "", category: int = APP_CATEGORY) -> _Done:
        """Ends the answer with an error of the app's own."""
        if get_ident() != self._channel.channels.thread:
            raise WrongThread(_WRITES)
        self._ending.end_with_error(self._channel, code, text, category)
        self._written()
        return DONE

    def close(self) -> _Done:
        if get_ident() != self._channel.channels.thread:
            raise WrongThread(_WRITES)
        self._ending.end(self._channel)
        self._written()
        return DONE


class AsyncResponse(Response):
    """
    The same for async functions, and for the threads in which they let something run (asyncio.to_thread, run_in_executor): such a thread
    waits until the loop has taken what it writes, so that its chunks keep their order and no more than one of a thread is under way.

    Here it is the await of a write that waits, after the chunk was sent, while the caller is slow to take the answer.
    """

    def __init__(
            self, channel: Channel, output: Output, ending: Ending, written: Callable[[], None], future: Callable[[], Future[None]],
            do_in_loop: Callable[..., Any]) -> None:
        self._channel = channel
        self._output = output
        self._ending = ending
        self._written = written
        self._future = future    # makes one of the loop's
        self._do_in_loop = do_in_loop

    def write(self, chunk: bytes | str) -> _Done | Pause:
        channel, output = self._channel, self._output
        if get_ident() != channel.channels.thread:
            return self._write_from_thread(chunk)
        self._send(chunk)
        must_pause = channel.is_held or output.out_size > LISTEN_BYTES or output.unheard > LISTEN_BYTES
        return Pause(channel, self._future) if must_pause else DONE

    def _write_from_thread(self, chunk: bytes | str) -> _Done:
        while True:
            held = self._do_in_loop(self._send_unless_held, chunk)
            if held is None:
                return DONE
            held.result()  # the go-on, a cancel or the end of the call sets it; when the node goes, the process ends

    def _send_unless_held(self, chunk: bytes | str) -> Any:
        if not self._channel.is_held:
            return self._send(chunk)
        from concurrent.futures import Future
        return self._channel.wait_to_write(Future())

    def error(self, code: int, text: str = "", category: int = APP_CATEGORY) -> _Done:
        here = get_ident() == self._channel.channels.thread
        return Response.error(self, code, text, category) if here else self._do_in_loop(Response.error, self, code, text, category)

    def close(self) -> _Done:
        here = get_ident() == self._channel.channels.thread
        return Response.close(self) if here else self._do_in_loop(Response.close, self)
