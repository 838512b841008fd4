"""The SDK's modules use each other in one direction, also where only types are meant."""

import ast
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from fake_node import SDK  # noqa: E402

FOLDER = os.path.join(SDK, "cocaine")
MODULES = {name[:-3] for name in os.listdir(FOLDER) if name.endswith(".py")}


def imports_of(module):
    """The modules that this one names in an import, wherever it stands. __init__ is the package itself."""
    with open(os.path.join(FOLDER, module + ".py")) as file:
        tree = ast.parse(file.read())
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ("__init__" for alias in node.names if alias.name == "cocaine")
            yield from (alias.name.split(".")[1] for alias in node.names if alias.name.startswith("cocaine."))
        elif isinstance(node, ast.ImportFrom) and node.level == 1:
            names = [node.module] if node.module else [alias.name if alias.name in MODULES else "__init__" for alias in node.names]
            yield from names


def circles(graph):
    """Groups of modules that reach each other, of two or more."""
    def reach(start):
        seen, todo = set(), [start]
        while todo:
            for other in graph[todo.pop()]:
                if other not in seen:
                    seen.add(other)
                    todo.append(other)
        return seen

    reached = {module: reach(module) for module in graph}
    return sorted({tuple(sorted(other for other in reached[module] if module in reached[other])) for module in graph} - {()})


class Imports(unittest.TestCase):
    def test_no_circle(self):
        graph = {module: set(imports_of(module)) for module in MODULES}
        self.assertIn("input", graph["session"])
        self.assertIn("call", graph["__init__"])  # an import for types only counts, too
        self.assertEqual([], circles(graph))

    def test_a_circle_would_be_seen(self):
        self.assertEqual([("a", "b")], circles({"a": {"b"}, "b": {"c", "a"}, "c": set()}))


if __name__ == "__main__":
    unittest.main()
