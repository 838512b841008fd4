"""A Python with half of its standard library, as Debian's python3-minimal: the worker does without, or says what to install."""

import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from test_contract import Cases  # noqa: E402

# A module of this name is imported before everything else.
SITE = """
import sys

MISSING = {"mmap", "asyncio", "_asyncio", "contextvars", "_contextvars", "concurrent", "multiprocessing", "queue", "_queue", "json", "_json",
           "ctypes", "_ctypes", "uuid", "unittest", "decimal", "_ssl", "_hashlib", "http", "html", "xml", "shlex", "socketserver", "timeit"}


class Finder:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in MISSING:
            raise ModuleNotFoundError("No module named %r" % name, name=name)


sys.meta_path.insert(0, Finder())
"""


class Minimal(Cases, unittest.TestCase):
    options = {"pipe": False}
    app = "contract.py"

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        with open(os.path.join(folder.name, "sitecustomize.py"), "w") as file:
            file.write(SITE)
        self.options = {"pipe": False, "env": {"PYTHONPATH": folder.name, "COCAINE_PIPE": "1"}}  # the pipe is allowed, and cannot be used
        super().setUp()

    def test_serves_on_the_socket(self):
        self.assertAnswer([b"data"], "echo", b"data")
        self.assertAnswer([b"<x>"], "relay", b"x")
        self.assertIn(b"test who u-1", self.node.call("who")[0][0])
        self.ends_well()

    def test_says_what_an_async_app_lacks(self):
        node = self.start("async_only.py")
        self.assertIsNone(node.sock)
        self.assertEqual(1, node.exit_code())
        self.assertRegex(node.stderr().splitlines()[-1], r"^cocaine: (asyncio|contextvars|_contextvars|concurrent\S*) is part of .*: apt-get install python3$")


if __name__ == "__main__":
    unittest.main()
