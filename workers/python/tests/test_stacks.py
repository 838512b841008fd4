"""SIGUSR2 prints the stacks, whatever the worker does."""

import os
import signal
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from fake_node import PATIENCE  # noqa: E402
from test_contract import Cases  # noqa: E402


class Stacks(Cases):
    def assertPrints(self, pattern):
        self.node.process.send_signal(signal.SIGUSR2)
        late = time.monotonic() + PATIENCE
        while pattern not in self.node.stderr():
            self.assertLess(time.monotonic(), late, self.node.stderr())
            time.sleep(0.005)


class Synchronous(Stacks, unittest.TestCase):
    app = "faults.py"

    def test_a_handler_that_spins(self):
        number = self.node.invoke("spins")
        self.assertEqual(b"spinning", self.node.chunk(number))
        self.assertPrints("in spins\n")

    def test_a_handler_in_a_system_call(self):
        number = self.node.invoke("in_c")
        self.assertEqual(b"in C", self.node.chunk(number))
        self.assertPrints("in in_c\n")

    def test_an_idle_worker_lives_on(self):
        for _ in range(3):
            self.assertAnswer([b"on"], "plain", b"on")
            self.assertPrints("in serve\n")
        self.ends_well()


class Asynchronous(Stacks, unittest.TestCase):
    app = "async_faults.py"

    def test_tasks_that_wait(self):
        numbers = [self.node.invoke("ticks", close=False) for _ in range(30)]
        for number in numbers:
            self.assertEqual(b"waiting", self.node.chunk(number))
        for _ in range(2):
            self.assertPrints("30 task(s) wait")
            self.assertPrints("in ticks\n")
        self.assertLess(self.node.stderr().count("in ticks\n"), 100)
        self.assertAnswer([b"on"], "aplain", b"on")

    def test_a_loop_that_is_blocked(self):
        number = self.node.invoke("blocks")
        self.assertEqual(b"blocking", self.node.chunk(number))
        self.assertPrints("in blocks\n")


if __name__ == "__main__":
    unittest.main()
