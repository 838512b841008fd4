"""
The session of an app with async functions: the same one, on an asyncio loop. Async handlers are tasks, as many as the node gives channels.
"""

from __future__ import annotations

import asyncio
from _thread import get_ident
from concurrent.futures import Future, TimeoutError as FutureTimeout
from contextvars import ContextVar
from time import monotonic

import cocaine

from . import forks, stacks
from .app import STREAMS
from .forks import FORKED, end_child
from .frames import APP_ERROR
from .session import Session
from .streams import AsyncRequest, AsyncResponse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Callable
    from typing import Any

    from .streams import Channel

THREAD_SECONDS = 30.0  # that a thread waits until the loop takes what it writes; a loop that needs longer is blocked


class AsyncSession(Session):
    prints_stacks = False  # on SIGUSR2; a worker's session does

    def serve(self) -> None:
        self.thread = cocaine._thread = get_ident()
        cocaine._task_call = self._call = ContextVar("cocaine_call", default=None)
        forks.when_forked.append(self._stop_in_child)
        try:
            asyncio.run(self._main())
        finally:
            forks.when_forked.remove(self._stop_in_child)

    async def _main(self) -> None:
        self._loop = loop = asyncio.get_running_loop()
        asyncio.current_task().set_name(stacks.MAIN_TASK)
        if self.prints_stacks:
            stacks.install_on_loop(loop)
        self.future = loop.create_future
        self._publish_is_due = False
        self._turn_soon = False
        self._over = loop.create_future()
        source, others = self.link.watched()
        loop.add_reader(source, self._wake)
        for descriptor, callback in others:
            loop.add_reader(descriptor, callback)
        self._beat()
        self._take_turn()
        await self._over

    def _beat(self) -> None:
        self.beat(monotonic())
        self._settle()
        self._loop.call_at(self._loop.time() + max(0.01, self.next_beat - monotonic()), self._beat)

    def _wake(self) -> None:
        self.link.unpark()
        if not self._turn_soon:
            self._take_turn()

    def _take_turn(self) -> None:
        """One batch; then the tasks have theirs. Parks only when there is nothing more to read, so no ring is missed."""
        self._turn_soon = False
        if self.turn():
            self._turn_soon = True
            self._loop.call_soon(self._take_turn)
        self._settle()

    def _settle(self) -> None:
        """After anything that may have published: waiting for room takes the parked mark away and may have brought messages."""
        if not self._turn_soon and (self.pending or not self.link.park_for_loop()):
            self._turn_soon = True
            self._loop.call_soon(self._take_turn)
        if self.draining and not self.running and not self._over.done():
            self.publish()
            self._over.set_result(None)

    def publish_soon(self) -> None:
        """Async handlers give way soon: everything that they write until then is published together."""
        if not self._publish_is_due:
            self._publish_is_due = True
            self._loop.call_soon(self._publish_now)

    def _publish_now(self) -> None:
        self._publish_is_due = False
        self.publish()
        self._settle()

    def run(self, channel: Channel) -> None:
        if not channel.handler.is_async:
            super().run(channel)
        elif not channel.ended:
            channel.task = self._loop.create_task(self._conduct(channel), name=channel.handler.event)

    def cancel(self, channel: Channel) -> None:
        if channel.task is None:
            super().cancel(channel)
            return
        channel.task.cancel()
        if not channel.started:  # such a task ends without a step of ours
            self.end_with_error(channel, APP_ERROR, "cancelled")
            self.publish_soon()

    async def _conduct(self, channel: Channel) -> None:
        channel.started = True
        self._call.set(channel)
        handler = channel.handler
        try:
            if handler.takes == STREAMS:
                answer = handler.function(AsyncRequest(self, channel), AsyncResponse(self, channel, self.publish_soon))
            else:
                answer = handler.invoke(channel.body())
            if hasattr(answer, "__aiter__"):
                await self._stream(channel, answer)
            else:
                answer = await answer
                if FORKED:
                    end_child()
                if not channel.ended:
                    self.write_all(channel.head, answer)
        except BaseException as failure:
            self.end_with_failure(channel, failure)
        self.end(channel)
        self.publish_soon()

    # Other threads, and other processes.

    def do_in_loop(self, function: Callable[..., Any], *args: Any) -> Any:
        """For another thread, which waits until it is done; what it raises is raised there."""
        done: Future[Any] = Future()

        def step() -> None:
            if done.set_running_or_notify_cancel():
                try:
                    done.set_result(function(*args))
                except BaseException as failure:
                    done.set_exception(failure)

        self._loop.call_soon_threadsafe(step)
        try:
            return done.result(THREAD_SECONDS)
        except FutureTimeout:
            if not done.cancel():
                return done.result()  # it has begun just now
            raise cocaine.WrongThread("the worker's loop has not taken it for %d s: an async handler blocks it, by waiting for this thread "
                                      "without an await, perhaps" % THREAD_SECONDS) from None

    def _stop_in_child(self) -> None:
        """A forked child that gives way to the loop ends there: the other tasks are the parent's."""
        ready = getattr(getattr(self, "_loop", None), "_ready", None)
        if ready is not None:
            ready.appendleft(asyncio.Handle(end_child, (), self._loop))

    async def _stream(self, channel: Channel, answer: AsyncIterable[bytes | str]) -> None:
        try:
            async for chunk in answer:
                if FORKED:
                    end_child()
                if channel.ended:
                    break
                self.write(channel.head, chunk)
                self.publish_soon()
        finally:
            close = getattr(answer, "aclose", None)
            if close is not None:
                await close()
