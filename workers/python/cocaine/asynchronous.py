"""
The session of an app with async functions: the same one, on an asyncio loop. Async handlers are tasks, as many as the link lets begin.
"""

from __future__ import annotations

import asyncio
import concurrent.futures.thread  # noqa: F401  # of asyncio.to_thread, which would import it from within the app's call
from _thread import get_ident
from concurrent.futures import Future, TimeoutError as FutureTimeout
from contextvars import ContextVar, copy_context
from time import monotonic

import cocaine

from . import forks, stacks
from .app import STREAMS
from .forks import FORKED, end_child
from .frames import APP_ERROR
from .limits import BURST_CALLS, LISTEN_BYTES, QUICK_SECONDS, THREAD_SECONDS
from .running import Running
from .session import Session
from .streams import AsyncRequest, AsyncResponse, Pause

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Callable
    from typing import Any

    from .channel import Channel


class AsyncRunning(Running):
    """Runs async functions too, as tasks."""

    def __init__(self, session: AsyncSession) -> None:
        Running.__init__(self, session.output, session.ending, session.listen, session.hear)
        self._publish_soon = session.publish_soon
        self._do_in_loop = session.do_in_loop

    def begin(self, loop: asyncio.AbstractEventLoop, call: ContextVar[Any]) -> None:
        """The loop runs."""
        self._create_task = loop.create_task
        self._create_future = loop.create_future
        self._set_call = call.set

    def run(self, channel: Channel) -> None:
        if not channel.handler.is_async:
            super().run(channel)
        elif not channel.ended:
            channel.task = self._create_task(self._conduct(channel), name=channel.handler.event)

    def cancel(self, channel: Channel) -> None:
        if channel.task is None:
            super().cancel(channel)
            return
        channel.task.cancel(channel.cancellation)
        if not channel.started:  # such a task ends without a step of ours
            self.ending.end_with_error(channel, APP_ERROR, "cancelled")
            self._publish_soon()

    async def _conduct(self, channel: Channel) -> None:
        channel.started = True
        self._set_call(channel)
        handler = channel.handler
        try:
            if handler.takes == STREAMS:
                response = AsyncResponse(
                    channel, self.output, self.ending, self._publish_soon, self._create_future, self._do_in_loop)
                answer = handler.function(AsyncRequest(channel, self._create_future), response)
            else:
                answer = handler.invoke(channel.body())
            if hasattr(answer, "__aiter__"):
                await self._stream(channel, answer)
            else:
                answer = await answer
                if FORKED:
                    end_child()
                if not channel.ended:
                    await self._give(channel, answer)
        except BaseException as failure:
            self.ending.fail(channel, failure)
        self.ending.end(channel)
        self._publish_soon()

    async def _give(self, channel: Channel, answer: Any) -> None:
        """What an async function has returned."""
        if answer is None or isinstance(answer, (bytes, str, dict, bytearray, memoryview)):
            return self.output.write_all(channel.head, answer)
        for chunk in answer:
            if channel.ended:
                break
            await self._write(channel, chunk)

    async def _write(self, channel: Channel, chunk: Any) -> None:
        output = self.output
        output.write(channel.head, chunk)
        self._publish_soon()
        if channel.is_held or output.out_size > LISTEN_BYTES or output.unheard > LISTEN_BYTES:
            await Pause(channel, self._create_future)

    async def _stream(self, channel: Channel, answer: AsyncIterable[bytes | str]) -> None:
        try:
            async for chunk in answer:
                if FORKED:
                    end_child()
                if channel.ended:
                    break
                await self._write(channel, chunk)
        finally:
            close = getattr(answer, "aclose", None)
            if close is not None:
                await close()


class AsyncSession(Session):
    prints_stacks = False  # on SIGUSR2; a worker's session does

    def make_running(self) -> Running:
        return AsyncRunning(self)

    def serve(self) -> None:
        self.channels.thread = cocaine._thread = get_ident()
        cocaine._task_call = ContextVar("cocaine_call", default=None)
        forks.when_forked.append(self._stop_in_child)
        try:
            asyncio.run(self._main())
        finally:
            forks.when_forked.remove(self._stop_in_child)

    async def _main(self) -> None:
        self.loop = loop = asyncio.get_running_loop()
        self._context = copy_context()  # of no call: what is scheduled from a task must not run as that task's call
        asyncio.current_task().set_name(stacks.MAIN_TASK)
        if self.prints_stacks:
            stacks.install_on_loop(loop, asyncio.all_tasks)
        self.running.begin(loop, cocaine._task_call)
        self._publish_is_due = False
        self._turn_soon = False
        self._fresh = 0       # tasks that were made since the loop has had its turn: none of them has run
        self._fresh_since = 0.0
        self._together = 1    # such tasks that there may be
        self._over = loop.create_future()
        self._source, others = self.link.watched()
        self._is_watched = True
        loop.add_reader(self._source, self._wake)
        for descriptor, callback in others:
            loop.add_reader(descriptor, callback)
        self.channels.when_read = lambda: loop.call_soon(self._settle, context=self._context)
        self._beat()
        self._take_turn()
        await self._over

    def _beat(self) -> None:
        self.heartbeat.beat(monotonic())
        self._settle()
        self.loop.call_at(self.loop.time() + max(0.01, self.heartbeat.next - monotonic()), self._beat)

    def _wake(self) -> None:
        self.link.unpark()
        if not self._turn_soon:
            self._take_turn()

    def can_begin(self) -> bool:
        return Session.can_begin(self) and self._fresh < self._together

    def begin(self, channel: Channel) -> bool:
        """
        As in a plain session. But a task does not run before the loop's turn, and one that computes would hold up all that have begun with
        it: so few begin at once, and only one where the last ones took long.
        """
        if channel.ended or not channel.handler.is_async:
            return Session.begin(self, channel)
        if self._fresh >= self._together or not Session.begin(self, channel):
            return False
        if self._fresh == 0:
            self._fresh_since = monotonic()
        self._fresh += 1
        return True

    def _take_turn(self) -> None:
        """One batch; then the tasks have theirs. Parks only when there is nothing more to read, so no ring is missed."""
        self._turn_soon = False
        if self._fresh:
            self._together = BURST_CALLS if monotonic() - self._fresh_since < QUICK_SECONDS else 1
            self._fresh = 0
        if self.turn():
            self._turn_soon = True
            self.loop.call_soon(self._take_turn, context=self._context)
        self._settle()

    def _settle(self) -> None:
        """
        After anything that may have published or read: waiting for room takes the parked mark away and may have brought messages, and at
        the bound of what is unread the link is not watched. And a handler that has ended lets another one begin.
        """
        is_full = self.is_full()
        if is_full == self._is_watched:
            self._is_watched = not is_full
            if is_full:
                self.loop.remove_reader(self._source)
            else:
                self.loop.add_reader(self._source, self._wake)
        if not self._turn_soon and (
                self.pending or self.input.ready and self.can_begin() or not is_full and not self.link.park_for_loop()):
            self._turn_soon = True
            self.loop.call_soon(self._take_turn, context=self._context)
        if self.input.draining and not self.channels.running and not self._over.done():
            self.output.publish()
            self._over.set_result(None)

    def publish_soon(self) -> None:
        """Async handlers give way soon: everything that they write until then is published together."""
        if not self._publish_is_due:
            self._publish_is_due = True
            self.loop.call_soon(self._publish_now, context=self._context)

    def show(self) -> None:
        if cocaine._call is None:
            self.publish_soon()
        else:
            self.output.publish()  # a plain function runs, for long perhaps

    def _publish_now(self) -> None:
        self._publish_is_due = False
        self.output.publish()
        self.output.unheard = 0  # the loop takes its turn now, and hears the node
        if self.input.ready and not self._turn_soon:
            self._take_turn()  # one that waits may begin now
        else:
            self._settle()

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

        self.loop.call_soon_threadsafe(step)
        try:
            return done.result(THREAD_SECONDS)
        except FutureTimeout:
            if not done.cancel():
                return done.result()  # it has begun just now
            raise cocaine.WrongThread("the worker's loop has not taken it for %d s: an async handler blocks it, by waiting for this thread "
                                      "without an await, perhaps" % THREAD_SECONDS) from None

    def _stop_in_child(self) -> None:
        """A forked child that gives way to the loop ends there: the other tasks are the parent's."""
        ready = getattr(getattr(self, "loop", None), "_ready", None)
        if ready is not None:
            ready.appendleft(asyncio.Handle(end_child, (), self.loop))
