"""Python's limits and JavaScript's have the same names, and the same values where the reason says nothing else."""

import os
import re
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from fake_node import SDK  # noqa: E402
from cocaine import limits  # noqa: E402

OTHER_VALUES = {"NODE_SILENCE_SECONDS", "BATCH_BYTES"}


def in_python():
    """(value, reason) of each name; a reason is the comment above it, or above its neighbours."""
    with open(limits.__file__) as file:
        parts = re.findall(r"((?:^#.*\n)+)((?:^[A-Z_]+ = .*\n)+)", file.read(), re.MULTILINE)
    return {name: (getattr(limits, name), reason) for reason, names in parts for name in re.findall(r"^[A-Z_]+", names, re.MULTILINE)}


def in_javascript():
    with open(os.path.join(os.path.dirname(SDK), "javascript", "lib", "limits.js")) as file:
        parts = re.findall(r"((?:^    //.*\n)+)^    ([A-Z_]+): ([0-9.<+() ]+),$", file.read(), re.MULTILINE)
    return {name: (eval(value), reason) for reason, name, value in parts}


class Limits(unittest.TestCase):
    def test_every_one_has_a_reason(self):
        self.assertEqual({name for name in vars(limits) if name.isupper()}, set(in_python()))

    def test_names_and_values(self):
        ours, others = in_python(), in_javascript()
        for name in set(ours) | set(others):
            if name in ours and name in others:
                self.assertEqual(name in OTHER_VALUES, ours[name][0] != others[name][0], name)
            elif not name.startswith("STACK_"):  # what is on a stack is another thing in each language
                reason = (ours.get(name) or others[name])[1]
                self.assertRegex(reason, "^ *(#|//) (Python|JavaScript) only:", name)
        self.assertLessEqual(OTHER_VALUES, set(ours) & set(others))


if __name__ == "__main__":
    unittest.main()
