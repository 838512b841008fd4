"""Run it with python3: it needs no node."""

import unittest

import app


class Test(unittest.TestCase):
    def test_hello(self):
        self.assertEqual(["hello, you"], list(app.hello(b"you")))
        self.assertEqual(["hello, world"], list(app.hello(b"")))


if __name__ == "__main__":
    unittest.main()
