"""One worker's conversation with the node: turns of taking in what has come, running handlers, and showing the answers."""

from __future__ import annotations

from _collections import deque
from _thread import get_ident
from time import monotonic

import cocaine

from .bursts import Bursts
from .channel import Channels
from .ending import Ending
from .forks import FORKED, end_child
from .frames import READ, flow_message
from .heartbeat import Heartbeat
from .input import Input
from .output import Output
from .running import Running

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .app import App
    from .channel import Channel
    from .link import Link
    from .wsgi import WsgiApp


class Session:
    def __init__(self, app: App | WsgiApp, link: Link, has_flow: bool = False) -> None:
        self.link = link
        self.pending = deque()  # (bytes, offset): messages that came and were not looked at yet
        self.channels = Channels()
        self.channels.look = self.look
        self.channels.has_flow = has_flow
        self.channels.ask = self.ask
        self.output = Output(link, self.pending)
        self.ending = Ending(self.output)
        self.heartbeat = Heartbeat(link, self.pending, self.channels, self.output)
        self.running = self.make_running()
        self.input = Input(app, link, self.pending, self.channels, self.running.cancel, self.heartbeat.answered)
        self.bursts = Bursts(app, link, self.pending, self.channels, self.running)
        FORKED.clear()          # in a child process this is the child's own

    def make_running(self) -> Running:
        return Running(self.output, self.ending, self.listen, self.hear)

    def serve(self) -> None:
        """Until the node says terminate and everything is answered."""
        self.channels.thread = cocaine._thread = get_ident()
        heartbeat = self.heartbeat
        while True:
            heartbeat.beat(monotonic())
            self.work()
            if self.input.draining and not self.channels.running:
                return
            self.link.wait(max(0.0, heartbeat.next - monotonic()))

    def work(self) -> None:
        """Everything that has come, and what comes meanwhile."""
        while self.turn():
            pass

    def turn(self) -> bool:
        """One batch. False when there was nothing."""
        pending, ready, begin, run = self.pending, self.input.ready, self.begin, self.running.run
        if FORKED:
            end_child()
        if not pending and not (ready and self.can_begin()) and (self.is_full() or not self.link.fetch(pending)):
            return False
        while True:
            if ready and begin(ready[0]):
                run(ready.popleft())
            elif pending:
                self.parse(*pending.popleft())
            else:
                break
        cocaine._call = None
        self.output.publish()
        now = monotonic()
        if now >= self.heartbeat.next:
            self.heartbeat.beat(now)
        return True

    def can_begin(self) -> bool:
        """Whether another call may begin, as it seems."""
        return self.channels.under_way < self.link.most_begun and not self.link.is_recalling

    def begin(self, channel: Channel) -> bool:
        """Whether the handler may run, or is to be passed over. Else it waits: as many as may have begun, or the node takes calls back."""
        channels = self.channels
        if channel.ended:
            return True
        if channels.under_way >= self.link.most_begun or not self.link.begin(channel.number):
            return False
        channels.begin(channel)
        return True

    def is_full(self) -> bool:
        """Whether nothing more should be taken from the node. What says which calls it takes back must be read."""
        return self.channels.is_full and not self.link.is_recalling

    def parse(self, data: Any, at: int) -> None:
        """Messages from `at` on, until one makes a handler ready. Small whole requests to proven handlers are answered on the way."""
        ready, bursts, step = self.input.ready, self.bursts, self.input.step
        if ready or at == READ or self.channels.under_way >= self.link.most_begun:
            return self.take_in(data, at)  # others come first
        end, guessed = len(data), False
        while at < end:
            if bursts.shape is not None:
                before = at
                at = bursts.answer(data, at)
                if at < 0:
                    return
                if at != before:
                    guessed = False
                    continue
            if not guessed and data[at] == 0x94:
                bursts.shape = bursts.guess(data, at)
                guessed = True
                continue
            guessed = False
            at = step(data, at)
            if at < 0:
                return
            if ready:
                if at < end:
                    self.pending.appendleft((data, at))
                return

    def take_in(self, data: Any, at: int) -> None:
        """Messages from `at` on, without running anything."""
        if at == READ:
            return self.input.take(*data)
        end, step = len(data), self.input.step
        while 0 <= at < end:
            at = step(data, at)

    def ask(self, channel: Channel, holds: bool) -> None:
        """The node, to hold the chunks of a channel, or to go on."""
        self.output.out.append(flow_message(channel.head, holds))
        self.show()

    def show(self) -> None:
        """What must not wait until the handler that runs has ended."""
        self.output.publish()

    # While a handler runs.

    def listen(self, always: bool = False) -> bool:
        """Takes in what has come, without running anything. At the bound of what is unread only `always` takes more."""
        now = monotonic()
        if now >= self.heartbeat.next:
            self.heartbeat.beat(now)
        pending, self.output.unheard = self.pending, 0
        heard = (always or not self.channels.is_full) and self.link.fetch(pending) or bool(pending)
        while pending:
            self.take_in(*pending.popleft())
        return heard

    def look(self) -> None:
        """A handler asks whether its caller has given up."""
        if not FORKED and get_ident() == self.channels.thread:
            self.listen()

    def hear(self) -> None:
        """
        Takes in what has come, or waits for it. Also at the bound: the handler that waits is the only one that runs, and what the others
        have not read they can read only when it has ended.
        """
        self.output.publish()
        if not self.listen(True):
            self.link.wait(max(0.0, self.heartbeat.next - monotonic()))
