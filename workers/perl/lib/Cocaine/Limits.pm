package Cocaine::Limits;

# Every number that bounds something in this SDK, with its reason. The SDKs of all languages have the same names; where their values differ
# the reason says why.

use 5.030;
use strict;
use warnings;
use Exporter   qw(import);
use List::Util qw(min);

our @EXPORT_OK = qw(
    PROVEN_RUNS QUICK_SECONDS BURST_CALLS BURST_SECONDS HEARTBEAT_SECONDS NODE_SILENCE_SECONDS BATCH_BYTES READ_BYTES UNREAD_BYTES
    HOLD_BYTES GO_ON_BYTES LISTEN_BYTES CHUNK_BYTES MESSAGE_BYTES DEPTH FAILURE_TEXT_BYTES LOG_TEXT_BYTES STACK_FRAMES
);

use constant {
    # Quick runs in a row after which a handler's answers are collected. One lucky run proves nothing, and a slow handler is found out by
    # its first slow run anyway: so few are enough.
    PROVEN_RUNS => 16,

    # An answer waits no longer than this for others, and a run that takes longer is not quick. A caller does not notice a millisecond.
    QUICK_SECONDS => 0.001,

    # Calls that begin together, when each takes less than BURST_SECONDS; else the two system calls of each begin cost little of it. A crash
    # is charged to all of them, and none can be taken back; more of them save no time that shows.
    BURST_CALLS => 16, BURST_SECONDS => 0.00001,

    # The protocol's: a heartbeat every 5 s. The node may want one more often.
    HEARTBEAT_SECONDS => min(5, ($ENV{COCAINE_HEARTBEAT_MS} || 5000) / 1000),

    # A node that reads our heartbeats answers each at once: six in a row without an answer, and nobody is there. Time in which the node
    # does not read, or we do not, is not counted.
    NODE_SILENCE_SECONDS => 30,

    # Collected answers that are sent though more could come, so that the node starts on them: as much as a socket takes at once.
    BATCH_BYTES => 1 << 18,

    # Asked for by one read: what a socket holds.
    READ_BYTES => 1 << 18,

    # Chunks that no handler has read, where the node has no flow control of one channel. While there are more, a handler that writes takes
    # nothing more from the socket, and the node keeps what it sends. The same as in JavaScript: a quarter of the largest message, far more
    # than a stream needs to be under way.
    UNREAD_BYTES => 16 << 20,

    # Of one streamed request that its handler has not read, where the node has flow control. Past the first the node is asked to hold this
    # channel's chunks, below the second to go on: as much as a socket takes at once, and a rest that the handler reads while the next
    # chunks come. Then UNREAD_BYTES is not needed, and would keep from writers what they wait for.
    HOLD_BYTES => 256 << 10, GO_ON_BYTES => 64 << 10,

    # Written by handlers until the node is listened to, which may hold their channels. A hold that is seen late costs the node so much.
    LISTEN_BYTES => 64 << 10,

    # One chunk of an answer: the node's bound. A longer one is refused where it is written.
    CHUNK_BYTES => 64 << 20,

    # The node's bound for a message, 64 MiB, and room for its frame.
    MESSAGE_BYTES => (64 << 20) + (1 << 16),

    # Arrays and maps in each other, when they are read or written. The protocol needs four; more costs a recursion each.
    DEPTH => 32,

    # Of an error's text to the caller: a reason, not a document. The protocol allows 4096 characters.
    FAILURE_TEXT_BYTES => 4096,

    # Of an error's text in the log, which keeps 16 KiB of a line: enough for a long stack.
    LOG_TEXT_BYTES => 1 << 16,

    # Of the stack that SIGUSR2 prints: deeper ones are recursions, which repeat themselves.
    STACK_FRAMES => 50,
};

1;
