"""When a worker believes that its node is gone: it says nothing for long, though it has read a heartbeat."""

import os
import socket
import sys
import unittest
from unittest import mock

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

from cocaine import frames  # noqa: E402
from cocaine.app import App  # noqa: E402
from cocaine.socket_link import SocketLink  # noqa: E402
from cocaine.session import Session  # noqa: E402


class Died(Exception):
    pass


@mock.patch("cocaine.heartbeat.die", mock.Mock(side_effect=Died))
class Test(unittest.TestCase):
    def setUp(self):
        self.node, worker = socket.socketpair()
        self.node.setblocking(False)
        self.addCleanup(self.node.close)
        self.addCleanup(worker.close)
        self.session = Session(App("test", os.path.join(HERE, "apps", "tasks.py")), SocketLink(worker, b""))

    def beats(self, now):
        """One more heartbeat, which the node reads."""
        self.session.heartbeat.next = now  # the session's own turns went by the real clock
        self.session.heartbeat.beat(now)
        self.assertTrue(self.node.recv(1 << 16).endswith(frames.HEARTBEAT))

    def test_a_silent_node_is_given_up(self):
        for now in 0, 10, 20, 30:
            self.beats(now)
        self.assertRaises(Died, self.session.heartbeat.beat, 40)

    def test_an_answer_that_waits_to_be_read_counts(self):
        for now in 0, 40, 80, 120:
            self.beats(now)
            self.node.send(frames.HEARTBEAT)

    def test_an_answer_may_stand_behind_a_long_message(self):
        self.node.send(b"\x93\x02\x00\x91\xc6\x04\x00\x00\x00")  # a chunk of 64 MiB, which comes slowly
        for now in range(0, 200, 10):
            self.beats(now)
            self.node.send(bytes(1000))
            self.session.work()

    def test_a_node_that_does_not_read_has_nothing_to_answer(self):
        self.session.heartbeat.beat(0)
        for now in range(10, 200, 10):
            self.session.heartbeat.beat(now)


if __name__ == "__main__":
    unittest.main()
