"""
What the SDK imports late. The app's folder comes first on the path, so a file of the app's called socket.py or select.py stands where the
SDK, and asyncio below it, mean the standard library's. What every worker needs is imported before the app is loaded; the rest is imported
within `with APART:`.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

_folders: list[str] = []  # the app's, on the path


def add_folder(folder: str) -> None:
    """The app's own folder comes first on the path, so it finds its modules."""
    sys.path.insert(0, folder)
    _folders.append(folder)


def is_standard(name: str) -> bool:
    """Whether a module of the standard library has this name, or any that is there already. (Python 3.9 has no list of them.)"""
    return name in sys.modules or name in getattr(sys, "stdlib_module_names", ())


class _Apart:
    """Takes the app's folders from the path, and out of the way what the app has imported under a name of the standard library."""

    def __enter__(self) -> None:
        self._path = sys.path
        sys.path = [entry for entry in sys.path if entry not in _folders]
        self._modules = {name: module for name, module in list(sys.modules.items()) if _is_in_the_way(name, module)}
        for name in self._modules:
            del sys.modules[name]

    def __exit__(self, *failure: object) -> None:
        sys.path = self._path
        sys.modules.update(self._modules)


def _is_in_the_way(name: str, module: ModuleType) -> bool:
    path = getattr(module, "__file__", None)
    return (type(path) is str and path.startswith(tuple(folder + "/" for folder in _folders))
            and name.partition(".")[0] in getattr(sys, "stdlib_module_names", ()))


APART = _Apart()
