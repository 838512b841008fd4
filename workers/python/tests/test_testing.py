"""The runner for apps without a node."""

import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from fake_node import HERE, SDK  # noqa: E402
from cocaine.testing import AppError, Runner  # noqa: E402

APPS = os.path.join(HERE, "apps")


def run(*words, data=b""):
    return subprocess.run(
        [sys.executable, "-m", "cocaine.testing", *words], input=data, cwd=APPS, env={"PYTHONPATH": SDK}, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, timeout=60)


class Testing(unittest.TestCase):
    def test_call(self):
        runner = Runner(os.path.join(APPS, "contract.py"))
        self.assertEqual([b"a", b"b", b"c"], runner.call("listed").chunks)
        self.assertEqual(b"ABC", runner.call("Upper", b"a", "bc").body)
        self.assertEqual([b"<1>", b"<2>"], runner.call("relay", b"1", b"2").chunks)
        self.assertEqual(b"x" * (3 << 20), runner.call("echo", b"x" * (3 << 20)).body)
        late = runner.call("raises_late")
        self.assertEqual([b"first"], late.chunks)
        self.assertEqual((1000, 502, "KeyError: 'later'"), (late.error.category, late.error.code, late.error.reason))
        self.assertEqual(404, runner.call("zork").error.code)
        with self.assertRaisesRegex(AppError, "error 42.77: mine"):
            runner.call("fails").body
        self.assertIn(b"b'trace'", runner.call("who", headers=[("trace", "7")]).body)

    def test_async(self):
        runner = Runner(os.path.join(APPS, "tasks.py"))
        self.assertEqual([b"a", b"b"], runner.call("stream", b"a b").chunks)
        self.assertEqual([b"<1>", b"<2>"], runner.call("relay", b"1", b"2").chunks)
        self.assertEqual("ValueError: async text", runner.call("raises").error.reason)

    def test_program(self):
        self.assertEqual((0, b"data"), (lambda done: (done.returncode, done.stdout))(run("contract.py", "echo", data=b"data")))
        self.assertEqual(b"<a\n><b\n>", run("contract.py", "relay", "--lines", data=b"a\nb\n").stdout)
        self.assertIn(b"(b'trace', b'7')", run("contract.py", "who", "--header", "trace=7").stdout)
        failed = run("contract.py", "raises")
        self.assertEqual((1, b""), (failed.returncode, failed.stdout))
        self.assertIn(b"in raises\n", failed.stderr)
        self.assertTrue(failed.stderr.endswith(b"error 1000.502: TypeError: text\n"))
        self.assertIn(b"module_that_is_not_there", run("broken.py", "event").stderr)


if __name__ == "__main__":
    unittest.main()
