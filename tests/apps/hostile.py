"""An app whose every text tries to drive the terminal of who looks."""

import os
import sys

EVIL = "\033]0;title\007\033[2J\r\u009b31m\u202eevil"


def answer(request):
    yield EVIL + "\n"


def fail(request):
    raise ValueError(EVIL + "\n" + EVIL)


def write(request):
    print(EVIL, flush=True)
    print(EVIL, file=sys.stderr, flush=True)
    yield "written"


def die(request):
    print(EVIL, file=sys.stderr, flush=True)
    os._exit(3)
