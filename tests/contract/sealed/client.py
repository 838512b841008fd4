"""The sealed calls that every language's client makes: python3 client.py SDK ENDPOINT APP KEY NODE-KEY"""

import sys

sdk, endpoint, app, key, node_key = sys.argv[1:]
sys.path.insert(0, sdk)

from cocaine.sealed_client import CallError, SealedClient  # noqa: E402

with SealedClient(endpoint, app, key, node_key) as client:
    for i in range(300):
        assert client.call("echo", b"hello %d" % i, request_timeout=20000, urgent=i % 2, retry_limit=1) == b"hello %d" % i
    assert client.call("echo") == b""
    large = bytes(range(256)) * 40000
    assert client.call("echo", large) == large
    assert b"".join(client.stream("echo", (b"one;", b"two;", b"three"))) == b"one;two;three"
    print(*(chunk.decode().strip() for chunk in client.stream("count", (b"3",))))
    try:
        client.call("fail", b"the reason")
    except CallError as error:
        print(error.category, error.code, error)
try:
    with SealedClient(endpoint, "another", key, node_key) as client:
        client.call("echo", b"x")
except CallError as error:
    print(error.code, error)
