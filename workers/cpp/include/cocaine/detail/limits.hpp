// Every number that bounds something in this SDK, with its reason. The SDKs of all languages have the same names; where their values differ
// the reason says why. Three of their names are not here:
//
// proven_runs            how a handler is declared says whether it is quick: on() and on_stream(), or on_thread()
// node_silence_seconds   the socket's end tells that the node is gone; a node that is stopped holds no more here than a worker that waits
// depth                  values that the protocol does not know are skipped without recursion, however deep they are
#pragma once

#include <cstddef>
#include <cstdint>

namespace cocaine::detail::limits {

// An answer waits no longer than this for others. A caller does not notice a millisecond.
inline constexpr double quick_seconds = 0.001;

// The protocol's. The node may want one more often.
inline constexpr double heartbeat_seconds = 5;

// Answers that are shown together at most, so that the node starts on them: a fraction of the usual ring of 1 MiB, where the scripting
// languages' 256 KiB would fill it.
inline constexpr std::size_t batch_bytes = 32 << 10;

// A longer chunk goes to the link by itself: copied once only.
inline constexpr std::size_t long_chunk_bytes = 16 << 10;

// Asked for by one read of the socket. Between two reads what was read is handled, so the cache still has it.
inline constexpr std::size_t read_bytes = 64 << 10;

// Reads of the socket in a row: answers must leave though the node sends and sends.
inline constexpr int reads_in_a_row = 16;

// Chunks that no handler has read, where the node has no flow control of one channel. While threads have more, or while answers wait for
// room and the loop has more, nothing more is taken from the link, and the node keeps what it sends. Half of what the scripting languages
// have: those take in 256 KiB at once, and this a few messages.
inline constexpr std::size_t unread_bytes = 8 << 20;

// Of one streamed request that its handler has not read, where the node has flow control. Past the first the node is asked to hold this
// channel's chunks, below the second to go on: as much as a socket takes at once, and a rest that the handler reads while the next chunks
// come. Then unread_bytes is not needed, and would keep from writers what they wait for.
inline constexpr std::size_t hold_bytes = 256 << 10;
inline constexpr std::size_t go_on_bytes = 64 << 10;

// Written by handlers on the loop until the node is listened to, which may hold their channels. A hold that is seen late costs it so much.
inline constexpr std::size_t listen_bytes = 64 << 10;

// The node's bound for a chunk, and for a message with its frame.
inline constexpr std::size_t chunk_bytes = std::size_t{64} << 20;
inline constexpr std::size_t message_bytes = chunk_bytes + (64 << 10);

// Of an error's text to the caller: a reason, not a document. The protocol allows 4096 characters.
inline constexpr std::size_t failure_text_bytes = 4096;

// Of an error's text in the log, which keeps 16 KiB of a line: enough for a long one.
inline constexpr std::size_t log_text_bytes = 64 << 10;

// Of other threads' chunks that wait for the loop, from which their writers wait: as much as the usual ring.
inline constexpr std::size_t posted_bytes = 1 << 20;

// Of the queue's own, counted for each of them, so that many empty ones have a bound too.
inline constexpr std::size_t posted_overhead_bytes = 64;

// Threads for handlers of on_thread(): the largest engine.concurrency that is of use; more calls queue.
inline constexpr std::size_t threads = 1024;

// A call's buffer that is kept for the next one. A larger one goes, so that one large request does not stay in memory.
inline constexpr std::size_t kept_buffer_bytes = 64 << 10;

// An event's name, as the node bounds it, and a uuid, which goes as bin 8.
inline constexpr std::size_t event_bytes = 256;
inline constexpr std::size_t uuid_bytes = 255;

// The answer to the handshake has a few bytes.
inline constexpr std::size_t handshake_answer_bytes = 256;

// For the last answers to be read before the worker ends; the termination-timeout is 5 s.
inline constexpr int drain_ms = 2000;

// For a look at what comes in while there is no room: the pipe rings when there is some, the socket is asked for both at once.
inline constexpr int pipe_room_ms = 1000;
inline constexpr int socket_room_ms = 50;

// What the node's spin may be at most: a second of it would be a fault.
inline constexpr std::uint32_t spin_us = 1000000;

// Of a stack that SIGUSR2 prints; deeper ones are recursions. A worker may have a thousand threads: so many tell enough.
inline constexpr int stack_frames = 64;
inline constexpr int stack_threads = 64;
inline constexpr int stack_turn_ms = 200;    // that a thread waits for its turn to print

}  // namespace cocaine::detail::limits
