"""
The SDK's bounds, each with its reason. The SDKs of all languages have the same names, and the same values where no reason is given here.
"""

from __future__ import annotations

# Answers that share a publish. An answer must not wait for other code that takes long: only after so many quick runs in a row are those of
# a handler batched. The number costs no throughput (tests/pipe_bench.py tells no difference between 4, 16 and 64), since it counts only
# after the start and after a slow run. So it is chosen for handlers that are quick by chance (a cache that is warm, a request that is
# empty): one that is quick every second time has so many in a row once in 2^16 times; with 4 it would be once in 16.
PROVEN_RUNS = 16

# A run is quick within this time, and answers wait no longer than this for others: a tenth of what a person notices as delay, a hundred
# times what a small handler takes.
QUICK_SECONDS = 0.001

# Calls that begin together, when each takes less than BURST_SECONDS; else the fence of each costs less than a twentieth of it. Tasks of
# async functions begin together, when their first steps take less than QUICK_SECONDS. A crash is charged to all of them, and none can be
# taken back; more of them save no time that shows.
BURST_CALLS = 16
BURST_SECONDS = 0.00001

# Between two heartbeats; the node may want them more often (COCAINE_HEARTBEAT_MS). It ends a worker that was silent for 30 s, so five may
# be late.
HEARTBEAT_SECONDS = 5.0

# A node that has read our heartbeats and not answered for so long is not there any more: it answers each at once, and waits as long for us.
NODE_SILENCE_SECONDS = 30.0

# Answers that are collected for one publish: what the node's socket takes in one read. On the pipe it is a quarter of the ring instead,
# since no record may be longer.
BATCH_BYTES = 1 << 18

# Asked of the socket at once: the node's own send buffer holds no more.
READ_BYTES = 1 << 18

# Streamed requests that handlers have not read, of all channels, where the node has no flow control. Past it nothing more is taken from
# the node, which then holds the callers back, until no more than half of it is left. Several of the longest usual chunks (1 MiB), so that
# streams side by side do not stop each other; small beside a worker's memory.
UNREAD_BYTES = 16 << 20

# Of one streamed request that its handler has not read, where the node has flow control. Past the first the node is asked to hold this
# channel's chunks, below the second to go on: as much as a socket takes at once, and a rest that the handler reads while the next chunks
# come. Then UNREAD_BYTES is not needed, and would keep from writers what they wait for.
HOLD_BYTES = 256 << 10
GO_ON_BYTES = 64 << 10

# Written by handlers until the node is listened to, which may hold their channels. A hold that is seen late costs the node
# so much.
LISTEN_BYTES = 64 << 10

# Of an error's text to the caller, as UTF-8: a reason, not a document. The node keeps no more than twice that.
FAILURE_TEXT_BYTES = 4096

# Of an error's text in the app's log, as UTF-8. The node cuts each line at 16 KiB; a few lines of that say it all.
LOG_TEXT_BYTES = 1 << 16

# One chunk of an answer: the node's bound. A longer one is refused where it is written.
CHUNK_BYTES = 64 << 20

# Python only: a chunk so long is copied only once on its way between the ring and the handler, and costs a few steps more for that. Shorter
# ones are answered in bursts, which is faster.
LONG_BYTES = 1 << 16

# Python only: messages of a long record that are looked at, one after the other, for the next long chunk. A request is three, and a record
# without long chunks is soon taken as a whole.
CUT_MESSAGES = 4

# A message: the node's bound for a chunk, 64 MiB, and room for its frame.
MESSAGE_BYTES = (64 << 20) + (1 << 16)

# Containers inside each other in a MessagePack value: more than any message has, and far from the end of the stack.
DEPTH = 32

# Calls of async functions side by side, where the manifest does not say how many. A crash is charged to all of them, and each then runs
# alone: seconds for so many. What waits for others rarely needs more, and the node starts more workers.
CONCURRENCY = 64

# Python only: that a thread waits until the loop takes what it writes. A loop that needs longer is blocked; the node has given the worker
# up by then.
THREAD_SECONDS = 30.0

# Python only: handlers of a WSGI application that are kept by event. Callers choose the names; a handful is usual.
WSGI_EVENTS = 1024

# Of what SIGUSR2 prints: tasks one by one (a worker may have a thousand), the innermost frames of each, and the awaits from one to the
# next.
STACK_TASKS = 20
STACK_FRAMES = 10
STACK_AWAITS = 100
