// The way to the node: the shared-memory pipe (pipe.hpp), or the socket (socket.hpp). Both belong to the worker's loop thread; only ring()
// may be called by others.
#pragma once

#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string_view>

#include "begin.hpp"
#include "frames.hpp"

namespace cocaine::detail {

// The node has put something into the pipe that must not be there: the worker ends with code 70.
struct broken_pipe : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// The node is gone, or has given this worker up.
struct abandoned : std::runtime_error {
    using std::runtime_error::runtime_error;
};

inline std::int64_t now_us() {
    return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// What a link does for the session while it has to wait: takes in messages, and nothing else.
struct listener {
    virtual ~listener() = default;
    virtual void take(const message& m) = 0;
    virtual bool while_blocked() = 0;    // false when it has no room for more
};

class link {
public:
    virtual ~link() = default;

    // Gives every message that has come to the listener. False when there was none.
    virtual bool take(listener& to) = 0;

    // Whole messages, in two parts (a head and a long payload). Waits for room.
    virtual void send(std::string_view first, std::string_view second, listener& meanwhile) = 0;

    // Until something comes, ring() is called or the time is over.
    virtual void wait(int timeout_ms) = 0;

    // The same, but what comes stays where it is: until ring() is called or the time is over.
    virtual void wait_for_ring(int timeout_ms) = 0;

    // Wakes either, from any thread.
    virtual void ring() = 0;

    // Where both sides see what is begun; on a socket without a page nowhere.
    virtual begin_words words() const { return {}; }

    // After the last message: until the node has it, or the time is over.
    virtual void drain(int timeout_ms) = 0;
};

inline void ring_bell(int descriptor) {
    std::uint64_t one = 1;
    // It fails only when its count is at the limit: then it has been rung more than enough.
    [[maybe_unused]] ssize_t written = ::write(descriptor, &one, 8);
}

}  // namespace cocaine::detail
