"""Flow control of one channel: a writer whose caller is slow waits, and a reader that is slow lets the node wait; others go on."""

import os
import re
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from test_contract import Cases  # noqa: E402  (which finds the SDK for what follows)
from apps.flow import CHUNK_BYTES  # noqa: E402
from cocaine.limits import GO_ON_BYTES, HOLD_BYTES  # noqa: E402

CHUNKS = 400
# What may be under way when the node asks to hold: a ring of 1 MiB or the socket's buffer, and what is written between two looks.
LATE_BYTES = 3 << 20
PART = b"x" * 60000
PARTS = HOLD_BYTES // len(PART) + 1
BEATS = {"COCAINE_HEARTBEAT_MS": "20"}


def memory(pid):
    with open("/proc/%d/status" % pid) as file:
        return int(re.search(r"VmRSS:\s+(\d+) kB", file.read()).group(1)) << 10


class Flow(Cases):
    writers = "writes", "yields", "yields_small", "returns"
    cancelled = "cancelled",

    def start(self, app, env=None, **more):
        return Cases.start(self, app, env={**BEATS, **(env or {})}, **more)

    def received(self, number):
        return len(self.node.inbox.get(number, []))

    def rests(self, number):
        """Until nothing has come on a channel for many heartbeats. Its chunks so far."""
        node = self.node
        while True:
            before, beats = self.received(number), node.heartbeats
            node.until(lambda: node.heartbeats > beats + 15 or self.received(number) != before)
            if self.received(number) == before:
                return before

    def held(self, event, count=CHUNKS):
        """A call that writes much, and is held after its first chunk."""
        node = self.node
        number = node.invoke(event, b"%d" % count)
        node.until(lambda: self.received(number))
        node.hold(number)
        return number

    def gated(self):
        gate, opener = os.pipe()
        told, tells = os.pipe()
        for descriptor in gate, opener, told, tells:
            self.addCleanup(os.close, descriptor)
        self.node = self.start(self.app, env={"GATE": str(gate), "TOLD": str(tells)}, pass_fds=(gate, tells))
        self.opener, self.told = opener, told
        return self.node

    def test_a_held_writer_waits_and_goes_on_in_order(self):
        for event in self.writers:
            with self.subTest(event=event):
                count = 20000 if event == "yields_small" else CHUNKS
                number = self.held(event, count)
                came = self.rests(number)
                size = sum(len(args[0]) for _, args in self.node.inbox[number])
                self.assertLess(came, count)
                self.assertLess(size, LATE_BYTES)
                for _ in range(2):
                    self.node.go_on(number)
                    self.node.until(lambda: self.received(number) > came)
                    self.node.hold(number)
                    came = self.rests(number)
                self.node.go_on(number)
                chunks, end = self.node.answer(number)
                self.assertEqual(([], list(range(count))), (end, [int(chunk[:8]) for chunk in chunks]))
        self.ends_well()

    def test_cancel_wakes_a_held_writer(self):
        for event in self.cancelled:
            with self.subTest(event=event):
                node = self.gated()
                number = self.held(event)
                self.rests(number)
                node.send([number, 1, [[1000, 520], b"deadline"]])
                self.assertEqual([[1000, 502], b"cancelled"], node.answer(number)[1])
                self.assertEqual(b"x", os.read(self.told, 1))
                self.assertAnswer([b"on"], "echo", b"on")
                self.ends_well()

    def test_the_end_is_not_held(self):
        for event, end in ("errs", [[42, 7], b"mine"]), ("closes", []):
            number = self.node.invoke(event, close=False)
            self.node.hold(number)
            self.node.send([number, 0, [b"now"]])
            self.assertEqual(([], end), self.node.answer(number))
            self.node.send([number, 2, []])
        self.ends_well()

    def test_terminate_lets_a_held_writer_end_its_answer(self):
        number = self.held("writes")
        self.rests(number)
        self.node.terminate()
        self.rests(number)
        self.node.go_on(number)
        self.assertEqual(CHUNKS, len(self.node.answer(number)[0]))
        self.assertEqual(0, self.node.exit_code())

    def test_a_node_that_goes_takes_a_held_writer_along(self):
        number = self.held("writes")
        self.rests(number)
        self.node.sock.close()
        self.assertEqual(0, self.node.process.wait(20))

    def test_a_slow_reader_asks_at_the_thresholds(self):
        node = self.gated()
        number = node.invoke("steps", *[PART] * PARTS, close=False)
        node.until(lambda: node.asked_flow(number) == [1])
        for left in range(PARTS - 1, -1, -1):
            os.write(self.opener, b"x")
            self.assertEqual(PART[:8], node.chunk(number))
            self.assertEqual([1] if left * len(PART) >= GO_ON_BYTES else [1, 0], node.asked_flow(number))
        node.send([number, 2, []])
        os.write(self.opener, b"x")
        self.assertEqual(([], []), node.answer(number))
        self.ends_well()

    def test_a_request_that_has_ended_needs_no_go_on(self):
        node = self.gated()
        number = node.invoke("steps", *[PART] * PARTS)
        node.until(lambda: node.asked_flow(number) == [1])
        os.write(self.opener, b"x" * (PARTS + 1))
        self.assertEqual(([PART[:8]] * PARTS, []), node.answer(number))
        self.assertEqual([1], node.asked_flow(number))
        self.ends_well()

    def test_whole_requests_are_never_held(self):
        number = self.node.invoke("echo", *[PART] * 10, close=False)
        self.rests(number)
        self.node.send([number, 2, []])
        self.assertEqual(([PART * 10], []), self.node.answer(number))
        self.assertEqual([], self.node.asked_flow(number))

    def test_holds_for_what_is_not_there(self):
        ended = self.node.invoke("echo", b"x")
        self.assertEqual(([b"x"], []), self.node.answer(ended))
        for number in 1, ended, 999, 1 << 40:
            self.node.hold(number)
            self.node.go_on(number)
        self.node.send_raw(b"\x93\x01\x02\x92\xcf\0\0\0\0\0\0\0\x03\x01" + b"\x93\x01\x02\x92\xcc\x03\x00")
        self.assertAnswer([b"on"], "echo", b"on")
        self.ends_well()

    def test_messages_of_the_wrong_form(self):
        for args in [], [2], [2, 2], [2, -1], [-2, 1], [b"2", 1], [2, b"1"], [2, 1, 1], [2, True], [2, None], [[2], 1]:
            node = self.start(self.app)
            node.send([1, 2, args])
            self.assertEqual(70, node.exit_code(), args)
            self.assertIn("broke the protocol", node.stderr())

    def test_a_node_without_it(self):
        node = self.start(self.app, flow=False)
        number = node.invoke("sums", *[PART] * 50)
        self.assertEqual(([b"%d" % (50 * len(PART))], []), node.answer(number))
        self.assertNotIn(1, node.inbox)
        node.hold(number)
        self.assertEqual(70, node.exit_code())

    def test_nothing_is_kept_of_held_channels(self):
        node = self.node

        def calls(count):
            numbers = []
            for _ in range(count):
                numbers.append(node.next_channel)
                node.next_channel += 1
                node.send([numbers[-1], 0, [b"sums"], [80, 81, 82]], [1, 2, [numbers[-1], 1]], [1, 2, [numbers[-1], 0]],
                          [1, 2, [numbers[-1], 1]], [numbers[-1], 1, [[1000, 520], b"gone"]])
            for number in numbers:
                node.answer(number)

        for _ in range(5):
            calls(1000)
        before = memory(node.process.pid)
        for _ in range(20):
            calls(1000)
        self.assertLess(memory(node.process.pid) - before, 20000 * 100)  # a channel has more than that
        self.ends_well()


class Synchronous(Flow):
    app = "flow.py"

    def test_it_hears_others_while_it_is_held(self):
        number = self.held("writes")
        self.rests(number)
        other = self.node.invoke("sums", *[PART] * PARTS, close=False)
        self.node.until(lambda: self.node.asked_flow(other) == [1])
        void = self.node.invoke("sums", close=False)
        self.node.send([void, 1, [[1000, 520], b"gone"]])
        self.assertEqual([[1000, 502], b"cancelled"], self.node.answer(void)[1])
        self.node.go_on(number)
        self.assertEqual(CHUNKS, len(self.node.answer(number)[0]))
        self.node.until(lambda: self.node.asked_flow(other) == [1, 0])
        self.node.send([other, 2, []])
        self.assertEqual(([b"%d" % (PARTS * len(PART))], []), self.node.answer(other))
        self.ends_well()


class Asynchronous(Flow):
    app = "async_flow.py"
    writers = Flow.writers + ("threads", "plain_writes", "plain_yields")
    cancelled = "cancelled", "threads_cancelled"

    def test_others_go_on(self):
        numbers = [self.held(event) for event in ("writes", "yields", "returns", "threads") * 4]
        for number in numbers:
            self.rests(number)
        self.assertAnswer([b"on"], "echo", b"on")
        self.assertAnswer([b"%d" % (20 * len(PART))], "sums", *[PART] * 20)
        free = self.node.invoke("writes", b"%d" % CHUNKS)
        self.assertEqual(CHUNKS, len(self.node.answer(free)[0]))
        for number in numbers:
            self.assertLess(self.received(number) * CHUNK_BYTES, LATE_BYTES)
            self.node.go_on(number)
        for number in numbers:
            self.assertEqual(list(range(CHUNKS)), [int(chunk[:8]) for chunk in self.node.answer(number)[0]])
        self.ends_well()


class SynchronousOnPipe(Synchronous, unittest.TestCase):
    pass


class SynchronousOnSocket(Synchronous, unittest.TestCase):
    options = {"pipe": False}


class AsynchronousOnPipe(Asynchronous, unittest.TestCase):
    pass


class AsynchronousOnSocket(Asynchronous, unittest.TestCase):
    options = {"pipe": False}


if __name__ == "__main__":
    unittest.main()
