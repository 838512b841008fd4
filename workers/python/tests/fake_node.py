"""A node for tests: starts a worker, speaks the protocol with it over either pipe, and checks every record it writes."""

import fcntl
import mmap
import os
import select
import socket
import subprocess
import sys
import tempfile
import time
from _thread import allocate_lock

HERE = os.path.dirname(os.path.abspath(__file__))
SDK = os.path.dirname(HERE)
sys.path.insert(0, SDK)

from cocaine import msgpack  # noqa: E402

ONE = (1).to_bytes(8, "little")
FENCE = allocate_lock()
PATIENCE = 20.0  # seconds; only a failing test waits that long


class Rings:
    """The node's half of the shared-memory pipe."""

    def __init__(self, capacity, most_begun=1 << 20):
        self.capacity = capacity
        size = 4096 + 2 * capacity
        self.segment = os.memfd_create("test", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(self.segment, size)
        fcntl.fcntl(self.segment, fcntl.F_ADD_SEALS, fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL)
        self.worker_bell = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self.node_bell = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self.map = mmap.mmap(self.segment, size)
        self.map[0:8] = b"CFPIPE01"
        self.words, self.flags = memoryview(self.map).cast("Q"), memoryview(self.map).cast("I")
        self.flags[2], self.flags[3], self.words[2], self.words[3] = 1, 4096, size, 7
        self.flags[8] = self.flags[9] = capacity
        self.words[5], self.words[6] = 4096, 4096 + capacity
        self.flags[60 // 4] = most_begun
        self.tail = self.head = 0
        self.pieces = []

    @property
    def begun(self):
        """The highest channel that the worker has begun."""
        return self.words[3072 // 8]

    def recall(self):
        """Begins to take calls back; the message about it is the caller's to write. (its count, the highest channel that has begun)"""
        self.flags[3200 // 4] += 1
        with FENCE:
            pass
        return self.flags[3200 // 4], self.begun

    def room(self):
        return self.capacity - (self.tail - self.words[1152 // 8])

    def try_write(self, payload, kind=0):
        size = (len(payload) + 15) & -8
        assert size <= self.capacity // 4
        place = self.tail & (self.capacity - 1)
        padding = self.capacity - place if place + size > self.capacity else 0
        if padding + size > self.room():
            return False
        if padding:
            self.words[(4096 + place) >> 3] = padding - 8 | 2 << 32
            place = 0
        self.map[4096 + place + 8:4096 + place + 8 + len(payload)] = payload
        self.words[(4096 + place) >> 3] = len(payload) | kind << 32
        self.tail += padding + size
        self.words[1024 // 8] = self.tail
        with FENCE:
            pass
        if self.flags[1280 // 4]:
            self.flags[1280 // 4] = 0
            os.write(self.worker_bell, ONE)
        return True

    def read(self):
        """Everything that the worker has published, as streams of whole messages."""
        streams = []
        tail = self.words[2048 // 8]
        base = 4096 + self.capacity
        while self.head != tail:
            place = self.head & (self.capacity - 1)
            record = self.words[(base + place) >> 3]
            length, kind = record & 0xFFFFFFFF, record >> 32
            size = (length + 15) & -8
            assert kind <= 2 and size <= tail - self.head and place + size <= self.capacity, "a bad record"
            assert kind == 2 or size <= self.capacity // 4, "a record longer than a quarter of the ring"
            data = self.map[base + place + 8:base + place + 8 + length]
            self.head += size
            if kind != 2:
                self.pieces.append(data)
            if kind == 0:
                streams.append(b"".join(self.pieces))
                self.pieces.clear()
        self.words[2176 // 8] = self.head
        with FENCE:
            pass
        if self.flags[2432 // 4]:
            self.flags[2432 // 4] = 0
            os.write(self.worker_bell, ONE)
        return streams

    def park(self):
        self.flags[2304 // 4] = 1
        with FENCE:
            pass
        return self.words[2048 // 8] == self.head


class FakeNode:
    def __init__(self, app, pipe=True, capacity=1 << 20, grant=True, env=None, pass_fds=(), words=(), most_begun=1 << 20, flow=True):
        self.folder = tempfile.mkdtemp()
        path = os.path.join(self.folder, "s")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen(1)
        self.errors = tempfile.TemporaryFile()
        environment = {"COCAINE_PIPE": "1" if pipe else "0", "PATH": "/usr/bin:/bin"}
        environment.update(env or {})
        self.process = subprocess.Popen(
            [sys.executable, os.path.join(SDK, "cocaine-worker.py"), "--app", "test", "--uuid", "u-1", "--endpoint", path,
             "--locator", "127.0.0.1:10053", "--protocol", "1", *words, app],
            env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self.errors, pass_fds=pass_fds)
        self.rings = None
        self.inbox = {}        # the worker's messages by channel: lists of [type, args]
        self.heartbeats = 0
        self.buffer = b""
        self.backlog = []      # (payload, kind) that had no room
        self.next_channel = 2
        self.sock = None
        ready, _, _ = select.select([listener, self._exit_watch()], [], [], PATIENCE)
        if listener in ready:
            self.sock, _ = listener.accept()
            hello = self._first_message()
            assert hello[:2] == [1, 0] and hello[2][0] == b"u-1", hello
            asked = hello[2][1]
            self.wish = asked.pop(b"concurrency", 0)
            assert asked == ({b"pipe": 1, b"flow": 1} if pipe else {b"flow": 1}), hello
            answer = {"flow": 1} if flow else {}
            if pipe and grant:
                self.rings = Rings(capacity, most_begun)
                socket.send_fds(self.sock, [msgpack.packb([1, 0, [{"pipe": 1, **answer}]])],
                                [self.rings.segment, self.rings.worker_bell, self.rings.node_bell])
            else:
                self.sock.sendall(msgpack.packb([1, 0, [answer]]))
            self.sock.setblocking(False)
            self.buffer = self.buffer[self._parse(self.buffer):]
        listener.close()
        os.unlink(path)
        os.rmdir(self.folder)

    def _exit_watch(self):
        self.pidfd = os.pidfd_open(self.process.pid)
        return self.pidfd

    def _first_message(self):
        while True:
            self.buffer += self.sock.recv(4096)
            try:
                message, end = msgpack.unpack_from(self.buffer, 0, True)
            except msgpack.Truncated:
                continue
            self.buffer = self.buffer[end:]
            return message

    # Writing.

    def send(self, *messages):
        self.send_raw(b"".join(map(msgpack.packb, messages)))

    def send_raw(self, data):
        if self.rings is None:
            self.backlog.append((data, 0))
        else:
            most = self.rings.capacity // 4 - 8
            for at in range(0, len(data), most):
                self.backlog.append((data[at:at + most], 0 if at + most >= len(data) else 1))
        self._drain()

    def _drain(self):
        while self.backlog:
            payload, kind = self.backlog[0]
            if self.rings is not None:
                if not self.rings.try_write(payload, kind):
                    return
            else:
                try:
                    sent = self.sock.send(payload)
                except BlockingIOError:
                    return
                except (BrokenPipeError, ConnectionResetError):
                    sent = len(payload)  # it has ended: that is seen elsewhere
                if sent < len(payload):
                    self.backlog[0] = (payload[sent:], 0)
                    continue
            del self.backlog[0]

    def invoke(self, event, *chunks, close=True, headers=(80, 81, 82)):
        number = self.next_channel
        self.next_channel += 1
        self.send([number, 0, [event.encode()], list(headers)], *[[number, 0, [chunk]] for chunk in chunks],
                  *([[number, 2, []]] if close else []))
        return number

    # Reading.

    def pump(self, deadline=None):
        """Waits for something of the worker, and takes it in. False when its socket is at its end."""
        self._drain()
        if self._take():
            return True
        left = (deadline or time.monotonic() + PATIENCE) - time.monotonic()
        assert left > 0, "the worker was silent: %s" % self.stderr()
        watched = [self.sock, self.pidfd]
        if self.rings is not None:
            if not self.rings.park():
                return True
            watched.append(self.rings.node_bell)
        waits = bool(self.backlog)
        if waits and self.rings is not None:
            self.rings.flags[1408 // 4] = 1
            with FENCE:
                pass
            if self.rings.room() >= self.rings.capacity // 2:
                self._drain()
        ready, _, _ = select.select(watched, [self.sock] if waits and self.rings is None else [], [], left)
        if self.rings is not None and self.rings.node_bell in ready:
            os.read(self.rings.node_bell, 8)
        if self.rings is not None and self.sock in ready:
            assert self.sock.recv(1) == b"", "bytes on the socket beside the pipe"
        if self.pidfd in ready and not self._take():
            return False
        return True

    def _take(self):
        if self.rings is not None:
            streams = self.rings.read()
            for stream in streams:
                assert self._parse(stream) == len(stream), "a record that ends inside a message"
            return bool(streams)
        try:
            data = self.sock.recv(1 << 18)
        except (BlockingIOError, ConnectionResetError):
            return False
        self.buffer += data
        self.buffer = self.buffer[self._parse(self.buffer):]
        return bool(data)

    def _parse(self, data):
        at = 0
        while at < len(data):
            try:
                message, at = msgpack.unpack_from(data, at, True)
            except msgpack.Truncated:
                break
            if message == [1, 0, []]:
                self.heartbeats += 1
                self.send([1, 0, []])
            else:
                self.inbox.setdefault(message[0], []).append(message[1:])
        return at

    def until(self, condition):
        """Pumps until the condition gives something true."""
        deadline = time.monotonic() + PATIENCE
        while True:
            value = condition()
            if value:
                return value
            assert self.pump(deadline), "the worker has ended: %s" % self.stderr()

    def answer(self, number):
        """(chunks, terminal message's args) of a channel."""
        self.until(lambda: self.inbox.get(number) and self.inbox[number][-1][0] != 0)
        mine = self.inbox.pop(number)
        assert [kind for kind, _ in mine[:-1]] == [0] * (len(mine) - 1), mine
        return [args[0] for _, args in mine[:-1]], mine[-1][1]

    def call(self, event, *chunks, **options):
        return self.answer(self.invoke(event, *chunks, **options))

    def chunk(self, number):
        """The next chunk of a channel."""
        self.until(lambda: self.inbox.get(number))
        kind, args = self.inbox[number].pop(0)
        assert kind == 0, args
        return args[0]

    # The end.

    def take_back(self, first):
        """Calls from this channel on that have not begun. They must be above what has begun by now, as the node holds itself to."""
        count, begun = self.rings.recall()
        assert begun < first, "channel %d has begun" % begun
        self.send([1, 3, [count, first]])

    def hold(self, number):
        self.send([1, 2, [number, 1]])

    def go_on(self, number):
        self.send([1, 2, [number, 0]])

    def asked_flow(self, number):
        """What the worker has asked of the channel so far: 1 to hold, 0 to go on."""
        return [args[1] for kind, args in self.inbox.get(1, []) if kind == 2 and args[0] == number]

    def terminate(self):
        self.send([1, 1, [1, b"bye"]])

    def exit_code(self):
        while self.process.poll() is None:
            if self.sock is None or self.sock.fileno() < 0:
                self.process.wait(PATIENCE)
            else:
                self.pump()
        return self.process.returncode

    def stderr(self):
        # Without a seek: the worker writes at the same position of the file.
        file = self.errors.fileno()
        return os.pread(file, os.fstat(file).st_size, 0).decode()

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self.sock is not None:
            self.sock.close()
        os.close(self.pidfd)
        self.errors.close()
        if self.rings is not None:
            for descriptor in (self.rings.segment, self.rings.worker_bell, self.rings.node_bell):
                os.close(descriptor)
