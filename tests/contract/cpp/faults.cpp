// Handlers that do what they should not: in other threads, in forked children, with odd exceptions, and without an end.
#include <cocaine/worker.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using cocaine::request;
using cocaine::response;

namespace {

std::mutex kept_mutex;
std::vector<cocaine::answer> kept;    // of calls that are over, or never end

template <class F>
std::string in_thread(F use) {
    std::string said;
    std::thread([&] {
        try {
            use();
            said = "was taken";
        } catch (const std::exception& failure) {
            said = failure.what();
        }
    }).join();
    return said + "\n";
}

// The parent answers with the child's exit code.
void forks(std::string_view way, response& reply) {
    pid_t child = fork();
    if (child != 0) {
        int status = 0;
        waitpid(child, &status, 0);
        reply.write(std::to_string(WIFEXITED(status) ? WEXITSTATUS(status) : -1));
        return;
    }
    if (way == "throw") throw std::runtime_error("in the child");
    if (way == "exec") {
        execl("/no/such/program", "x", static_cast<char*>(nullptr));
        throw std::runtime_error("cannot exec");
    }
    if (way == "exit") _exit(3);
    if (way == "write") reply.write(std::string(200000, 'x'));
    if (way == "answer") reply.later().write("the child's answer");
}

struct silent : std::exception {
    const char* what() const noexcept override { return nullptr; }
};

void fails(std::string_view way) {
    if (way == "int") throw 42;
    if (way == "pointer") throw "text";
    if (way == "silent") throw silent();
    if (way == "huge") throw std::runtime_error(std::string(70 << 20, 'x'));
    if (way == "memory") throw std::bad_alloc();
    if (way == "nested") std::throw_with_nested(std::runtime_error("outer"));
}

}  // namespace

extern "C" __attribute__((noinline)) void spin_for_ever() {
    static std::atomic<unsigned> count{0};
    for (;;) count.fetch_add(1, std::memory_order_relaxed);
}

COCAINE_APP(worker) {
    worker.on("echo", [](request& ask, response& reply) { reply.write(ask.body()); });
    // Chunks that are too long, of every kind of answer.
    static const std::string too_long((64u << 20) + 1, 'x');
    worker.on("writes_long", [](request&, response& reply) { reply.write(too_long); });
    worker.on_thread("writes_long_on_thread", [](request&, response& reply) { reply.write(too_long); });
    worker.on_stream("writes_long_on_stream", [](request& ask, response& reply) { ask.on_end([&] { reply.write(too_long); }); });
    worker.on("cuts", [](request&, response& reply) {
        std::thread([late = reply.later()] {
            try {
                late.write(too_long);
            } catch (const cocaine::chunk_too_long& refused) {
                late.write(refused.what());
            }
        }).detach();
    });
    worker.on("pid", [](request&, response& reply) { reply.write(std::to_string(getpid())); });

    auto elsewhere = [](request& ask, response& reply) {
        std::string said = in_thread([&] { reply.write("torn"); }) + in_thread([&] { reply.error(1, "torn"); })
            + in_thread([&] { reply.close(); }) + in_thread([&] { reply.later(); }) + in_thread([&] { ask.body(); })
            + in_thread([&] { ask.cancelled(); });
        reply.write(said);
    };
    worker.on("elsewhere", elsewhere);
    worker.on_stream("elsewhere_on_stream", [elsewhere](request& ask, response& reply) { ask.on_end([&] { elsewhere(ask, reply); }); });

    // Eight threads write what is asked for, each in its order, when the handler has long returned.
    auto threads = [](request& ask, response& reply) {
        int count = std::stoi(std::string(ask.body()));
        cocaine::answer late = reply.later();    // held here too: when the last copy goes the answer is closed
        for (int thread = 0; thread < 8; ++thread)
            std::thread([=] {
                std::string rest = " " + std::string(3000, 'x') + "\n";
                for (int i = 0; i < count; ++i) late.write(std::to_string(thread) + " " + std::to_string(i) + rest);
            }).detach();
    };
    worker.on("threads", threads);
    worker.on_thread("threads_on_thread", threads);

    worker.on("keeps", [](request&, response& reply) {
        std::lock_guard<std::mutex> lock(kept_mutex);
        kept.push_back(reply.later());
        kept.back().write("kept");
        kept.back().close();
    });
    worker.on("writes_late", [](request&, response& reply) {
        std::lock_guard<std::mutex> lock(kept_mutex);
        bool here = kept.back().write("late"), there = true;
        std::thread([&] { there = kept.back().write("late"); }).join();
        reply.write(here || there ? "was taken" : "refused");
    });

    worker.on("forks", [](request& ask, response& reply) { forks(ask.body(), reply); });
    worker.on_thread("forks_on_thread", [](request& ask, response& reply) { forks(ask.body(), reply); });
    worker.on_stream("forks_on_stream", [](request& ask, response& reply) {
        ask.on_chunk([&reply](std::string_view way) { forks(way, reply); });
    });

    worker.on("fails", [](request& ask, response&) { fails(ask.body()); });
    worker.on_thread("fails_on_thread", [](request& ask, response&) { fails(ask.body()); });
    worker.on("fails_by_itself", [](request&, response& reply) { reply.error(77, std::string(70 << 20, 'x')); });

    // Reads when much has come.
    worker.on_thread("reads_late", [](request& ask, response& reply) {
        reply.write("waiting");
        std::this_thread::sleep_for(std::chrono::milliseconds(500));
        reply.write(std::to_string(ask.body().size()));
    });

    // Answers that are kept and never ended.
    auto holds = [](request&, response& reply) {
        reply.write("held");
        std::lock_guard<std::mutex> lock(kept_mutex);
        kept.push_back(reply.later());
    };
    worker.on("holds", holds);
    worker.on_stream("holds_on_stream", holds);
    worker.on_thread("holds_on_thread", holds);

    worker.on("spins", [](request&, response& reply) {
        reply.write("spinning");
        reply.flush();
        spin_for_ever();
    });
    worker.on_thread("spins_on_thread", [](request&, response& reply) {
        reply.write("spinning");
        spin_for_ever();
    });
}
