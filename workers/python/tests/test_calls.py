"""What a handler can ask about its call, on both pipes, in plain functions and in async ones."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from test_contract import Cases  # noqa: E402

CANCELLED = [[1000, 502], b"cancelled"]
TRACED = [[False, 80, (7).to_bytes(8, "little")], [False, b"span_id", b"8"], [False, 82, (9).to_bytes(8, "little")],
          [False, b"x", b"first"], [False, b"x", b"second"]]


class Calls(Cases):
    def test_headers_and_trace(self):
        self.assertAnswer([b"7 8 9 b'first' None"], "about", headers=TRACED)
        self.assertAnswer([b"0 0 0 None None"], "about")
        self.assertAnswer([b"7 8 9 b'first' False"], "whole", headers=TRACED)
        for _ in range(70):  # before and after the handler has proved to be quick
            self.assertAnswer([b"0 0 0 None False"], "whole")

    def test_body_is_all_the_rest(self):
        self.assertAnswer([b"a|", b"bc", b"|"], "body", b"a", b"b", b"c")

    def test_a_long_text_of_an_error_is_cut_at_a_character(self):
        for letter, size in ("x", 4096), ("\u00fc", 4096), ("\u20ac", 4095):
            chunks, end = self.node.call("fails_long", letter.encode())
            self.assertEqual(([], [42, 7], size), (chunks, end[0], len(end[1])))
            self.assertEqual(letter, end[1].decode()[-1])

    def test_a_handler_that_asks_sees_that_it_is_cancelled(self):
        number = self.node.invoke("computes", close=False)
        self.assertEqual(b"computing", self.node.chunk(number))
        self.node.send([number, 1, [[1000, 520], b"deadline"]])
        self.assertEqual(([], CANCELLED), self.node.answer(number))

    def test_a_call_that_is_over_can_be_asked(self):
        self.assertAnswer([], "kept")
        for _ in range(70):
            self.assertAnswer([b"False"], "asks_kept")
        numbers = [self.node.invoke("asks_kept") for _ in range(200)]
        for number in numbers:
            self.assertEqual(([b"False"], []), self.node.answer(number))
        self.ends_well()


class Asynchronous(Calls):
    app = "async_calls.py"

    def test_a_plain_function_has_its_own_call(self):
        gate, opener = os.pipe()
        begun, begins = os.pipe()
        for descriptor in gate, opener, begun, begins:
            self.addCleanup(os.close, descriptor)
        node = self.node = self.start(self.app, env={"GATE": str(gate), "BEGUN": str(begins)}, pass_fds=(gate, begins))
        before = node.invoke("blocks")
        os.read(begun, 1)
        number = node.invoke("plain", headers=TRACED)
        os.write(opener, b"x")
        self.assertEqual(([b"plain b'first'"], []), node.answer(number))
        self.assertEqual(([b"written"], []), node.answer(before))


class SynchronousOnPipe(Calls, unittest.TestCase):
    app, options = "calls.py", {"capacity": 1 << 16}


class SynchronousOnSocket(Calls, unittest.TestCase):
    app, options = "calls.py", {"pipe": False}


class AsynchronousOnPipe(Asynchronous, unittest.TestCase):
    options = {"capacity": 1 << 16}


class AsynchronousOnSocket(Asynchronous, unittest.TestCase):
    options = {"pipe": False}


if __name__ == "__main__":
    unittest.main()
