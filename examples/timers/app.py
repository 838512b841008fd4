"""One function for each timer of the manifest. What they answer is published, when the app has a pubsub socket."""

import json
import random
import time


def beat():
    """Every second, counted from the start; jobs may overlap."""
    yield json.dumps({"time": time.time()})


def poll():
    """Two seconds after the last poll has ended, however long that took."""
    time.sleep(random.random())
    print("polled")


def nightly():
    """At half past two in Berlin; once the node is awake again, if it slept then."""
    print("a new day")


def plan():
    """Says itself when it runs next: here after one to five seconds."""
    pause = random.randint(1, 5)
    print("planned in %d s" % pause)
    yield json.dumps({"pause": pause})
    yield str(time.time() + pause)
