"""On the pipe the worker says what it begins, and begins nothing that the node takes back: docs/worker-protocol.md, "What is begun"."""

import os
import socket
import sys
import types
import unittest
import unittest.mock

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from fake_node import Rings, msgpack  # noqa: E402
from test_contract import Cases  # noqa: E402
from cocaine.app import Handler  # noqa: E402
from cocaine.limits import BURST_CALLS, BURST_SECONDS, PROVEN_RUNS  # noqa: E402
from cocaine.pipe import Pipe  # noqa: E402
from cocaine.session import Session  # noqa: E402

CLOSED = ([], [])
BEATS = {"COCAINE_HEARTBEAT_MS": "20"}


def request(number, event, data):
    return b"".join(map(msgpack.packb, ([number, 0, [event], [80, 81, 82]], [number, 0, [data]], [number, 2, []])))


class Words(unittest.TestCase):
    """The words alone, without a session."""

    def pipe(self, **options):
        self.rings = Rings(1 << 16, **options)
        node, worker = socket.socketpair()
        worker.setblocking(False)
        self.addCleanup(node.close)
        self.addCleanup(worker.close)
        return Pipe(self.rings.segment, self.rings.worker_bell, self.rings.node_bell, worker)

    def test_they_are_kept_before_the_first_message(self):
        self.pipe()
        self.assertEqual((1, 0), (self.rings.begun, self.rings.words[2048 // 8]))

    def test_begun_only_grows(self):
        pipe = self.pipe()
        for number, begun in (5, 5), (3, 5), (1 << 40, 1 << 40), (6, 1 << 40):
            self.assertTrue(pipe.begin(number))
            self.assertEqual(begun, self.rings.begun)

    def test_a_recall_stops_it_until_it_is_read(self):
        pipe = self.pipe()
        self.assertTrue(pipe.begin(2))
        self.rings.recall()
        count, begun = self.rings.recall()
        self.assertEqual((2, 2), (count, begun))
        self.assertEqual((False, True), (pipe.begin(3), pipe.is_recalling))
        pipe.recalled(1)
        self.assertEqual((False, True), (pipe.begin(3), pipe.is_recalling))
        pipe.recalled(2)
        self.assertEqual((True, False), (pipe.begin(3), pipe.is_recalling))

    def test_most_begun(self):
        for word, most in (0, 1 << 31), (1, 1), (7, 7), (0xFFFFFFFF, 1 << 31), (0x7FFFFFFF, 0x7FFFFFFF):
            self.assertEqual(most, self.pipe(most_begun=word).most_begun)


class Bursts(unittest.TestCase):
    """Which calls begin together, by the time that they take."""

    def begun(self, *seconds):
        """What the node is told while proven calls take so long, one after the other."""
        told, times, now = [], iter(seconds), [0.0]

        def run(body):
            now[0] += next(times)
            return body

        handler = Handler("run", "test", run)
        handler.streak = PROVEN_RUNS
        app = types.SimpleNamespace(find=lambda event: handler, name="test")
        link = types.SimpleNamespace(begin=lambda number: told.append(number) or True, most_begun=1, is_recalling=False)
        with unittest.mock.patch("cocaine.bursts.monotonic", lambda: now[0]):
            session = Session(app, link)
            session.output.publish = lambda: None
            session.output.due = float("inf")
            session.parse(b"".join(request(2 + i, b"run", b"x") for i in range(len(seconds))), 0)
        self.assertEqual(1 + len(seconds), session.channels.last)
        return told

    def test_small_ones_begin_together(self):
        self.assertEqual([2, 2 + BURST_CALLS, 2 + 2 * BURST_CALLS, 4 + 2 * BURST_CALLS], self.begun(*[BURST_SECONDS / 2] * (2 * BURST_CALLS + 3)))

    def test_others_begin_one_by_one(self):
        self.assertEqual(list(range(2, 12)), self.begun(*[BURST_SECONDS * 2] * 10))

    def test_it_changes_with_what_they_take(self):
        small, large = [0.0] * (BURST_CALLS + 1), [BURST_SECONDS * 2] * (BURST_CALLS + 2)
        self.assertEqual([2, 2 + BURST_CALLS, 2 + 2 * BURST_CALLS, 3 + 2 * BURST_CALLS, 4 + 2 * BURST_CALLS], self.begun(*small, *large))


class Recalls(Cases):
    app = "begun.py"
    env = {}

    def setUp(self):
        self.node = self.start(self.app, env={**BEATS, **self.env})

    def ends_well(self):
        """And nothing has come but what the test has taken."""
        super().ends_well()
        self.assertEqual({}, self.node.inbox)

    def running(self, count=1):
        """Calls whose handlers run."""
        numbers = [self.node.invoke("relay", b"%d" % i, close=False) for i in range(count)]
        for i, number in enumerate(numbers):
            self.assertEqual(b"<%d>" % i, self.node.chunk(number))
        return numbers

    def end(self, number):
        self.node.send([number, 2, []])
        self.assertEqual(CLOSED, self.node.answer(number))

    def assertSilent(self, begun):
        """The worker comes by its ring a few times, says that it begins this channel and none after it, and writes nothing."""
        seen = self.node.heartbeats
        self.node.until(lambda: self.node.heartbeats > seen + 3)
        self.assertEqual([], [number for number, messages in self.node.inbox.items() if messages])
        self.assertEqual(begun, self.node.rings.begun)

    def test_what_has_not_begun_is_void(self):
        node = self.node
        first, = self.running()
        begins, *void = [node.invoke("echo", b"%d" % i) for i in range(4)]
        self.assertEqual(first, node.rings.begun)
        node.take_back(void[0])
        after = node.invoke("echo", b"after")
        self.end(first)
        self.assertEqual(([b"0"], []), node.answer(begins))
        self.assertEqual(([b"after"], []), node.answer(after))
        self.assertEqual(after, node.rings.begun)
        self.ends_well()

    def test_all_can_be_void(self):
        first, = self.running()
        for _ in range(3):
            void = [self.node.invoke("echo", b"void") for _ in range(3)]
            self.node.take_back(void[0])
        self.end(first)
        self.assertAnswer([b"on"], "echo", b"on")
        self.ends_well()

    def test_what_has_begun_is_not_void(self):
        first, = self.running()
        self.node.invoke("echo", b"void")
        count, _ = self.node.rings.recall()
        self.node.send([1, 3, [count, first]])
        self.node.send([first, 0, [b"on"]])
        self.assertEqual(b"<on>", self.node.chunk(first))
        self.end(first)
        self.ends_well()

    def test_it_reads_on_until_the_recall(self):
        node = self.node
        first, = self.running()
        begins, void = node.invoke("echo", b"begins"), node.invoke("echo", b"void")
        count, begun = node.rings.recall()
        self.assertEqual(first, begun)
        self.end(first)
        self.assertSilent(begins)
        node.rings.recall()
        node.send([1, 3, [count, void]])
        last = node.invoke("echo", b"last")
        self.assertSilent(begins)  # a second one is under way
        node.send([1, 3, [count + 1, last + 1]])
        self.assertEqual(([b"begins"], []), node.answer(begins))
        self.assertEqual(([b"last"], []), node.answer(last))
        self.ends_well()

    def test_one_that_was_about_to_begin_can_be_void(self):
        node = self.node
        first, = self.running()
        void = node.invoke("echo", b"void")
        count, begun = node.rings.recall()
        self.assertEqual(first, begun)
        self.end(first)
        self.node.until(lambda: node.rings.begun == void)
        node.send([1, 3, [count, void]])
        self.assertAnswer([b"on"], "echo", b"on")
        self.ends_well()

    def test_a_request_in_pieces_is_void_with_all_that_comes_later(self):
        node = self.node
        first, = self.running()
        void = [node.invoke(event, b"one", close=False) for event in ("echo", "relay")]
        node.take_back(void[0])
        for number in void:
            node.send([number, 0, [b"late"]], [number, 2, []])
        self.end(first)
        self.assertAnswer([b"on"], "echo", b"on")
        self.ends_well()

    def test_an_event_that_is_missing_is_void_too(self):
        first, = self.running()
        void = self.node.invoke("zork", b"data")
        self.node.take_back(void)
        self.end(first)
        self.assertEqual([1000, 404], self.node.call("zork", b"data")[1][0])
        self.ends_well()

    def test_a_recall_of_the_wrong_form(self):
        for args in [], [1], [1, b"2"], [1, 2, 3]:
            node = self.start(self.app)
            node.send([1, 3, args])
            self.assertEqual(70, node.exit_code(), args)


class Synchronous(Recalls, unittest.TestCase):
    def gate(self):
        gate, self.opener = os.pipe()
        self.begun, begun = os.pipe()
        for descriptor in gate, self.opener, self.begun, begun:
            self.addCleanup(os.close, descriptor)
        self.node = self.start(self.app, env={"GATE": str(gate), "BEGUN": str(begun)}, pass_fds=(gate, begun))
        return self.node

    def begins(self):
        """The gated handler has begun."""
        self.assertEqual(b"x", os.read(self.begun, 1))

    def open(self):
        os.write(self.opener, b"x")

    def prove(self, *events):
        for event in events:
            for _ in range(PROVEN_RUNS + 1):
                self.assertAnswer([b"x"], event, b"x")

    def test_bytes_that_were_fetched_and_not_looked_at(self):
        for proven in False, True:
            with self.subTest(proven=proven):
                node = self.gate()
                if proven:
                    self.prove("echo")
                first = node.next_channel
                node.next_channel += 5
                node.send_raw(request(first, b"gated", b"gate") + b"".join(request(first + i, b"echo", b"%d" % i) for i in range(1, 5)))
                self.begins()
                self.assertEqual(first, node.rings.begun)
                node.take_back(first + 2)
                after = node.invoke("echo", b"after")
                self.open()
                self.assertEqual(([b"gate"], []), node.answer(first))
                self.assertEqual(([b"1"], []), node.answer(first + 1))
                self.assertEqual(([b"after"], []), node.answer(after))
                self.ends_well()

    def test_a_burst_of_proven_calls(self):
        """What has begun with a call that takes long is answered, whatever the sizes; what has not is taken back."""
        for gate in 0, 3:
            with self.subTest(gate=gate):
                node = self.gate()
                self.prove("gated")
                first, count = node.next_channel, 2 * BURST_CALLS
                node.next_channel += count
                data = [b"x" * (i * 37) for i in range(count)]
                data[gate] = b"gate"
                node.send_raw(b"".join(request(first + i, b"gated", data[i]) for i in range(count)))
                self.begins()
                begun = node.rings.begun
                self.assertIn(begun - first, range(gate, gate + BURST_CALLS))
                node.take_back(begun + 1)
                self.open()
                for i in range(begun + 1 - first):
                    self.assertEqual(([data[i]], []), node.answer(first + i))
                self.assertAnswer([b"on"], "gated", b"on")
                self.ends_well()

    def test_a_recall_among_proven_calls(self):
        node = self.node
        self.prove("echo", "chunks")
        for event in b"echo", b"chunks":
            first = node.next_channel
            node.next_channel += 6
            count, begun = node.rings.recall()
            self.assertEqual(first - 1, begun)
            node.send_raw(b"".join(request(first + i, event, b"%d" % i) for i in range(4)) + msgpack.packb([1, 3, [count, first + 2]])
                          + b"".join(request(first + i, event, b"%d" % i) for i in range(4, 6)))
            for i in 0, 1, 4, 5:
                self.assertEqual(([b"%d" % i], []), node.answer(first + i))
        self.ends_well()

    def test_most_begun_means_nothing_to_one_after_the_other(self):
        node = self.node = self.start(self.app, most_begun=1)
        numbers = [node.invoke(("echo", "gated", "chunks")[i % 3], b"x") for i in range(300)]
        for number in numbers:
            self.assertEqual(([b"x"], []), node.answer(number))
        self.ends_well()


class Asynchronous(Recalls, unittest.TestCase):
    app = "begun_async.py"

    def setUp(self):
        self.node = self.start(self.app, env=BEATS, most_begun=1)

    def begin_two(self):
        self.node = self.start(self.app, env=BEATS, most_begun=2)
        return self.node

    def test_no_more_begin_than_may(self):
        node = self.begin_two()
        first, second = self.running(2)
        third, fourth, fifth = [node.invoke("relay", b"x", close=False) for _ in range(3)]
        self.assertSilent(second)
        self.end(second)
        self.assertEqual(b"<x>", node.chunk(third))
        self.assertSilent(third)
        self.end(first)
        self.assertEqual(b"<x>", node.chunk(fourth))
        node.send([third, 1, [[1000, 520], b"cancel"]])
        self.assertEqual([[1000, 502], b"cancelled"], node.answer(third)[1])
        self.assertEqual(b"<x>", node.chunk(fifth))
        self.end(fourth)
        self.end(fifth)
        self.ends_well()

    def test_plain_functions_wait_like_others(self):
        node = self.begin_two()
        for _ in range(PROVEN_RUNS + 1):
            self.assertAnswer([b"x"], "plain", b"x")
        first, second = self.running(2)
        waiting = [node.invoke(("plain", "echo")[i % 2], b"%d" % i) for i in range(40)]
        self.assertSilent(second)
        self.end(first)
        for i, number in enumerate(waiting):
            self.assertEqual(([b"%d" % i], []), node.answer(number))
        self.end(second)
        self.ends_well()

    def test_an_answer_that_its_handler_has_closed_counts_no_more(self):
        node = self.node
        closed = node.invoke("closes", close=False)
        self.assertEqual(CLOSED, node.answer(closed))
        self.assertAnswer([b"on"], "echo", b"on")
        node.send([closed, 2, []])
        self.ends_well()

    def test_those_that_run_go_on_while_it_reads_on(self):
        node = self.begin_two()
        first, = self.running()
        count, _ = node.rings.recall()
        waits = node.invoke("echo", b"waits")
        for _ in range(3):
            node.send([first, 0, [b"on"]])
            self.assertEqual(b"<on>", node.chunk(first))
        self.assertSilent(waits)
        node.send([1, 3, [count, waits + 1]])
        self.assertEqual(([b"waits"], []), node.answer(waits))
        self.end(first)
        self.ends_well()


class OnSocket(Cases, unittest.TestCase):
    options = {"pipe": False}

    def test_there_is_no_recall(self):
        self.node.send([1, 3, [1, 2]])
        self.assertEqual(70, self.node.exit_code())
        self.assertIn("broke the protocol", self.node.stderr())


if __name__ == "__main__":
    unittest.main()
