'use strict';

// The SDK's bounds, each with its reason. The SDKs of all languages have the same names, and the same values where no reason is given here.

module.exports = {
    // Answers that share a send. An answer must not wait for other code that takes long: only after so many quick runs in a row are those
    // of a handler collected. Enough that a handler which is quick by chance (a cache that is warm, a request that is empty) seldom counts
    // as proven; more of them gain nothing: they are over in a fraction of a millisecond.
    PROVEN_RUNS: 16,

    // A run is quick within this time, and answers wait no longer than this for others: a tenth of what a person notices as delay, a
    // hundred times what a small handler takes.
    QUICK_SECONDS: 0.001,

    // Calls that begin together, when each takes less than BURST_SECONDS. A crash is charged to all of them, and none can be taken back; more
    // of them save no time that shows.
    BURST_CALLS: 16,

    // Where a call takes longer, the two system calls of its begin cost little of it.
    BURST_SECONDS: 0.00001,

    // Between two heartbeats; the node may want them more often (COCAINE_HEARTBEAT_MS). It ends a worker that was silent for 30 s, so five
    // may be late.
    HEARTBEAT_SECONDS: 5,

    // A node that has sent nothing for so long is not there any more. Four times that of the other languages: the node answers each
    // heartbeat at once, but only when it reads, and it does not read while clients are slow to take their answers. The others ask the
    // kernel whether it has read (SIOCOUTQ); Node.js cannot.
    NODE_SILENCE_SECONDS: 120,

    // Answers that are collected for one send. A quarter of that of the other languages: the buffers are made beforehand and used again,
    // up to SPARE_BUFFERS of them.
    BATCH_BYTES: 1 << 16,

    // Asked of the socket at once: the node's own send buffer holds no more.
    READ_BYTES: 1 << 18,

    // Streamed requests that handlers have not read, of all channels, where the node has no flow control. Past it nothing more is taken
    // from the node, which then holds the callers back, until no more than half of it is left. Several of the longest usual chunks (1 MiB),
    // so that streams side by side do not stop each other; small beside a worker's memory.
    UNREAD_BYTES: 16 << 20,

    // Of one streamed request that its handler has not read, where the node has flow control. Past it the node is asked to hold this
    // channel's chunks: as much as a socket takes at once. Then UNREAD_BYTES is not needed, and would keep from writers what they wait for.
    HOLD_BYTES: 256 << 10,

    // Below it the node is asked to go on: a rest that the handler reads while the next chunks come.
    GO_ON_BYTES: 64 << 10,

    // Written by handlers until they give way, so that the node is listened to: it may hold their channels. A hold that is seen late
    // costs the node so much.
    LISTEN_BYTES: 64 << 10,

    // Of an error's text to the caller, as UTF-8: a reason, not a document. The node keeps no more than twice that.
    FAILURE_TEXT_BYTES: 4096,

    // Of an error's text in the app's log, as UTF-8. The node cuts each line at 16 KiB; a few lines of that say it all.
    LOG_TEXT_BYTES: 1 << 16,

    // One chunk of an answer: the node's bound. A longer one is refused where it is written.
    CHUNK_BYTES: 64 << 20,

    // A message: the node's bound for a chunk, 64 MiB, and room for its frame.
    MESSAGE_BYTES: (64 << 20) + (1 << 16),

    // Containers inside each other in a MessagePack value: more than any message has, and far from the end of the stack.
    DEPTH: 32,

    // Calls side by side, where the manifest does not say how many. A crash is charged to all of them, and each then runs
    // alone: seconds for so many. What waits for others rarely needs more, and the node starts more workers.
    CONCURRENCY: 64,

    // JavaScript only: a longer chunk goes to the socket as it is; copying it into a batch would cost more than a write of its own.
    COPIED_BYTES: 1 << 14,

    // JavaScript only: buffers kept for the next sends, a mebibyte of them.
    SPARE_BUFFERS: 16,

    // JavaScript only: unsent answers from which on handlers that await their writes wait. Here writes do not block, so it is they that
    // would fill the memory.
    BEHIND_BYTES: 1 << 20,

    // JavaScript only: after a cancel, for a handler to end by itself; then its call is ended for it, since a promise cannot be ended from
    // outside.
    GRACE_SECONDS: 1,

    // JavaScript only: handlers that go on all the same. Past it calls stay open, and the node replaces the worker.
    ABANDONED_CALLS: 256,

    // Calls that SIGUSR2 names; a worker may have a thousand.
    STACK_CALLS: 50,
};
