"""Children that handlers fork: where they come back into the SDK they end, and answer nothing."""

import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from test_contract import Cases  # noqa: E402

CODES = {b"": b"0", b"exit": b"3", b"exit-text": b"1", b"exec": b"1", b"raise": b"1"}


class Marked(Cases):
    """Jobs leave marks in a file: what runs twice is seen."""

    def setUp(self):
        marks = tempfile.NamedTemporaryFile()
        self.addCleanup(marks.close)
        self.marks = marks.name
        self.options = {**self.options, "env": {"MARKS": marks.name}}
        super().setUp()

    def marked(self):
        with open(self.marks) as file:
            return [line.split() for line in file]


class Synchronous(Marked):
    app = "faults.py"

    def test_a_child_that_comes_back_ends_with_its_own_code(self):
        for way, code in CODES.items():
            self.assertAnswer([code], "forks", way)
        self.assertIn("ValueError: in the child", self.node.stderr())
        self.assertIn("FileNotFoundError", self.node.stderr())
        for way, code in (b"end", b"0"), (b"raise", b"1"), (b"yield", b"0"):
            self.assertAnswer([b"before", code], "forks_in_generator", way)
        self.assertAnswer([b"before ", b"1"], "child_writes")
        self.assertIn("a forked child cannot answer", self.node.stderr())
        self.assertAnswer([b"on"], "plain", b"on")
        self.ends_well()

    def test_a_child_runs_no_other_job(self):
        """In one batch with others, before and after the handlers have proved to be quick."""
        for proven in False, True:
            if proven:
                for event in "forks_or_not", "forks_in_generator", "mark":
                    for _ in range(70):
                        self.node.call(event, b"no")
            messages, numbers = [], []
            for event, request in [("forks_or_not", b""), ("forks_in_generator", b"end"), ("forks_or_not", b"exit")]:
                for name, data in [(event, request)] + [("mark", b"%s-%d" % (event.encode(), i)) for i in range(10)]:
                    number = self.node.next_channel
                    self.node.next_channel += 1
                    numbers.append(number)
                    messages += [number, 0, [name.encode()], [80, 81, 82]], [number, 0, [data]], [number, 2, []]
            self.node.send(*messages)
            for number in numbers:
                self.assertEqual([], self.node.answer(number)[1])
        marks = [name for name, _ in self.marked() if name != "no"]
        self.assertEqual(60, len(marks))
        self.assertEqual({str(self.node.process.pid)}, {pid for _, pid in self.marked()})
        self.ends_well()

    def test_multiprocessing_goes_on_working(self):
        for way in b"fork", b"spawn":
            self.assertAnswer([b"[1, 2, 3] 4 0 from a shell\n"], "processes", way)
        self.ends_well()


class Asynchronous(Marked):
    app = "async_faults.py"

    def test_a_child_that_comes_back_ends_with_its_own_code(self):
        for way, code in (b"", b"0"), (b"exit", b"3"), (b"raise", b"1"), (b"wait", b"0"):
            self.assertAnswer([code], "forks", way)
        self.assertAnswer([b"on"], "aplain", b"on")
        self.ends_well()

    def test_a_child_runs_no_other_task(self):
        counting = [self.node.invoke("counts", b"%d" % i) for i in range(5)]
        forking = [self.node.invoke("forks", way) for way in (b"wait", b"", b"exit", b"wait")]
        for number, code in zip(forking, (b"0", b"0", b"3", b"0")):
            self.assertEqual(([code], []), self.node.answer(number))
        for number in counting:
            self.assertEqual(([b"counted"], []), self.node.answer(number))
        self.assertEqual({str(self.node.process.pid)}, {pid for _, pid in self.marked()})
        self.assertEqual(1000, len(self.marked()))
        self.ends_well()


class SynchronousOnPipe(Synchronous, unittest.TestCase):
    options = {"capacity": 1 << 16}


class SynchronousOnSocket(Synchronous, unittest.TestCase):
    options = {"pipe": False}


class AsynchronousOnPipe(Asynchronous, unittest.TestCase):
    options = {"capacity": 1 << 16}


class AsynchronousOnSocket(Asynchronous, unittest.TestCase):
    options = {"pipe": False}


if __name__ == "__main__":
    unittest.main()
