"""What a worker owes its node, on both pipes."""

import os
import sys
import unittest
from zlib import crc32

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from fake_node import FakeNode, HERE, msgpack  # noqa: E402

APPS = os.path.join(HERE, "apps")


class Cases:
    """Run once over each pipe, by the classes below."""

    options = {}
    app = "contract.py"

    def setUp(self):
        self.node = self.start(self.app)

    def start(self, app, **more):
        node = FakeNode(os.path.join(APPS, app), **{**self.options, **more})
        self.addCleanup(node.close)
        return node

    def assertAnswer(self, expected, event, *request, **options):
        self.assertEqual((expected, []), self.node.call(event, *request, **options))

    def assertLong(self, expected, answer):
        """The answer's chunks are these; a failure shows their sizes and sums, since comparing long bytes line by line takes minutes."""
        chunks, end = answer
        self.assertEqual(([(len(chunk), crc32(chunk)) for chunk in expected], []), ([(len(chunk), crc32(chunk)) for chunk in chunks], end))

    def ends_well(self):
        self.node.terminate()
        self.assertEqual(0, self.node.exit_code())


class Synchronous(Cases):
    def test_requests_and_answers(self):
        for _ in range(70):  # before and after a handler has proved to be quick
            self.assertAnswer([b"data"], "echo", b"data")
        self.assertAnswer([b""], "echo")
        self.assertAnswer([b""], "echo", b"")
        self.assertAnswer([b"chunk by chunk"], "plain", b"chunk ", b"by ", b"chunk")
        self.assertAnswer(["grüß".encode()], "text")
        self.assertAnswer([], "nothing")
        self.assertAnswer([b"no argument"], "no_argument", b"ignored")
        self.assertAnswer([b"a", b"b", b"c"], "listed")
        self.assertAnswer([b"ABC"], "Upper", b"abc")
        self.assertAnswer([b"called abc"], "instance", b"abc")
        self.assertAnswer([b"ok"], "prints")
        self.ends_well()

    def test_every_size_around_a_change_of_form(self):
        for _ in range(2):
            for size in (0, 1, 31, 32, 254, 255, 256, 257, 65535, 65536, 300000):
                data = os.urandom(size)
                for event in "echo", "plain":
                    for _ in range(40 if size < 1000 else 1):
                        self.assertAnswer([data], event, data)

    def test_long_chunks_in_any_form_between_short_ones(self):
        sizes = 5, 70_000, 65_536, 3, 300_000, 65_535, 1, 200_000
        chunks = [os.urandom(size) for size in sizes]
        messages, numbers = [], []
        for _ in range(3):
            number, self.node.next_channel = self.node.next_channel, self.node.next_channel + 1
            numbers.append(number)
            messages += [[number, 0, [b"echo"], [80, 81, 82]], *([number, 0, [chunk]] for chunk in chunks), [number, 2, []]]
        self.node.send(*messages)
        for number in numbers:
            self.assertLong([b"".join(chunks)], self.node.answer(number))

    def test_a_request_stays_what_it_was_and_an_answer_what_it_is(self):
        data = os.urandom(100_000)
        self.assertAnswer([b"kept"], "keep", data)
        for size in 100_000, 300_000, 100_000:
            self.assertLong([b"x" * size], self.node.call("echo", b"x" * size))
        self.assertLong([data], self.node.call("kept"))
        for event in "reused", "viewed":
            self.assertLong([bytes((n,)) * 100_000 for n in range(3)], self.node.call(event))

    def test_many_at_once(self):
        numbers = {self.node.invoke("echo", b"%d" % i): b"%d" % i for i in range(2000)}
        for number, data in numbers.items():
            self.assertEqual(([data], []), self.node.answer(number))

    def test_mixed_events_at_once(self):
        for _ in range(70):
            self.node.call("echo", b"x"), self.node.call("plain", b"x")
        messages, expected = [], {}
        for i in range(600):
            number = self.node.next_channel
            self.node.next_channel += 1
            event = (b"echo", b"plain", b"zork", b"relay", b"raises")[i % 5]
            messages += [number, 0, [event], [80, 81, 82]], [number, 0, [b"%d" % i]], [number, 2, []]
            expected[number] = event, b"%d" % i
        self.node.send(*messages)
        for number, (event, data) in expected.items():
            chunks, end = self.node.answer(number)
            self.assertEqual({b"relay": [b"<" + data + b">"], b"echo": [data], b"plain": [data]}.get(event, []), chunks)
            self.assertEqual({b"zork": [1000, 404], b"raises": [1000, 502]}.get(event), end[0] if end else None)

    def test_streams_chunks_as_they_come(self):
        number = self.node.invoke("relay", b"one", close=False)
        self.assertEqual(b"<one>", self.node.chunk(number))
        self.node.send([number, 0, [b"two"]])
        self.assertEqual(b"<two>", self.node.chunk(number))
        self.node.send([number, 2, []])
        self.assertEqual(([], []), self.node.answer(number))

    def test_others_wait_while_a_handler_reads(self):
        reading = self.node.invoke("relay", b"one", close=False)
        self.assertEqual(b"<one>", self.node.chunk(reading))
        waiting = [self.node.invoke("echo", b"%d" % i) for i in range(3)]
        self.node.send([reading, 2, []])
        self.assertEqual(([], []), self.node.answer(reading))
        for i, number in enumerate(waiting):
            self.assertEqual(([b"%d" % i], []), self.node.answer(number))

    def test_slow_generator_holds_nothing_back(self):
        gate, opener = os.pipe()
        os.set_inheritable(gate, True)
        self.addCleanup(os.close, opener)
        self.addCleanup(os.close, gate)
        node = self.node = self.start(self.app, env={"GATE": str(gate)}, pass_fds=(gate,))
        before = node.invoke("echo", b"before it")
        number = node.invoke("held")
        self.assertEqual(([b"before it"], []), node.answer(before))
        self.assertEqual(b"before", node.chunk(number))
        os.write(opener, b"x")
        self.assertEqual(([b"after"], []), node.answer(number))

    def test_count(self):
        chunks, end = self.node.call("count", b"50000")
        self.assertEqual([b"%d" % i for i in range(50000)], chunks)
        self.assertEqual([], end)

    def test_errors(self):
        for _ in range(70):
            self.assertEqual(([], [[1000, 502], b"TypeError: text"]), self.node.call("raises", b"x"))
        self.assertEqual(([b"first"], [[1000, 502], b"KeyError: 'later'"]), self.node.call("raises_late"))
        self.assertEqual(([], [[1000, 502], b"TypeError: a chunk is bytes or text, not int"]), self.node.call("bad_chunk"))
        self.assertEqual(([], [[1000, 502], b"SystemExit: 3"]), self.node.call("leaves"))
        self.assertEqual(([], [[42, 77], b"mine"]), self.node.call("fails"))
        self.assertIn("in raises\n", self.node.stderr())
        self.assertAnswer([b"on"], "echo", b"on")

    def test_missing(self):
        for event in "zork", "getpid", "_Callable", "cocaine", "__doc__", "":
            chunks, end = self.node.call(event)
            self.assertEqual(([], [1000, 404]), (chunks, end[0]))
        self.assertEqual(b"there is no event 'zork' in app 'test'", self.node.call("zork")[1][1])

    def test_headers(self):
        self.assertIn(b"trace_id", self.node.call("who")[0][0])
        big = b"v" * 16000
        chunks, _ = self.node.call("who", headers=[80, [False, b"\x07" * 300, big], [False, 23, b"secret"], 81, 82, None, [True], 2])
        self.assertIn(repr((b"\x07" * 300, big)).encode(), chunks[0])
        self.assertIn(repr((b"authorization", b"secret")).encode(), chunks[0])
        self.assertIn(b"test who u-1", chunks[0])

    def test_every_form_of_a_message(self):
        fixed = lambda number: b"\xcf" + number.to_bytes(8, "big")  # noqa: E731
        self.node.send_raw(b"\x95" + fixed(2) + b"\xd0\x00\x91\xd9\x05plain\xc0\xc3" + b"\xdc\x00\x03" + fixed(2) + b"\x00\x91\xa2hi"
                           + b"\x94" + fixed(2) + b"\xcc\x02\xdc\x00\x00\xc0")
        self.assertEqual(([b"hi"], []), self.node.answer(2))
        self.node.next_channel = 3
        self.node.invoke("plain", b"later", headers=())
        self.assertEqual(([b"later"], []), self.node.answer(3))

    def test_channel_numbers_of_every_width(self):
        for first in 120, 250, 65530, 0xFFFFFFF0, 1 << 40:
            self.node.next_channel = first
            for i in range(80):
                self.assertAnswer([b"%d" % i], "echo", b"%d" % i)

    def test_late_messages_are_ignored(self):
        number = self.node.invoke("fails", b"chunk", close=False)
        self.assertEqual([[42, 77], b"mine"], self.node.answer(number)[1])
        self.node.send([number, 0, [b"late"]], [number, 2, []], [number, 0, [b"later"]], [number, 1, [[1, 2], b"latest"]], [number, 2, []])
        self.assertAnswer([b"on"], "echo", b"on")
        self.ends_well()

    def test_cancel_before_the_request_is_whole(self):
        number = self.node.invoke("echo", b"part", close=False)
        self.node.send([number, 1, [[1000, 520], b"deadline"]])
        self.assertEqual(([], [[1000, 502], b"cancelled"]), self.node.answer(number))
        self.assertAnswer([b"on"], "echo", b"on")

    def test_cancel_of_a_reader(self):
        number = self.node.invoke("waits", close=False)
        self.assertEqual(b"waiting", self.node.chunk(number))
        self.node.send([number, 1, [[1000, 520], b"deadline"]])
        self.assertEqual(([], [[1000, 502], b"cancelled"]), self.node.answer(number))
        self.assertIn("waits was cancelled", self.node.stderr())

    def test_cancel_of_a_generator(self):
        for proven in False, True:
            if proven:
                for _ in range(70):
                    self.node.call("endless_or_not", b"1")
            number = self.node.invoke("endless_or_not", b"0")
            self.node.chunk(number)
            self.node.send([number, 1, [[1000, 520], b"deadline"]])
            self.assertEqual([[1000, 502], b"cancelled"], self.node.answer(number)[1])
        self.assertEqual(2, self.node.stderr().count("endless was closed"))
        self.assertAnswer([b"on"], "echo", b"on")

    def test_terminate_finishes_what_runs(self):
        number = self.node.invoke("relay", b"one", close=False)
        self.assertEqual(b"<one>", self.node.chunk(number))
        self.node.terminate()
        self.node.send([number, 0, [b"two"]], [number, 2, []])
        self.assertEqual(([b"<two>"], []), self.node.answer(number))
        self.assertEqual(0, self.node.exit_code())

    def test_four_mebibytes_each_way(self):
        data = os.urandom(4 << 20)
        for event in "echo", "plain":
            self.assertAnswer([data], event, data)
        self.assertAnswer([b"on"], "echo", b"on")

    def test_heartbeat_comes_at_once(self):
        self.node.until(lambda: self.node.heartbeats)

    def test_node_gone(self):
        self.node.call("echo", b"x")
        self.node.sock.close()
        self.node.exit_code()

    def test_node_gone_while_a_handler_reads(self):
        number = self.node.invoke("waits", close=False)
        self.node.chunk(number)
        self.node.sock.close()
        self.node.exit_code()

    def test_import_failure(self):
        node = self.start("broken.py")
        self.assertIsNone(node.sock)
        self.assertEqual(1, node.exit_code())
        self.assertIn("Traceback", node.stderr())
        self.assertIn("module_that_is_not_there", node.stderr())

    def test_app_that_is_a_folder(self):
        for source in "package", "package/__init__.py":
            self.node = self.start(source)
            self.assertAnswer([b"HI!"], "event", b"hi")
            self.assertAnswer([b"HI!"], "shout", b"hi")

    def test_broken_node(self):
        for message in ([1, 7, []], [99, 2, []], [2, 0, []], ["x", 0, []], {}):
            node = self.start(self.app)
            node.send(message)
            self.assertEqual(70, node.exit_code(), message)
            self.assertIn("broke the protocol", node.stderr())


class Asynchronous(Cases):
    app = "tasks.py"

    def test_answers(self):
        self.assertAnswer([b"a b"], "echo", b"a ", b"b")
        self.assertAnswer([b"a", b"b"], "stream", b"a b")
        self.assertAnswer([b"sleeps"], "sleeps")
        self.assertAnswer([b"timeout"], "timed")
        self.assertAnswer([b"sync"], "plain", b"sync")
        self.assertEqual(([], [[1000, 502], b"ValueError: async text"]), self.node.call("raises"))
        self.assertEqual([1000, 404], self.node.call("zork")[1][0])
        self.node.until(lambda: self.node.heartbeats)
        self.ends_well()

    def test_a_chunk_stays_what_it_was_when_it_was_written(self):
        self.assertLong([bytes((n,)) * 100_000 for n in range(2)], self.node.call("reused"))

    def test_streams_chunks_as_they_come(self):
        number = self.node.invoke("relay", close=False)
        for chunk in b"one", b"two":
            self.node.send([number, 0, [chunk]])
            self.assertEqual(b"<" + chunk + b">", self.node.chunk(number))
        self.node.send([number, 2, []])
        self.assertEqual(([], []), self.node.answer(number))

    def test_runs_at_once(self):
        first, second = self.node.invoke("meet", b"1"), self.node.invoke("meet", b"2")
        self.assertEqual(([b"first met 2"], []), self.node.answer(first))
        self.assertEqual(([b"second"], []), self.node.answer(second))
        numbers = [self.node.invoke(("echo", "sleeps", "plain")[i % 3], b"sleeps") for i in range(600)]
        for number in numbers:
            self.assertEqual(([b"sleeps"], []), self.node.answer(number))

    def test_cancel(self):
        number = self.node.invoke("forever", close=False)
        self.assertEqual(b"started", self.node.chunk(number))
        self.node.send([number, 1, [[1000, 520], b"deadline"]])
        self.assertEqual(([], [[1000, 502], b"cancelled"]), self.node.answer(number))
        self.assertIn("forever was cancelled", self.node.stderr())
        number = self.node.next_channel
        self.node.next_channel += 1
        self.node.send([number, 0, [b"forever"]], [number, 1, [[1000, 520], b"before it began"]])
        self.assertEqual([[1000, 502], b"cancelled"], self.node.answer(number)[1])
        self.ends_well()

    def test_large_messages(self):
        data = os.urandom(4 << 20)
        numbers = [self.node.invoke("echo", data) for _ in range(3)]
        for number in numbers:
            self.assertEqual(([data], []), self.node.answer(number))

    def test_terminate_finishes_what_runs(self):
        first = self.node.invoke("meet", b"1")
        self.assertEqual(([b"x"], []), self.node.call("plain", b"x"))
        second = self.node.invoke("meet", b"2")
        self.node.terminate()
        self.assertEqual(([b"first met 2"], []), self.node.answer(first))
        self.assertEqual(([b"second"], []), self.node.answer(second))
        self.assertEqual(0, self.node.exit_code())

    def test_node_gone(self):
        self.node.call("echo", b"x")
        self.node.sock.close()
        self.node.exit_code()


class SynchronousOnPipe(Synchronous, unittest.TestCase):
    options = {"capacity": 1 << 16}

    def test_broken_rings(self):
        def tail_behind(rings):
            rings.words[1024 // 8] = rings.tail - 8

        def tail_far_ahead(rings):
            rings.words[1024 // 8] = rings.tail + 2 * rings.capacity

        def long_record(rings):
            place = 4096 + (rings.tail & (rings.capacity - 1))
            rings.words[place >> 3] = 1 << 31
            rings.words[1024 // 8] = rings.tail + 64

        def unknown_kind(rings):
            place = 4096 + (rings.tail & (rings.capacity - 1))
            rings.words[place >> 3] = 8 | 3 << 32
            rings.words[1024 // 8] = rings.tail + 16

        for fault in tail_behind, tail_far_ahead, long_record, unknown_kind:
            node = self.start(self.app)
            node.call("echo", b"x")
            fault(node.rings)
            os.write(node.rings.worker_bell, (1).to_bytes(8, "little"))
            self.assertEqual(70, node.exit_code(), fault.__name__)
            self.assertIn("broke the protocol", node.stderr())

    def test_bytes_beside_the_pipe(self):
        self.node.sock.send(b"x")
        self.assertEqual(70, self.node.exit_code())

    def test_socket_when_not_granted(self):
        self.node = self.start(self.app, grant=False)
        self.assertAnswer([b"x"], "echo", b"x")
        self.ends_well()

    def test_wrap_around(self):
        """200,000 requests through small rings, up to 400 at once, every answer compared."""
        total, flight = 200000, 400
        node, sent, done = self.node, 0, 0
        while done < total:
            while sent - done < flight and sent < total and not node.backlog:
                parts = []
                for sent in range(sent, min(sent + 37, total)):
                    number, data = sent + 2, b"%d" % sent * (sent % 61)
                    parts.append(msgpack.packb([number, 0, [b"plain"], [80, 81, 82]]) + msgpack.packb([number, 0, [data]])
                                 + msgpack.packb([number, 2, []]))
                sent += 1
                node.send_raw(b"".join(parts))
            self.assertTrue(node.pump())
            while done + 2 in node.inbox and node.inbox[done + 2][-1][0] == 2:
                self.assertEqual([[0, [b"%d" % done * (done % 61)]], [2, []]], node.inbox.pop(done + 2))
                done += 1
        self.assertEqual({}, node.inbox)
        self.ends_well()


class SynchronousOnSocket(Synchronous, unittest.TestCase):
    options = {"pipe": False}


class AsynchronousOnPipe(Asynchronous, unittest.TestCase):
    options = {"capacity": 1 << 16}


class AsynchronousOnSocket(Asynchronous, unittest.TestCase):
    options = {"pipe": False}


if __name__ == "__main__":
    unittest.main()
