"""A client whose calls are sealed: one connection to a native-server or native-sink, one call at a time.

    from cocaine.sealed_client import SealedClient

    with SealedClient("tcp://node:9100", app="shop", key="billing.pem", node_key="node.pub") as client:
        print(client.call("invoice", b"5 pieces"))

Other clients can seal with cocaine.sealing, which has no sockets."""

from __future__ import annotations

import select
import socket
from collections.abc import Iterable, Iterator

from .frames import CLOSE, ERROR, WRITE, channel_head, chunk_head, CLOSE_TAIL
from .msgpack import Truncated, bin_head, packb, unpack_from
from .sealing import SealError, Sealer

RECEIVE_BYTES = 64 << 10
UNAUTHENTICATED = 401


class CallError(Exception):
    """The node or the app has answered with an error."""

    def __init__(self, category: int, code: int, reason: str, is_sealed: bool) -> None:
        super().__init__(reason if is_sealed else reason + " (this error is not sealed)")
        self.category, self.code = category, code


class SealedClient:
    def __init__(self, endpoint: str, app: str, key: str, node_key: str, timeout: float = 30.0) -> None:
        """endpoint: tcp://HOST:PORT or ipc:///path; key, node_key: files; timeout: the longest silence of the node, seconds."""
        self._sealer = Sealer(app, key, node_key)
        self._socket = _connect(endpoint, timeout)
        self._received = bytearray()
        self._channel = 0

    def __enter__(self) -> SealedClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._socket.close()

    def call(self, event: str, request: bytes = b"", **wishes: int) -> bytes:
        """Calls an event; the whole answer. Wishes: request_timeout and silence_timeout in ms, retry_limit, urgent."""
        return b"".join(self.stream(event, (request,), **wishes))

    def stream(self, event: str, chunks: Iterable[bytes], **wishes: int) -> Iterator[bytes]:
        """Calls an event with a request of several chunks; the chunks of the answer. Read them all before the next call."""
        seal, call = self._sealer.begin(event, **wishes)
        self._channel += 1
        head, name = channel_head(self._channel), event.encode()
        items = [[False, key, int(value).to_bytes(8, "little")] for key, value in wishes.items() if value is not None]
        message = [b"\x94", head[1:], b"\x00\x91", bin_head(len(name)), name, packb(items + [[False, "seal", seal]])]
        waiting = None
        for chunk in chunks:
            if waiting is not None:
                message += self._chunk(head, call.seal(waiting))
            waiting = chunk
        message += self._chunk(head, call.seal(waiting or b"", last=True)) + [head, CLOSE_TAIL]
        self._send(b"".join(message))
        return self._answer(call)

    def _answer(self, call) -> Iterator[bytes]:
        while True:
            channel, kind, args = self._read()[:3]
            if channel != self._channel:
                continue  # of a call that was given up
            if kind == WRITE:
                chunk = call.open(args[0])
                if chunk is not None:
                    yield chunk
            elif call.error is not None:
                raise CallError(*call.error, is_sealed=True)
            elif kind == ERROR:
                (category, code), reason = args[0], args[1].decode("utf-8", "replace")
                if code == UNAUTHENTICATED:
                    self._sealer.forget()
                raise CallError(category, code, reason, is_sealed=False)
            elif kind == CLOSE and not call.ended:
                raise SealError("the answer was cut: the record that ends it did not come")
            else:
                return

    @staticmethod
    def _chunk(head: bytes, record: bytes) -> list[bytes]:
        return [head, chunk_head(len(record)), record]

    def _send(self, data: bytes) -> None:
        """Sends, and takes what comes meanwhile: a node whose answers nobody reads stops reading, too."""
        left = memoryview(data)
        while left:
            readable, writable, _ = select.select((self._socket,), (self._socket,), (), self._socket.gettimeout())
            if readable:
                self._receive()
            if writable:
                left = left[self._socket.send(left[:RECEIVE_BYTES]):]
            elif not readable:
                raise TimeoutError("the node takes nothing more")

    def _read(self) -> list:
        need = 1
        while True:
            while len(self._received) < need:
                self._receive()
            try:
                message, at = unpack_from(bytes(self._received), 0, True)
            except Truncated as cut:
                need = max(cut.need, len(self._received) + 1)
            else:
                del self._received[:at]
                return message

    def _receive(self) -> None:
        more = self._socket.recv(RECEIVE_BYTES)
        if not more:
            raise ConnectionError("the node has closed the connection")
        self._received += more


def _connect(endpoint: str, timeout: float) -> socket.socket:
    scheme, _, place = endpoint.partition("://")
    if scheme == "ipc":
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(timeout)
        connection.connect(place)
        return connection
    host, _, port = place.rpartition(":")
    if scheme != "tcp" or not port.isdigit():
        raise ValueError("expected tcp://HOST:PORT or ipc:///path, found %r" % endpoint)
    return socket.create_connection((host.strip("[]"), int(port)), timeout)
