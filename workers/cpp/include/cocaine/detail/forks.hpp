// Children that an app's code forks.
#pragma once

#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>

namespace cocaine::detail {

// Set in such a child before fork() returns there. One thread at a time reads or writes it in a process, so relaxed is enough.
inline std::atomic<bool> is_forked_child{false};

inline void watch_forks() {
    static const int registered = ::pthread_atfork(nullptr, nullptr, [] { is_forked_child.store(true, std::memory_order_relaxed); });
    (void)registered;
}

// A child that comes back into the SDK (its handler returns or throws, an exec in it failed) has the worker's whole memory, the pipe
// included, and would be a second worker on it. It ends here, without the destructors of what is the parent's.
inline void end_forked_child(int code) {
    if (!is_forked_child.load(std::memory_order_relaxed)) return;
    std::fflush(stdout);
    ::_exit(code);
}

// The same for one that tries to answer.
inline void end_writing_child() {
    if (!is_forked_child.load(std::memory_order_relaxed)) return;
    std::fprintf(stderr, "cocaine: a forked child cannot answer: it may tell its parent what to write, through a pipe\n");
    ::_exit(1);
}

}  // namespace cocaine::detail
