"""
WSGI applications behind an HTTP proxy that speaks the protocol: `"args": {"source": "app.py", "wsgi": "application"}` in the manifest.

The request is the MessagePack of [method, uri, http version, [[name, value]…], body], as the proxies of Cocaine 0.11 and 0.12 send it, or
of a map with method, uri, version, headers (pairs or a map) and body. The answer's first chunk is the MessagePack of
[status, [[name, value]…]], or for a map of {"code": status, "headers": [[name, value]…]}; the chunks after it are the body as it is.
"""

from __future__ import annotations

import io
import sys
from urllib.parse import unquote_to_bytes

import cocaine

from .app import Handler, load
from .limits import WSGI_EVENTS
from .msgpack import packb, unpackb

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

_FORWARDED_FOR = ("x-real-ip", "x-forwarded-for")


class WsgiApp:
    """In the place of app.App: every event is the application."""

    has_async = False

    def __init__(self, name: str, source: str, application: str) -> None:
        self.name = name
        self.folder, self.module = load(source)
        target: Any = self.module
        for part in application.split("."):
            target = getattr(target, part)
        if not callable(target):
            raise TypeError("'%s' in %s is no WSGI application: it cannot be called" % (application, source))
        self._serve = serving(target)
        self._handlers: dict[bytes, Handler] = {}

    def find(self, event: bytes) -> Handler:
        handler = self._handlers.get(event)
        if handler is None:
            handler = Handler(event.decode("utf-8", "replace"), self.name, self._serve)
            if len(self._handlers) < WSGI_EVENTS:
                self._handlers[event] = handler
        return handler


def serving(application: Callable[..., Any]) -> Callable[[bytes], Iterator[bytes]]:
    """A handler that answers HTTP requests with the application: for a module that has other events beside it."""

    def serve(request: bytes) -> Iterator[bytes]:
        environ, pack_head = _read_request(request)
        head = _Head(pack_head)
        answer = application(environ, head.start_response)
        try:
            for data in answer:
                if not isinstance(data, bytes):
                    raise TypeError("a WSGI application gives bytes, not %s" % type(data).__name__)
                yield from head.take_ready(bool(data))
                if data:
                    yield data
            yield from head.take_ready(True)
        finally:
            if hasattr(answer, "close"):
                answer.close()

    return serve


class _Head:
    """The status and the headers, until they are sent before the first byte of the body."""

    def __init__(self, pack: Callable[[int, list[list[str]]], bytes]) -> None:
        self._pack = pack
        self._head: tuple[int, list[list[str]]] | None = None
        self._is_sent = False
        self._written: list[bytes] = []  # by the `write` of old applications

    def start_response(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], None]:
        if exc_info is not None and self._is_sent:
            try:
                raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None  # no cycle through the traceback
        if exc_info is None and self._head is not None:
            raise AssertionError("start_response was called twice")
        self._head = int(status.split(" ", 1)[0]), [[name, value] for name, value in headers]
        return self._written.append

    def take_ready(self, has_body: bool) -> Iterator[bytes]:
        if not self._is_sent and (has_body or self._written):
            if self._head is None:
                raise AssertionError("the application gave a body before it called start_response")
            self._is_sent = True
            yield self._pack(*self._head)
        while self._written:
            yield self._written.pop(0)


def _pack_array(code: int, headers: list[list[str]]) -> bytes:
    return packb([code, headers])


def _pack_map(code: int, headers: list[list[str]]) -> bytes:
    return packb({"code": code, "headers": headers})


def _read_request(request: bytes) -> tuple[dict[str, Any], Callable[[int, list[list[str]]], bytes]]:
    try:
        value = unpackb(request, raw=True)
        if isinstance(value, dict):
            method, uri, version = value[b"method"], value[b"uri"], value.get(b"version", b"1.1")
            headers, body = value.get(b"headers") or [], value.get(b"body") or b""
            pack = _pack_map
        else:
            method, uri, version, headers, body = value[:5]
            pack = _pack_array
        pairs = list(headers.items()) if isinstance(headers, dict) else [(pair[0], pair[1]) for pair in headers]
        texts = [_text(part) for part in (method, uri, version)]
        named = [(_text(name).lower(), _text(content)) for name, content in pairs]
        return _environ(texts[0], texts[1], texts[2], named, bytes(body or b"")), pack
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as problem:
        raise ValueError("not an HTTP request as a proxy sends it: %s: %s" % (type(problem).__name__, problem)) from None


def _text(value: Any) -> str:
    """WSGI's native strings: bytes as latin-1."""
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _environ(method: str, uri: str, version: str, headers: list[tuple[str, str]], body: bytes) -> dict[str, Any]:
    if "://" in uri.split("?", 1)[0]:
        uri = "/" + uri.split("://", 1)[1].partition("/")[2]  # absolute-form
    path, _, query = uri.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path.encode("latin-1")).decode("latin-1"),
        "QUERY_STRING": query,
        "REQUEST_URI": uri,
        "SERVER_PROTOCOL": version if version.startswith("HTTP/") else "HTTP/" + version,
        "wsgi.version": (1, 0),
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "cocaine.call": cocaine.current(),
    }
    for name, value in headers:
        key = name.upper().replace("-", "_")
        if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            key = "HTTP_" + key
        elif key == "CONTENT_LENGTH":
            continue  # the body says it
        environ[key] = environ[key] + ("; " if key == "HTTP_COOKIE" else ",") + value if key in environ else value
    if body or method in ("POST", "PUT", "PATCH"):
        environ["CONTENT_LENGTH"] = str(len(body))
    known = dict(headers)
    environ["wsgi.url_scheme"] = "https" if known.get("x-forwarded-proto", known.get("x-scheme", "")).lower() == "https" else "http"
    host, _, port = known.get("host", "localhost").partition(":")
    environ["SERVER_NAME"], environ["SERVER_PORT"] = host, port or ("443" if environ["wsgi.url_scheme"] == "https" else "80")
    for name in _FORWARDED_FOR:
        if name in known:
            environ.setdefault("REMOTE_ADDR", known[name].split(",")[0].strip())
    return environ
