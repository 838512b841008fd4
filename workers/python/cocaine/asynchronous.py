"""
The session of an app with async functions: the same one, on an asyncio loop. Async handlers are tasks, as many as the node gives channels.
"""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from time import monotonic

import cocaine

from .app import STREAMS
from .frames import APP_ERROR
from .session import Session
from .streams import AsyncRequest, Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterable

    from .streams import Channel


class AsyncSession(Session):
    def serve(self) -> None:
        cocaine._task_call = self._call = ContextVar("cocaine_call", default=None)
        asyncio.run(self._main())

    async def _main(self) -> None:
        self._loop = loop = asyncio.get_running_loop()
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
            channel.task = self._loop.create_task(self._conduct(channel))

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
                answer = handler.function(AsyncRequest(self, channel), Response(self, channel, self.publish_soon))
            else:
                answer = handler.invoke(channel.body())
            if hasattr(answer, "__aiter__"):
                await self._stream(channel, answer)
            else:
                answer = await answer
                if not channel.ended:
                    self.write_all(channel.head, answer)
        except BaseException as failure:
            self.end_with_failure(channel, failure)
        self.end(channel)
        self.publish_soon()

    async def _stream(self, channel: Channel, answer: AsyncIterable[bytes | str]) -> None:
        try:
            async for chunk in answer:
                if channel.ended:
                    break
                self.write(channel.head, chunk)
                self.publish_soon()
        finally:
            close = getattr(answer, "aclose", None)
            if close is not None:
                await close()
