"""However a handler fails: its call is answered with an error, once, and the worker lives."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from test_contract import Cases  # noqa: E402

TEXTS = {
    "badstr": "^BadStr, whose text cannot be shown", "nameless": "whose text cannot be shown", "notext": "^NoText, whose text",
    "liar": "^Liar", "leaves": "^Leaves, whose text", "huge": "^ValueError: x{3000,4096}$",
    "surrogates": r"^ValueError: \?{4000,4096}$", "interrupt": "^KeyboardInterrupt", "generatorexit": "^GeneratorExit", "exit": "SystemExit: 3",
    "memory": "^MemoryError", "recursion": "^RecursionError", "oddtext": "^OddText", "group": "several|BadStr", "stop": "stopped|StopIteration",
}


class Failures(Cases):
    def assertFails(self, pattern, event, request, chunks=()):
        answer, end = self.node.call(event, request)
        self.assertEqual(list(chunks), answer)
        self.assertEqual([1000, 502], end[0])
        text = end[1].decode()
        self.assertRegex(text, pattern)
        self.assertLessEqual(len(text), 4096)
        self.assertNotIn("Traceback", text)
        self.assertNotIn("/", text)  # no paths to callers


    def refuses_long_chunks(self, prefix):
        text = "a chunk has at most 67108864 bytes, and this one has %d: write it in pieces"
        for event, chunks, size in (("gives_long", [], 67108865), ("yields_long", [b"first"], 67108865), ("writes_long", [b"first"], 67108865),
                                    ("gives_long_text", [], 67108866)):
            if prefix and event == "gives_long_text":
                continue
            for _ in range(2):
                answer, end = self.node.call(prefix + event, b"")
                self.assertEqual(chunks, answer)
                self.assertEqual([[1000, 413], ("ChunkTooLong: " + text % size).encode()], end)
        self.assertAnswer([(text % 67108865).encode(), b"in pieces"], prefix + "cuts", b"")
        self.assertAnswer([b"on"], prefix + "plain", b"on")
        self.ends_well()


class Synchronous(Failures):
    app = "faults.py"

    def test_chunks_that_are_too_long(self):
        for _ in range(40):
            self.assertAnswer([b"on"], "plain", b"on")  # from then on in batches
        self.refuses_long_chunks("")

    def test_every_way_to_fail(self):
        for name, pattern in TEXTS.items():
            self.assertFails(pattern, "fails", name.encode())
            self.assertFails(pattern, "fails_late", name.encode(), [b"first"])
            self.assertFails(pattern, "fails_streaming", name.encode())
        self.assertAnswer([b"on"], "plain", b"on")
        self.ends_well()

    def test_the_same_in_batches(self):
        for _ in range(2):
            numbers = [self.node.invoke("fails", b"badstr") for _ in range(100)]
            for number in numbers:
                self.assertRegex(self.node.answer(number)[1][1].decode(), TEXTS["badstr"])
        self.ends_well()

    def test_a_broken_hook(self):
        self.assertFails("^ValueError: hooked$", "fails_hooked", b"")
        self.assertFails("^ValueError: hooked$", "fails_hooked", b"restore")
        self.assertIn("sys.excepthook is broken", self.node.stderr())
        self.assertIn("ValueError: hooked", self.node.stderr())
        self.ends_well()


class Asynchronous(Failures):
    app = "async_faults.py"

    def test_chunks_that_are_too_long(self):
        self.refuses_long_chunks("a")

    def test_every_way_to_fail(self):
        for name, pattern in TEXTS.items():
            self.assertFails(pattern, "afails", name.encode())
            self.assertFails(pattern, "afails_late", name.encode(), [b"first"])
        self.assertAnswer([b"on"], "aplain", b"on")
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
