"""Both ways to the node have what link.py says, with the same parameters."""

import ast
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from fake_node import SDK  # noqa: E402


def members(module, name):
    """Of a class: each public method's parameters, and None for what is no method."""
    with open(os.path.join(SDK, "cocaine", module + ".py")) as file:
        tree = ast.parse(file.read())
    found = {}
    for node in ast.walk(next(node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name == name)):
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            is_property = any(ast.unparse(decorator) == "property" for decorator in node.decorator_list)
            found[node.name] = None if is_property else [parameter.arg for parameter in node.args.args]
        elif isinstance(node, ast.AnnAssign):
            found[node.target.id] = None
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                for part in target.elts if isinstance(target, ast.Tuple) else [target]:
                    if isinstance(part, ast.Name) or isinstance(part, ast.Attribute) and ast.unparse(part.value) == "self":
                        found.setdefault(getattr(part, "attr", None) or part.id, None)
    return found


class Links(unittest.TestCase):
    def test_each_has_all_of_it(self):
        wanted = members("link", "Link")
        self.assertIn("fetch", wanted)
        for module, name in ("pipe", "Pipe"), ("socket_link", "SocketLink"):
            there = members(module, name)
            self.assertEqual(wanted, {member: there.get(member, "missing") for member in wanted})


if __name__ == "__main__":
    unittest.main()
