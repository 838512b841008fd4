"""Requests and responses in threads of the app: they work, or are refused by an exception that says so."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from test_contract import Cases  # noqa: E402


class Synchronous(Cases):
    app = "faults.py"

    def test_another_thread_is_refused(self):
        for _ in range(3):
            chunks, end = self.node.call("writes_elsewhere", b"chunk")
            lines = b"".join(chunks).decode().splitlines()
            self.assertEqual([], end)
            for line in lines[:3]:
                self.assertRegex(line, "^WrongThread: this response is written in the thread of its handler only")
            for line in lines[3:5]:
                self.assertRegex(line, "^WrongThread: a request is read in the thread of its handler only")
            self.assertEqual("None", lines[5])

    def test_threads_that_hand_over_their_chunks(self):
        self.assertAnswer([b"%d" % i for i in range(500)], "collects", b"500")

    def test_a_call_that_is_over_takes_nothing(self):
        for _ in range(3):
            self.assertAnswer([b"kept"], "keeps")
            chunks, end = self.node.call("writes_late")
            self.assertEqual([], end)
            first, second = chunks[0].decode().splitlines()
            self.assertRegex(first, "^WrongThread: ")
            self.assertEqual("ValueError: the response has ended", second)
        self.ends_well()


class Asynchronous(Cases):
    app = "async_faults.py"

    def test_threads_write_in_their_order(self):
        numbers = [self.node.invoke("threads", b"60") for _ in range(3)]
        for number in numbers:
            chunks, end = self.node.answer(number)
            self.assertEqual([], end)
            self.assertEqual(8 * 60, len(chunks))
            for thread in range(8):
                mine = [int(chunk.split()[1]) for chunk in chunks if int(chunk.split()[0]) == thread]
                self.assertEqual(list(range(60)), mine)
        self.ends_well()

    def test_a_call_that_is_over_takes_nothing(self):
        self.assertAnswer([], "thread_after", b"keep")
        self.assertAnswer([b"ValueError: the response has ended"], "thread_after", b"write")

    def test_a_request_is_read_in_the_loop(self):
        chunks, _ = self.node.call("reads_elsewhere")
        self.assertRegex(chunks[0], b"^WrongThread: ")

    def test_a_plain_function_beside_them_is_refused(self):
        self.assertAnswer([b"mine"], "plain_elsewhere")
        self.assertIn("WrongThread", self.node.stderr())

    def test_the_call_goes_along_to_threads_of_asyncio_only(self):
        self.assertAnswer([b"None current"], "current")


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
