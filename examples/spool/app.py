"""
Counts words that come by calls and by files, and tells the sums once a minute.

Three tasks, three functions: `event` is called by clients, `spool` when files have come into the folder, `aggregate` by a timer. Slaves
come and go and there may be many of them, so what they know together lies in files.
"""

import json
import os
import tempfile

FOLDER = os.environ.get("SPOOL_EXAMPLE", "/tmp/spool-example")
INCOMING = os.path.join(FOLDER, "in")
COUNTS = os.path.join(FOLDER, "counts")


def event(request):
    """A client's call: counts the words of the request and answers with their number."""
    words = len(request.split())
    _count("events", words)
    yield json.dumps({"words": words})


def spool():
    """
    Files came: each is counted once and removed. The request says which files they were; looking into the folder instead takes those
    along that came meanwhile, and a run that finds nothing is harmless.
    """
    files = words = 0
    for name in sorted(os.listdir(INCOMING)):
        path = os.path.join(INCOMING, name)
        mine = os.path.join(FOLDER, "taken-%d-%s" % (os.getpid(), name))
        try:
            os.rename(path, mine)  # of two slaves that see the file, one gets it
        except OSError:
            continue
        with open(mine, "rb") as file:
            words += len(file.read().split())
        os.remove(mine)
        files += 1
    if files:
        _count("files", words)
        yield json.dumps({"files": files, "words": words})


def aggregate():
    """The minute is over: the sums since the last time, published on the pubsub socket, a field each."""
    sums = {"events": 0, "files": 0, "words": 0}
    for name in os.listdir(COUNTS):
        path = os.path.join(COUNTS, name)
        try:
            with open(path) as file:
                kind, words = file.read().split()
            os.remove(path)
        except FileNotFoundError:
            continue  # a run that overlaps with this one has it
        sums[kind] += 1
        sums["words"] += int(words)
    yield json.dumps(sums)


def _count(kind, words):
    """Leaves a note for aggregate. It appears under its name when it is whole."""
    descriptor, draft = tempfile.mkstemp(dir=FOLDER)
    with os.fdopen(descriptor, "w") as file:
        file.write("%s %d" % (kind, words))
    os.rename(draft, os.path.join(COUNTS, os.path.basename(draft)))


for _folder in (INCOMING, COUNTS):
    os.makedirs(_folder, exist_ok=True)
