"""Sealed calls, for clients: openings of sessions and their records, as docs/protocol.md has them. No sockets.

The only module of this package that needs another one: cryptography (Debian: python3-cryptography)."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import time
from struct import Struct

try:
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import padding, rsa
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF
    from cryptography.exceptions import InvalidTag
except ImportError as missing:
    raise ImportError("cocaine.sealing needs the package cryptography: apt-get install python3-cryptography, "
                      "or pip install cryptography") from missing

MORE, LAST, ERROR = 0, 1, 2          # the kinds of records
ID_BYTES, HEAD_BYTES, TAG_BYTES = 16, 24, 16
OPENING_SECONDS = 60                 # an opening is good for so long
SESSION_SECONDS, IDLE_SECONDS = 3540, 540  # a minute less than the node's bounds
MOST_RECORDS = 1 << 32
MOST_MS, MOST_RETRIES = 366 * 24 * 3600 * 1000, 1000  # larger values count as these

_FIELD, _PLACE, _WISHES, _PAIR = Struct(">Q"), Struct(">QQB"), Struct(">qqiB"), Struct(">ii")
_OAEP = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
_PSS = padding.PSS(padding.MGF1(hashes.SHA256()), 32)


class SealError(Exception):
    """A record is not what the node has sealed for this call, or an answer was cut."""


def url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def thumbprint(key: rsa.RSAPublicKey) -> str:
    """RFC 7638, SHA-256."""
    numbers = key.public_numbers()
    modulus = url(numbers.n.to_bytes((key.key_size + 7) // 8, "big"))
    return url(hashlib.sha256(b'{"e":"AQAB","kty":"RSA","n":"%s"}' % modulus.encode()).digest())


def _checked(key: object, kind: type, path: str) -> object:
    if not isinstance(key, kind) or not 2048 <= key.key_size <= 4096:
        raise ValueError("%s: expected an RSA key of 2048 to 4096 bits" % path)
    public = key.public_key() if isinstance(key, rsa.RSAPrivateKey) else key
    if public.public_numbers().e != 65537:
        raise ValueError("%s: the key's public exponent is not 65537" % path)
    return key


class Sealer:
    """Opens sessions with one node for one app. Not for several threads at the same time."""

    def __init__(self, app: str, key_file: str, node_key_file: str) -> None:
        """key_file: the caller's private key, PKCS#8 PEM; node_key_file: the node's public key, PEM."""
        with open(key_file, "rb") as file:
            self._key = _checked(serialization.load_pem_private_key(file.read(), None), rsa.RSAPrivateKey, key_file)
        with open(node_key_file, "rb") as file:
            self._node = _checked(serialization.load_pem_public_key(file.read()), rsa.RSAPublicKey, node_key_file)
        self._own_name, self._node_name = thumbprint(self._key.public_key()), thumbprint(self._node)
        self._app = app.encode()
        self._session: Session | None = None

    def begin(self, event: str, request_timeout: int | None = None, silence_timeout: int | None = None,
              retry_limit: int | None = None, urgent: bool = False) -> tuple[bytes, Call]:
        """Begins a call: the value of its header `seal`, and the call. Times in ms; they must be those of the call's headers."""
        session = self._session
        if session is None or session.is_old():
            session = self._session = Session(*self._open())
        wishes = _WISHES.pack(_bounded(request_timeout, MOST_MS), _bounded(silence_timeout, MOST_MS),
                              _bounded(retry_limit, MOST_RETRIES), 1 if urgent else 0)
        return session.header(), Call(session, self._app + b"\0" + event.encode() + b"\0", wishes)

    def forget(self) -> None:
        """The node does not know the session: the next call opens another one."""
        self._session = None

    def _open(self) -> tuple[bytes, bytes]:
        secret, now = os.urandom(32), int(time.time())
        claims = {"iss": self._own_name, "aud": self._node_name, "iat": now, "exp": now + OPENING_SECONDS,
                  "jti": url(os.urandom(16)), "key": url(secret)}
        key, vector = os.urandom(32), os.urandom(12)
        head = _head(alg="RSA-OAEP-256", enc="A256GCM", kid=self._node_name)
        hidden = AESGCM(key).encrypt(vector, json.dumps(claims).encode(), head.encode())
        inner = ".".join((head, url(self._node.encrypt(key, _OAEP)), url(vector), url(hidden[:-16]), url(hidden[-16:])))
        text = _head(alg="PS256", kid=self._own_name, cty="JWE") + "." + url(inner.encode())
        return (text + "." + url(self._key.sign(text.encode(), _PSS, hashes.SHA256()))).encode(), secret


def frame(header: bytes, record: bytes) -> bytes:
    """The body frame of a ZeroMQ message to a zeromq-server or zeromq-sink. A frame is a whole request: its record is the last one."""
    if len(header) == ID_BYTES:
        return b"CFS1\2" + record
    return b"CFS1\1" + len(header).to_bytes(2, "big") + header + record


def _head(**members: str) -> str:
    return url(json.dumps(members).encode())


def _bounded(value: int | None, most: int) -> int:
    return -1 if value is None else min(value, most)


class Session:
    """The keys of both directions."""

    def __init__(self, opening: bytes, secret: bytes) -> None:
        digest = hashlib.sha256(opening).digest()
        self.id = digest[:ID_BYTES]
        self._opening: bytes | None = opening
        self._made = self._used = time.monotonic()
        self._counter = 0
        self._to_node, self._to_client = (
            HKDF(hashes.SHA256(), 36, digest, b"cocaine-fast seal 1 " + way).derive(secret) for way in (b"to-node", b"to-client"))
        self._out, self._in = AESGCM(self._to_node[:32]), AESGCM(self._to_client[:32])

    def is_old(self) -> bool:
        now = time.monotonic()
        waits = self._opening is not None and now - self._made > OPENING_SECONDS / 2
        return (waits or now - self._made > SESSION_SECONDS or now - self._used > IDLE_SECONDS
                or self._counter > MOST_RECORDS // 2)

    def header(self) -> bytes:
        """The opening, once; then the number of the session."""
        self._used = time.monotonic()
        opening, self._opening = self._opening, None
        return opening or self.id

    def next_counter(self) -> int:
        self._counter += 1
        return self._counter

    def seal(self, kind: int, counter: int, tied: bytes, text: bytes) -> bytes:
        field = _FIELD.pack(kind << 56 | counter)
        return self.id + field + self._out.encrypt(self._to_node[32:] + field, text, b"\1\0" + tied)

    def open(self, field: bytes, tied: bytes, hidden: bytes) -> bytes:
        try:
            return self._in.decrypt(self._to_client[32:] + field, hidden, b"\1\1" + tied)
        except InvalidTag:
            raise SealError("a record of the answer does not open: it was changed, moved, or comes from somebody else") from None


class Call:
    """The records of one call, in both directions."""

    def __init__(self, session: Session, place: bytes, wishes: bytes) -> None:
        self._session, self._place, self._wishes = session, place, wishes
        self._job = self._sent = self._got = 0
        self.ended = False                       # the record that ends the answer has come
        self.error: tuple[int, int, str] | None = None  # category, code and text that it has

    def seal(self, chunk: bytes, last: bool = False) -> bytes:
        """The next record of the request."""
        counter, kind = self._session.next_counter(), LAST if last else MORE
        self._job = self._job or counter
        record = self._session.seal(kind, counter, self._tied(self._sent, kind), chunk)
        self._sent += 1
        return record

    def open(self, record: bytes) -> bytes | None:
        """The chunk of a record of the answer; None for the record that ends it."""
        kind = record[ID_BYTES] if len(record) >= HEAD_BYTES + TAG_BYTES else None
        if self.ended or kind is None or record[:ID_BYTES] != self._session.id:
            raise SealError("the answer goes on with what is no record of it")
        text = self._session.open(record[ID_BYTES:HEAD_BYTES], self._tied(self._got, kind), record[HEAD_BYTES:])
        self._got += 1
        if kind == MORE:
            return text
        self.ended = True
        if kind == ERROR:
            category, code = _PAIR.unpack_from(text)
            self.error = category, code, text[_PAIR.size:].decode("utf-8", "replace")
        return None

    def _tied(self, chunk: int, kind: int) -> bytes:
        return self._place + _PLACE.pack(self._job, chunk, kind) + self._wishes
