// SIGUSR2 prints the stacks of all threads to stderr. The node sends it before it kills a worker that hangs, and so may anybody.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include "limits.hpp"

#if defined(__has_include)
#if __has_include(<execinfo.h>)
#include <execinfo.h>
#define COCAINE_HAS_BACKTRACE 1
#endif
#endif

namespace cocaine::detail {

// Everything below runs in a signal's handler: no allocation, no locks but the one here, no stdio.
class stack_printer {
public:
    // Leaves a handler of the app's alone.
    static void install() {
#ifdef COCAINE_HAS_BACKTRACE
        struct sigaction before {};
        if (::sigaction(SIGUSR2, nullptr, &before) != 0 || before.sa_handler != SIG_DFL || (before.sa_flags & SA_SIGINFO) != 0) return;
        void* frame[1];
        ::backtrace(frame, 1);    // its first call loads a library, which a signal's handler must not do
        struct sigaction ours {};
        ours.sa_sigaction = &stack_printer::on_signal;
        ours.sa_flags = SA_SIGINFO | SA_RESTART;
        ::sigemptyset(&ours.sa_mask);
        ::sigaction(SIGUSR2, &ours, nullptr);
#endif
    }

private:
#ifdef COCAINE_HAS_BACKTRACE
    static void on_signal(int, siginfo_t* info, void*) {
        int saved = errno;
        print_own();
        if (info->si_code != SI_TKILL) ask_others();    // the first thread got it from outside and passes it on
        errno = saved;
    }

    static void print_own() {
        for (int waited = 0; printing_.test_and_set(std::memory_order_acquire); ++waited) {
            if (waited == limits::stack_turn_ms) return;
            timespec moment{0, 1000000};
            ::nanosleep(&moment, nullptr);
        }
        char line[64];
        std::size_t size = put(line, "cocaine: thread ");
        size += put_number(line + size, static_cast<unsigned long>(::syscall(SYS_gettid)));
        size += put(line + size, " is here:\n");
        [[maybe_unused]] ssize_t written = ::write(2, line, size);
        void* frames[limits::stack_frames];
        int count = ::backtrace(frames, limits::stack_frames);
        if (count > 2) ::backtrace_symbols_fd(frames + 2, count - 2, 2);    // without print_own and on_signal
        printing_.clear(std::memory_order_release);
    }

    // The other threads of /proc/self/task, by the bare system call: opendir allocates.
    static void ask_others() {
        int folder = ::open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (folder < 0) return;
        long own = ::syscall(SYS_gettid);
        alignas(8) char entries[2048];
        int asked = 0;
        for (;;) {
            long size = ::syscall(SYS_getdents64, folder, entries, sizeof entries);
            if (size <= 0) break;
            for (long at = 0; at < size && asked < limits::stack_threads;) {
                std::uint16_t length;
                std::memcpy(&length, entries + at + 16, sizeof length);
                long thread = number_of(entries + at + 19);
                if (thread > 0 && thread != own) {
                    ::syscall(SYS_tgkill, static_cast<long>(::getpid()), thread, SIGUSR2);
                    ++asked;
                }
                at += length;
            }
        }
        ::close(folder);
    }

    static long number_of(const char* text) {
        long number = 0;
        for (; *text >= '0' && *text <= '9'; ++text) number = number * 10 + (*text - '0');
        return *text == 0 ? number : 0;
    }

    static std::size_t put(char* to, const char* text) {
        std::size_t size = std::strlen(text);
        std::memcpy(to, text, size);
        return size;
    }

    static std::size_t put_number(char* to, unsigned long number) {
        char digits[24];
        std::size_t count = 0;
        do digits[count++] = static_cast<char>('0' + number % 10);
        while ((number /= 10) > 0);
        for (std::size_t i = 0; i < count; ++i) to[i] = digits[count - 1 - i];
        return count;
    }

    static inline std::atomic_flag printing_ = ATOMIC_FLAG_INIT;    // a thread prints: their lines must not mix
#endif
};

}  // namespace cocaine::detail
