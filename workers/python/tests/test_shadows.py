"""Files of the app's that have names of the standard library's modules stand first on the path, and are for the app alone."""

import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from fake_node import FakeNode  # noqa: E402

PLAIN = """
def echo(request):
    return request

def fails(request):
    raise ValueError("x" * (1 << 17))  # so long that the log gets a part of it

def relay(request, response):
    for chunk in request:
        response.write(chunk)
"""

ASYNC = """
import asyncio

async def echo(request):
    await asyncio.sleep(0)
    return await asyncio.to_thread(bytes, request)

async def fails(request):
    raise ValueError("x" * (1 << 17))

async def relay(request, response):
    async for chunk in request:
        await response.write(chunk)
"""

# Its async functions are seen only when it is loaded.
LATE = """
from handlers import echo, fails, relay
__all__ = ["echo", "fails", "relay"]
"""

NAMES = sorted(name for name in getattr(sys, "stdlib_module_names", ("select", "socket", "struct", "mmap", "asyncio", "selectors", "traceback"))
               if not name.startswith("_"))


class Shadows(unittest.TestCase):
    def serves(self, source, options):
        node = FakeNode(source, **options)
        try:
            self.assertEqual([b"data"], node.call("echo", b"data")[0])
            self.assertEqual([b"a", b"b"], node.call("relay", b"a", b"b")[0])
            self.assertEqual([1000, 502], node.call("fails", b"")[1][0])
            self.assertEqual([b"on"], node.call("echo", b"on")[0])
            node.terminate()
            self.assertEqual(0, node.exit_code(), node.stderr())
        finally:
            node.close()

    def each(self, check):
        for text in PLAIN, ASYNC:
            for options in {"capacity": 1 << 16}, {"pipe": False}:
                check(text, options)

    def test_the_app_itself_has_such_a_name(self):
        def check(text, options):
            for name in "select", "socket", "struct", "selectors", "mmap", "asyncio", "traceback", "queue":
                with tempfile.TemporaryDirectory() as folder, self.subTest(name=name, options=options):
                    source = os.path.join(folder, name + ".py")
                    with open(source, "w") as file:
                        file.write(text)
                    self.serves(source, options)
        self.each(check)

    def test_all_the_names_are_taken_by_files_that_no_one_should_load(self):
        def check(text, options):
            with tempfile.TemporaryDirectory() as folder, self.subTest(options=options):
                for name in NAMES:
                    with open(os.path.join(folder, name + ".py"), "w") as file:
                        file.write("raise SystemExit('the SDK has loaded the %s of the app')" % name)
                source = os.path.join(folder, "app.py")
                with open(source, "w") as file:
                    file.write(text)
                self.serves(source, options)
        self.each(check)

    def test_async_functions_that_come_from_another_file(self):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in ("app", LATE), ("handlers", ASYNC.replace("import asyncio", "").replace("await asyncio.sleep(0)", "pass")
                                              .replace("await asyncio.to_thread(bytes, request)", "request")):
                with open(os.path.join(folder, name + ".py"), "w") as file:
                    file.write(text)
            for name in "socket", "selectors", "concurrent", "signal":
                with open(os.path.join(folder, name + ".py"), "w") as file:
                    file.write("raise SystemExit('the SDK has loaded the %s of the app')" % name)
            with open(os.path.join(folder, "selectors.py"), "w") as file:
                file.write("mine = 1")
            with open(os.path.join(folder, "handlers.py"), "a") as file:
                file.write("\nimport selectors\nassert selectors.mine == 1\n")
            for options in {"capacity": 1 << 16}, {"pipe": False}:
                self.serves(os.path.join(folder, "app.py"), options)


if __name__ == "__main__":
    unittest.main()
