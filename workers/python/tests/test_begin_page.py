"""The page beside the socket: what the worker stores in it, and what it reads."""

import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from cocaine.begin_page import BEGUN_AT, MAGIC, MOST_AT, PAGE_BYTES, RECALL_AT, BeginPage, open_page


@unittest.skipUnless(os.uname().machine == "x86_64", "the page is for x86-64")
class BeginPageTest(unittest.TestCase):
    def page(self, magic=MAGIC, size=PAGE_BYTES, most=1):
        self.file = tempfile.TemporaryFile()
        self.addCleanup(self.file.close)
        descriptor = self.file.fileno()
        os.truncate(descriptor, size)
        os.pwrite(descriptor, magic, 0)
        self.put(MOST_AT, most)
        os.set_inheritable(descriptor, True)
        os.environ["COCAINE_BEGIN_PAGE"] = str(descriptor)
        return descriptor

    def put(self, at, value):
        os.pwrite(self.file.fileno(), value.to_bytes(4, "little"), at)

    def begun(self):
        words = os.pread(self.file.fileno(), 16, BEGUN_AT)
        self.assertEqual(words[:8], words[8:])
        return int.from_bytes(words[:8], "little")

    def test_the_process_takes_the_page_and_hides_it(self):
        descriptor = self.page()
        self.assertEqual(open_page(), descriptor)
        self.assertNotIn("COCAINE_BEGIN_PAGE", os.environ)
        self.assertFalse(os.get_inheritable(descriptor))
        self.assertEqual(open_page(), -1)

    def test_what_is_no_such_page_is_not_used(self):
        for page in {"magic": b"CBEGIN99"}, {"size": PAGE_BYTES * 2}, {"size": 100}:
            with self.subTest(page):
                self.page(**page)
                self.assertEqual(open_page(), -1)
        for name in "", "-1", "x", "3 ", "99999", "1" * 30:
            with self.subTest(name):
                os.environ["COCAINE_BEGIN_PAGE"] = name
                self.assertEqual(open_page(), -1)

    def test_begun_grows_and_a_recall_stops_what_would_begin(self):
        page = BeginPage(self.page(most=7))
        self.assertEqual((page.most_begun, self.begun()), (7, 1))
        self.assertTrue(page.begin(5))
        self.assertTrue(page.begin(4))
        self.assertEqual(self.begun(), 5)
        self.put(RECALL_AT, 1)
        self.assertFalse(page.begin(1 << 40))
        self.assertTrue(page.is_recalling)
        self.assertEqual(self.begun(), 1 << 40)
        page.recalled(1)
        self.assertFalse(page.is_recalling)
        self.assertTrue(page.begin(6))
        self.put(RECALL_AT, 2)
        self.assertFalse(page.begin(6))

    def test_a_page_without_a_bound(self):
        self.assertEqual(BeginPage(self.page(most=0)).most_begun, sys.maxsize)


if __name__ == "__main__":
    unittest.main()
