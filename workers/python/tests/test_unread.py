"""A worker holds no more of a request than its bound while the handler does not read it, and none while the node does not read answers."""

import os
import re
import select
import socket
import sys
import threading
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from fake_node import Rings  # noqa: E402
from test_contract import Cases  # noqa: E402
from cocaine.frames import READ  # noqa: E402
from cocaine.limits import READ_BYTES, UNREAD_BYTES  # noqa: E402
from cocaine.pipe import Pipe  # noqa: E402
from cocaine.socket_link import SocketLink  # noqa: E402

CHUNK = b"x" * (1 << 20)
CHUNKS = 100


def most_memory(pid):
    """The worker's peak, in bytes."""
    with open("/proc/%d/status" % pid) as file:
        return int(re.search(r"VmHWM:\s+(\d+) kB", file.read()).group(1)) << 10


class Reading(Cases):
    def test_a_handler_that_does_not_read_holds_the_node_back(self):
        gate, opener = os.pipe()
        self.addCleanup(os.close, opener)
        self.addCleanup(os.close, gate)
        env = {"GATE": str(gate), "COCAINE_HEARTBEAT_MS": "20"}
        node = self.node = self.start(self.app, env=env, pass_fds=(gate,), flow=False)
        number = node.invoke("holds", close=False)
        self.assertEqual(b"holding", node.chunk(number))
        before = most_memory(node.process.pid)
        for _ in range(CHUNKS):
            node.send([number, 0, [CHUNK]])
        node.send([number, 2, []])
        left, seen, turns = [], [], []

        def rests():
            """Whether it has taken everything, or nothing for many turns of this loop, each with a heartbeat at least."""
            rest = sum(len(payload) for payload, _ in node.backlog)
            if not left or rest < min(left):
                turns.clear()
            elif node.heartbeats > seen[-1]:
                turns.append(node.heartbeats)
            left.append(rest)
            seen.append(node.heartbeats)
            return rest < len(CHUNK) or len(turns) > 20

        node.until(rests)
        self.assertGreater(min(left), CHUNKS // 2 * len(CHUNK))
        self.assertLess(most_memory(node.process.pid) - before, 3 * UNREAD_BYTES)
        os.write(opener, b"x")
        chunks, end = node.answer(number)
        self.assertEqual((b"%d" % (CHUNKS * len(CHUNK)), []), (b"".join(chunks), end))
        self.ends_well()


class Writing:
    """A node that reads no answers until the worker takes no more requests."""

    def ahead(self, link, write, read):
        """Bytes that the link took in while it waited for room."""
        pending = []

        def node():
            while write():
                pass
            while read():
                pass

        thread = threading.Thread(target=node)
        thread.start()
        link.send(bytes(8 << 20), pending)
        size = sum(len(data[2][0]) if at == READ else len(data) - at for data, at in pending)
        link.sock.close()
        thread.join()
        return size


class WritingOnSocket(Writing, unittest.TestCase):
    def test_what_comes_meanwhile_is_bounded(self):
        node, worker = socket.socketpair()
        self.addCleanup(node.close)
        node.setblocking(False)
        sent = []

        def write():
            if not select.select([], [node], [], 0.3)[1]:
                return False
            sent.append(node.send(CHUNK))
            return sum(sent) < 10 * UNREAD_BYTES

        def read():
            select.select([node], [], [])
            try:
                return node.recv(1 << 20)
            except ConnectionResetError:
                return b""

        self.assertLess(self.ahead(SocketLink(worker, b""), write, read), UNREAD_BYTES + READ_BYTES + 1)
        self.assertGreater(sum(sent), UNREAD_BYTES // 2)


class WritingOnPipe(Writing, unittest.TestCase):
    def test_what_comes_meanwhile_is_bounded(self):
        rings = Rings(1 << 16)
        node, worker = socket.socketpair()
        worker.setblocking(False)
        self.addCleanup(node.close)
        pipe = Pipe(rings.segment, rings.worker_bell, rings.node_bell, worker)
        sent = []
        patience = threading.Event()

        def write():
            for _ in range(100):
                if rings.try_write(CHUNK[:8192]):
                    sent.append(8192)
                    return sum(sent) < 10 * UNREAD_BYTES
                patience.wait(0.005)
            return False

        def read():
            rings.read()
            select.select([node], [], [], 0.001)
            return worker.fileno() >= 0

        self.assertLess(self.ahead(pipe, write, read), UNREAD_BYTES + (1 << 16) + 1)
        self.assertGreater(sum(sent), UNREAD_BYTES // 2)


class SynchronousOnPipe(Reading, unittest.TestCase):
    app, options = "calls.py", {}


class SynchronousOnSocket(Reading, unittest.TestCase):
    app, options = "calls.py", {"pipe": False}


class AsynchronousOnPipe(Reading, unittest.TestCase):
    app, options = "async_calls.py", {}


class AsynchronousOnSocket(Reading, unittest.TestCase):
    app, options = "async_calls.py", {"pipe": False}


if __name__ == "__main__":
    unittest.main()
