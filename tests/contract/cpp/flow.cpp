// Flow control of one channel: a writer whose caller is slow waits, and a reader that is slow lets the node wait; others go on. As a worker
// process and as a thread of the node.
#include "fake_node.hpp"

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

using cocaine::request;
using cocaine::response;

namespace {

constexpr int count = 400;                    // chunks of a long answer, each with its number before it
constexpr std::size_t chunk_bytes = 20000;
constexpr std::size_t late_bytes = 3 << 20;   // what may be under way when the node asks to hold: a ring, and what is between two looks
constexpr std::size_t part_bytes = 60000;
constexpr std::size_t parts = cocaine::detail::limits::hold_bytes / part_bytes + 1;

int failed = 0;
std::string scenario;

void is(const std::string& got, const std::string& expected, const char* what) {
    if (got == expected) return;
    std::fprintf(stderr, "%s: %s: \"%s\", not \"%s\"\n", scenario.c_str(), what, got.c_str(), expected.c_str());
    ++failed;
}

void is(bool so, const char* what) {
    if (so) return;
    std::fprintf(stderr, "%s: %s\n", scenario.c_str(), what);
    ++failed;
}

enum class way { process, thread, process_without };

template <class Write>
void write_all(Write write) {
    for (int i = 0; i < count; ++i) {
        write(std::to_string(i));
        write(std::string(chunk_bytes, 'x'));
    }
}

class pair {
public:
    explicit pair(way how) : node(1000000), how_(how) {
        if (how != way::thread) {
            path_ = "/tmp/cocaine-flow-" + std::to_string(::getpid());
            node.listen_at(path_);
        }
        worker_ = std::thread([this] { serve(); });
        if (how != way::thread) {
            node.give_pipe(how == way::process);
            ::unlink(path_.c_str());
        }
        is(node.next(), "beats", "the first message");
    }

    void end(int code = 0) {
        if (code == 0) {
            node.terminate();
            node.show();
        }
        worker_.join();
        for (std::thread& one : threads_) one.join();
        is(std::to_string(code_), std::to_string(code), "exit code");
        is(node.rest(), "", "left messages");
    }

    void flow(std::uint64_t channel, bool holds) {
        node.flow(channel, holds);
        node.show();
    }

    std::string until(const std::string& last) {
        std::string all;
        for (;;) {
            std::string one = node.next();
            all += one + " ";
            if (one == last) return all;
        }
    }

    // Until nothing has come for many heartbeats; how many messages wait.
    std::size_t rests() {
        for (;;) {
            std::size_t before = node.come();
            std::uint64_t beats = node.beats();
            while (node.come() == before && node.beats() < beats + 15) ::usleep(1000);
            if (node.come() == before) return before;
        }
    }

    void until_asked(const std::string& what) {
        while (node.asked() != what) {
            node.come();
            ::usleep(100);
        }
    }

    fake_node node;
    std::atomic<int> steps{0};    // chunks that "reads" may read

private:
    void serve() {
        if (how_ != way::thread) {
            const char* words[] = {"flow", "--app", "flow", "--uuid", "u", "--endpoint", path_.c_str(), "--protocol", "1"};
            cocaine::worker w(9, words);
            prepare(w);
            code_ = w.run();
            return;
        }
        char problem[256];
        cocaine::thread_start start{2, node.worker_bell, node.node_bell, 0, node.memory(), fake_node::size, "flow", "u", "0", nullptr,
                                    &stop_, problem, sizeof problem, 20};
        cocaine::worker w(start);
        prepare(w);
        code_ = w.run();
    }

    void prepare(cocaine::worker& w) {
        auto writes = [](request&, response& reply) { write_all([&reply](const std::string& one) { reply.write(one); }); };
        w.on("writes", writes);
        w.on_thread("writes_in_thread", writes);
        w.on_stream("writes_in_callback", [](request& ask, response& reply) {
            ask.on_end([&reply] { write_all([&reply](const std::string& one) { reply.write(one); }); });
        });
        w.on("writes_later", [this](request&, response& reply) {
            threads_.emplace_back([answer = reply.later()] { write_all([&answer](const std::string& one) { answer.write(one); }); });
        });
        w.on("writes_later_on_loop", [](request&, response& reply) {
            cocaine::answer answer = reply.later();
            write_all([&answer](const std::string& one) { answer.write(one); });
        });
        w.on_stream("errs", [](request& ask, response& reply) {
            ask.on_chunk([&reply](std::string_view) { reply.error(7, "mine"); });
        });
        w.on_stream("closes", [](request& ask, response& reply) {
            ask.on_chunk([&reply](std::string_view) { reply.close(); });
        });
        w.on_thread("reads", [this](request& ask, response& reply) {
            for (;;) {
                while (steps == 0) ::usleep(100);
                --steps;
                auto chunk = ask.read();
                if (!chunk) return;
                reply.write(std::to_string(chunk->size()) + " bytes");
            }
        });
        w.on_thread("relays", [](request& ask, response& reply) {
            while (auto chunk = ask.read()) reply.write(*chunk);
        });
        w.on_stream("sums", [](request& ask, response& reply) {
            auto sum = std::make_shared<std::size_t>(0);
            ask.on_chunk([sum](std::string_view chunk) { *sum += chunk.size(); });
            ask.on_end([sum, &reply] { reply.write(std::to_string(*sum)); });
        });
        w.on("quick", [](request& ask, response& reply) { reply.write(ask.body()); });
    }

    way how_;
    std::string path_;
    std::thread worker_;
    std::atomic<int> code_{-1};
    volatile std::int32_t stop_ = 0;
    std::vector<std::thread> threads_;
};

const char* const writers[] = {"writes", "writes_in_thread", "writes_in_callback", "writes_later", "writes_later_on_loop"};

std::string whole_answer(std::uint64_t channel) {
    std::string all, number = std::to_string(channel);
    write_all([&](const std::string& one) { all += number + ":" + (one.size() < 20 ? one : std::to_string(one.size())) + " "; });
    return all + number + ". ";
}

// A call that writes much, and is held after its first chunk. It rests then.
void hold(pair& p, const char* event, std::uint64_t channel) {
    p.node.call(channel, event, "go");
    p.node.show();
    while (p.node.come() == 0) ::usleep(100);
    p.flow(channel, true);
    is(p.rests() * chunk_bytes / 2 < late_bytes, "it has not stopped");
}

void a_held_writer_waits_and_goes_on_in_order(way how, const char* event) {
    pair p(how);
    hold(p, event, 2);
    std::size_t before = p.node.come();
    p.flow(2, false);
    while (p.node.come() == before) ::usleep(100);
    p.flow(2, true);
    before = p.rests();
    is(before < 2 * count, "it stops again");
    p.flow(2, false);
    is(p.until("2."), whole_answer(2), "the answer");
    p.end();
}

void cancel_wakes_a_held_writer(way how, const char* event) {
    pair p(how);
    hold(p, event, 2);
    p.node.cancel(2);
    p.node.show();
    p.until(std::string_view(event) == "writes_later_on_loop" ? "2." : "2!");    // whose answer goes, and is closed, when it returns
    p.node.call(3, "quick", "3");
    p.node.show();
    is(p.until("3."), "3:3 3. ", "answers");
    p.end();
}

void terminate_lets_a_held_writer_end(way how, const char* event) {
    pair p(how);
    hold(p, event, 2);
    p.node.terminate();
    p.node.show();
    p.rests();
    p.flow(2, false);
    is(p.until("2."), whole_answer(2), "the answer");
    p.end();
}

void the_end_is_not_held(way how) {
    pair p(how);
    p.node.invoke(2, "errs");
    p.node.invoke(3, "closes");
    p.node.flow(2, true);
    p.node.flow(3, true);
    p.node.chunk(2, "now");
    p.node.chunk(3, "now");
    p.node.show();
    is(p.until("3."), "2! 3. ", "answers");
    p.node.close(2);
    p.node.close(3);
    p.end();
}

void others_go_on(way how, const char* event) {
    pair p(how);
    p.node.invoke(2, "relays");
    p.node.chunk(2, "one");
    p.node.show();
    is(p.node.next(), "2:one", "answers");
    p.node.call(3, event, "go");
    p.node.show();
    while (p.node.come() == 0) ::usleep(100);
    p.flow(3, true);
    std::size_t before = p.rests();
    p.node.chunk(2, "two");
    p.node.show();
    while (p.node.come() == before) ::usleep(100);
    p.flow(3, false);
    std::string all = p.until("3."), two = "2:two ";
    std::size_t at = all.find(two);
    is(at != std::string::npos, "the other one is heard");
    if (at != std::string::npos) is(all.erase(at, two.size()), whole_answer(3), "the answer");
    p.node.close(2);
    p.node.show();
    is(p.until("2."), "2. ", "answers");
    p.end();
}

void a_slow_thread_asks_at_the_thresholds(way how) {
    pair p(how);
    p.node.invoke(2, "reads");
    for (std::size_t i = 0; i < parts; ++i) p.node.chunk(2, std::string(part_bytes, 'x'));
    p.node.show();
    p.until_asked("hold 2 ");
    for (std::size_t left = parts; left-- > 0;) {
        ++p.steps;
        is(p.until("2:60000 bytes"), "2:60000 bytes ", "answers");
        if (left * part_bytes < cocaine::detail::limits::go_on_bytes) p.until_asked("hold 2 go 2 ");
        else is(p.node.asked(), "hold 2 ", "asked");
    }
    p.node.close(2);
    p.node.show();
    ++p.steps;
    is(p.until("2."), "2. ", "answers");
    is(p.node.asked(), "hold 2 go 2 ", "asked");
    p.node.invoke(3, "reads");
    for (std::size_t i = 0; i < parts; ++i) p.node.chunk(3, std::string(part_bytes, 'x'));
    p.node.close(3);
    p.node.show();
    p.until_asked("hold 2 go 2 hold 3 ");
    p.steps = parts + 1;
    p.until("3.");
    is(p.node.asked(), "hold 2 go 2 hold 3 ", "no go-on for a request that has ended");
    p.end();
}

// On the loop callbacks take what comes, unless a handler keeps the loop.
void a_loop_that_is_kept_asks_too(way how) {
    pair p(how);
    hold(p, "writes", 2);
    p.node.invoke(3, "sums");
    for (std::size_t i = 0; i < parts; ++i) p.node.chunk(3, std::string(part_bytes, 'x'));
    p.node.show();
    p.until_asked("hold 3 ");
    p.flow(2, false);
    p.until("2.");
    p.until_asked("hold 3 go 3 ");
    p.node.close(3);
    p.node.show();
    is(p.until("3."), "3:" + std::to_string(parts * part_bytes) + " 3. ", "answers");
    p.end();
}

void whole_requests_are_never_held(way how) {
    pair p(how);
    p.node.call(2, "quick", std::string(1 << 20, 'x'));
    p.node.show();
    is(p.until("2."), "2:1048576 2. ", "answers");
    is(p.node.asked(), "", "asked");
    p.end();
}

void what_is_not_there_is_passed_over(way how) {
    pair p(how);
    p.node.call(2, "quick", "2");
    p.node.show();
    p.until("2.");
    for (std::uint64_t channel : {std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{99}, ~std::uint64_t{0}}) {
        p.node.flow(channel, true);
        p.node.flow(channel, false);
    }
    p.node.add(std::string("\x93\x01\x02\x92\xcf\0\0\0\0\0\0\0\x03\x01", 14));
    p.node.call(3, "quick", "3");
    p.node.show();
    is(p.until("3."), "3:3 3. ", "answers");
    p.end();
}

void a_message_of_another_form_ends_the_worker(way how) {
    const std::string forms[] = {std::string("\x90", 1), "\x91\x02", "\x92\x02\x02", "\x92\x02\xff", "\x92\xfe\x01", "\x92\xa1" "2\x01", "\x92\x02\xa1" "1",
                                 "\x93\x02\x01\x01", "\x92\x02\xc3", "\x92\x02\xc0", "\x92\x91\x02\x01"};
    for (const std::string& form : forms) {
        pair p(how);
        p.node.add("\x93\x01\x02" + form);
        p.node.show();
        p.end(70);
    }
}

void a_node_without_it_hears_nothing_of_it() {
    pair p(way::process_without);
    p.steps = 100;
    p.node.invoke(2, "reads");
    for (int i = 0; i < 20; ++i) p.node.chunk(2, std::string(part_bytes, 'x'));
    p.node.close(2);
    p.node.show();
    p.until("2.");
    is(p.node.asked(), "", "asked");
    p.end();
}

void nothing_is_kept_of_held_channels(way how) {
    pair p(how);
    std::uint64_t channel = 2;
    auto calls = [&](int wanted) {
        for (int i = 0; i < wanted; i += 100) {
            for (int k = 0; k < 100; ++k, ++channel) {
                p.node.invoke(channel, k % 2 ? "sums" : "quick");
                p.node.flow(channel, true);
                p.node.flow(channel, false);
                p.node.flow(channel, true);
                p.node.cancel(channel);
            }
            p.node.show();
            std::string last = std::to_string(channel - 1);
            while (p.node.next().substr(0, last.size()) != last) {}
        }
    };
    auto memory = [] {
        long size = 0, resident = 0;
        FILE* file = std::fopen("/proc/self/statm", "r");
        if (std::fscanf(file, "%ld %ld", &size, &resident) != 2) resident = 0;
        std::fclose(file);
        return resident * 4096;
    };
    calls(10000);
    long before = memory();
    calls(100000);
    is(memory() - before < 100000 * 20, "a channel has more than 20 bytes");
    p.rests();
    while (p.node.come() > 0) p.node.next();
    p.end();
}

template <class F>
void run(const std::string& name, F f) {
    scenario = name;
    ::alarm(60);    // a worker that waits for ever fails it
    f();
}

}  // namespace

int main() {
    ::setenv("COCAINE_HEARTBEAT_MS", "20", 1);
    std::signal(SIGALRM, [](int) {
        std::fprintf(stderr, "%s: never ends\n", scenario.c_str());
        std::_Exit(1);
    });
    for (way how : {way::process, way::thread}) {
        std::string as = how == way::process ? ", process" : ", thread";
        for (const char* event : writers) {
            run(std::string("held, ") + event + as, [=] { a_held_writer_waits_and_goes_on_in_order(how, event); });
            run(std::string("cancelled, ") + event + as, [=] { cancel_wakes_a_held_writer(how, event); });
            run(std::string("terminated, ") + event + as, [=] { terminate_lets_a_held_writer_end(how, event); });
            run(std::string("others, ") + event + as, [=] { others_go_on(how, event); });
        }
        run("the end" + as, [how] { the_end_is_not_held(how); });
        run("a slow thread" + as, [how] { a_slow_thread_asks_at_the_thresholds(how); });
        run("a kept loop" + as, [how] { a_loop_that_is_kept_asks_too(how); });
        run("whole" + as, [how] { whole_requests_are_never_held(how); });
        run("not there" + as, [how] { what_is_not_there_is_passed_over(how); });
        run("nothing is kept" + as, [how] { nothing_is_kept_of_held_channels(how); });
    }
    run("other forms", [] { a_message_of_another_form_ends_the_worker(way::thread); });
    run("without", [] { a_node_without_it_hears_nothing_of_it(); });
    return failed == 0 ? 0 : 1;
}
