"""The app: its module, and the handlers in it."""

from __future__ import annotations

import os
import sys

from .apart import add_folder, is_standard
from .call import Call

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

_VARARGS, _GENERATOR, _COROUTINE, _ASYNC_GENERATOR = 0x04, 0x20, 0x80, 0x200  # inspect.CO_*, without importing inspect

NOTHING, BODY, STREAMS = 0, 1, 2  # what a handler takes


class Handler(Call):
    """A function of the app, and how to call it. Stands for the call too when nothing is special about it: see cocaine.current."""

    __slots__ = ("event", "app", "function", "invoke", "takes", "is_async", "streak")

    header_items = (80, 81, 82)

    def __init__(self, name: str, app: str, function: Callable[..., Any]) -> None:
        self.event = name
        self.app = app
        self.function = function
        self.takes, self.is_async = _shape_of(function)
        self.invoke = function if self.takes != NOTHING else (lambda body: function())
        self.streak = 0


class App:
    """The module, loaded."""

    def __init__(self, name: str, source: str) -> None:
        self.name = name
        self.folder, self.module = load(source)
        self._handlers = {}
        self.has_async = any(handler is not None and handler.is_async for handler in map(self._make, list(vars(self.module))))

    def find(self, event: bytes) -> Handler | None:
        """The handler of an event, by its bytes, or None."""
        handler = self._handlers.get(event)
        if handler is None:
            handler = self._make(event.decode("utf-8", "replace"))
            if handler is not None:
                self._handlers[event] = handler
        return handler

    def _make(self, name: str) -> Handler | None:
        target = getattr(self.module, name, None)
        return Handler(name, self.name, target) if callable(target) and self._serves(name, target) else None

    def _serves(self, name: str, target: Any) -> bool:
        """
        Callers choose names, so not all that the module can see is served: what __all__ lists, or else public callables
        whose code lies in the app's folder. `from os import system` makes no event.
        """
        listed = getattr(self.module, "__all__", None)
        if listed is not None:
            return name in listed
        if name.startswith("_"):
            return False
        module = sys.modules.get(getattr(target, "__module__", None))
        if module is self.module:
            return True
        path = getattr(module, "__file__", None)
        return path is not None and os.path.abspath(path).startswith(self.folder + os.sep)


def _file_of(source: str) -> str:
    path = os.path.abspath(source)
    return os.path.join(path, "__init__.py") if os.path.isdir(path) else path


def mentions_async(source: str) -> bool:
    """Whether the app has async functions, as it seems before it is loaded."""
    try:
        with open(_file_of(source), "rb") as file:
            return b"async" in file.read()
    except OSError:
        return False  # load says what is wrong


def load(source: str) -> tuple[str, ModuleType]:
    """A file, or a folder with __init__.py."""
    # importlib.util gives the same two under its name, and takes milliseconds to import.
    from _frozen_importlib import module_from_spec
    from _frozen_importlib_external import SourceFileLoader, spec_from_file_location

    path = _file_of(source)
    folder = os.path.dirname(path)
    is_package = os.path.basename(path) == "__init__.py"
    name = os.path.basename(folder) if is_package else os.path.splitext(os.path.basename(path))[0]
    name = name.replace(".", "_")
    if is_standard(name):
        name = "app_" + name
    add_folder(folder)
    spec = spec_from_file_location(name, path, submodule_search_locations=[folder] if is_package else None)
    if spec is None:
        raise ImportError("%s is not a Python file" % path)
    module = module_from_spec(spec)
    sys.modules[name] = module
    if isinstance(spec.loader, SourceFileLoader):
        # Not by the cache of compiled files: one of the same second and length counts as the same there, and new code would not run.
        exec(spec.loader.source_to_code(spec.loader.get_data(path), path), module.__dict__)
    else:
        spec.loader.exec_module(module)
    return folder, module


def _shape_of(target: Any) -> tuple[int, bool]:
    """(what it takes, whether it is async) of anything that can be called."""
    outer = target
    if isinstance(target, type):
        target = target.__init__
        bound = 1
    else:
        if not hasattr(target, "__code__") and not hasattr(target, "__func__"):
            call = getattr(type(target), "__call__", None)
            target = call if hasattr(call, "__code__") else target
        bound = 1 if target is not outer or hasattr(target, "__self__") else 0
    flags = getattr(getattr(target, "__code__", None), "co_flags", 0)
    while hasattr(target, "__wrapped__"):
        target = target.__wrapped__
    code = getattr(target, "__code__", None)
    if code is None:
        return (NOTHING if isinstance(outer, type) else BODY), False
    most = code.co_argcount - bound
    least = most - len(target.__defaults__ or ())
    takes = STREAMS if least >= 2 else BODY if most >= 1 or code.co_flags & _VARARGS else NOTHING
    return takes, bool(flags & (_COROUTINE | _ASYNC_GENERATOR)) and not isinstance(outer, type)
