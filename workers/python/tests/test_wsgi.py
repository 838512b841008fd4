"""WSGI applications."""

import json
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from fake_node import FakeNode, HERE, msgpack  # noqa: E402
from cocaine.testing import Runner  # noqa: E402

APP = os.path.join(HERE, "apps", "wsgi.py")
ARRAY = msgpack.packb(["POST", "/a%20b/%C3%BC?x=1&y=%20", "1.1", [["Host", "example.org:8080"], ["X-Real-IP", "10.0.0.1"],
                                                                    ["Content-Type", "text/plain"], ["Content-Length", "99"],
                                                                    ["Accept", "a"], ["Accept", "b"]], b"the body"])
MAP = msgpack.packb({"method": "GET", "uri": "http://h/p", "headers": {"X-Forwarded-Proto": "https"}})


def call(name, request):
    return Runner(APP, wsgi=name).call("http", request)


class Wsgi(unittest.TestCase):
    def test_array_form(self):
        answer = call("application", ARRAY)
        self.assertIsNone(answer.error)
        head, shown, body = answer.chunks
        self.assertEqual([201, [["Content-Type", "application/json"], ["Set-Cookie", "a=1"], ["Set-Cookie", "b=2"]]], msgpack.unpackb(head))
        self.assertEqual(b"the body", body)
        environ = json.loads(shown)
        expected = {"REQUEST_METHOD": "POST", "SCRIPT_NAME": "", "PATH_INFO": "/a b/\u00c3\u00bc", "QUERY_STRING": "x=1&y=%20",
                    "SERVER_PROTOCOL": "HTTP/1.1", "SERVER_NAME": "example.org", "SERVER_PORT": "8080", "REMOTE_ADDR": "10.0.0.1",
                    "CONTENT_TYPE": "text/plain", "CONTENT_LENGTH": "8", "HTTP_ACCEPT": "a,b", "wsgi.url_scheme": "http"}
        self.assertEqual(expected, {key: environ.get(key) for key in expected})
        self.assertNotIn("HTTP_CONTENT_LENGTH", environ)

    def test_map_form(self):
        answer = call("application", MAP)
        self.assertEqual(201, msgpack.unpackb(answer.chunks[0])["code"])
        environ = json.loads(answer.chunks[1])
        self.assertEqual(("GET", "/p", "https", "443", "localhost"),
                         tuple(environ[key] for key in ("REQUEST_METHOD", "PATH_INFO", "wsgi.url_scheme", "SERVER_PORT", "SERVER_NAME")))

    def test_heads(self):
        self.assertEqual([[204, []]], [msgpack.unpackb(chunk) for chunk in call("empty", ARRAY).chunks])
        self.assertEqual([[204, []]], [msgpack.unpackb(chunk) for chunk in call("Nested.wsgi", ARRAY).chunks])
        self.assertEqual([msgpack.packb([500, []]), b"page"], call("replaces", ARRAY).chunks)

    def test_failures(self):
        self.assertEqual("ValueError: no page", call("fails", ARRAY).error.reason)
        runner = Runner(APP, wsgi="fails_late")
        late = runner.call("http", ARRAY)
        self.assertEqual([b"written", b"first"], late.chunks[1:])
        self.assertEqual((1000, 502, "KeyError: 'late'"), (late.error.category, late.error.code, late.error.reason))
        self.assertEqual(1, runner._app.module.Closing.closed)
        self.assertIn("before it called start_response", call("silent", ARRAY).error.reason)
        for request in b"", b"text", msgpack.packb([1]), msgpack.packb({}), msgpack.packb(["GET", "/", "1.1", 5, b""]):
            self.assertIn("not an HTTP request", call("application", request).error.reason)

    def test_as_a_worker(self):
        node = FakeNode(APP, pipe=False, words=("--wsgi", "application"))
        self.addCleanup(node.close)
        for _ in range(70):
            chunks, end = node.call("http", ARRAY)
            self.assertEqual(([], 201), (end, msgpack.unpackb(chunks[0])[0]))
        for name, reason in ("missing", "has no attribute 'missing'"), ("not_callable", "cannot be called"):
            broken = FakeNode(APP, pipe=False, words=("--wsgi", name))
            self.addCleanup(broken.close)
            self.assertEqual(1, broken.exit_code())
            self.assertIn(reason, broken.stderr())


if __name__ == "__main__":
    unittest.main()
