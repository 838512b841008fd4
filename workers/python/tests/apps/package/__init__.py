"""An app that is a folder."""

from helper import shout  # the app's own folder is on the path
from . import helper  # noqa: F401


def event(request):
    return shout(request)
