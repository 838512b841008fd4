// What the node takes back does not begin, what has begun goes on, and no more begin than may: a worker with a node that recalls at the
// moment that the test wants. As a worker process, which finds its pipe by the socket, and as a thread of the node.
#include "fake_node.hpp"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

using cocaine::request;
using cocaine::response;

namespace {

int failed = 0;
std::string scenario;

void is(const std::string& got, const std::string& expected, const char* what) {
    if (got == expected) return;
    std::fprintf(stderr, "%s: %s: \"%s\", not \"%s\"\n", scenario.c_str(), what, got.c_str(), expected.c_str());
    ++failed;
}

void is(std::uint64_t got, std::uint64_t expected, const char* what) { is(std::to_string(got), std::to_string(expected), what); }

enum class way { process, thread };

// A worker and its node.
class pair {
public:
    pair(way how, std::int32_t most_begun) : node(most_begun), how_(how) {
        if (how == way::process) {
            path_ = "/tmp/cocaine-begin-" + std::to_string(::getpid());
            node.listen_at(path_);
        }
        worker_ = std::thread([this] { serve(); });
        if (how == way::process) {
            node.give_pipe();
            ::unlink(path_.c_str());
        }
        is(node.next(), "beats", "the first message");
        is(node.begun(), 1, "begun before the first message");
    }

    // The worker ends when all that it has is answered, and has nothing more to say.
    void end() {
        node.terminate();
        node.show();
        worker_.join();
        is(code_, 0, "exit code");
        is(node.rest(), "", "left messages");
    }

    // The thread is given up.
    void give_up() {
        stop_ = 1;
        node.ring();
        worker_.join();
        is(code_, 1, "exit code");
        is(node.rest(), "", "left messages");
    }

    // Until the worker says this; all that it has said.
    std::string until(const std::string& last) {
        std::string all;
        for (;;) {
            std::string one = node.next();
            all += one + " ";
            if (one == last) return all;
        }
    }

    // Until it has seen that it may not begin the call, or any after it, and waits.
    void until_it_waits(std::uint64_t channel) {
        while (node.begun() < channel || !node.worker_waits()) ::sched_yield();
    }

    void until_it_waits() { until_it_waits(0); }

    void release(std::uint64_t channel) {
        std::lock_guard<std::mutex> lock(mutex_);
        kept_.erase(std::to_string(channel));    // with its last copy the answer is closed
    }

    fake_node node;
    std::atomic<int> ran{0};             // handlers
    std::atomic<bool> may_read{false};   // "deaf" does

private:
    void serve() {
        if (how_ == way::process) {
            const char* words[] = {"begin", "--app", "begin", "--uuid", "u", "--endpoint", path_.c_str(), "--protocol", "1"};
            cocaine::worker w(9, words);
            prepare(w);
            code_ = w.run();
            return;
        }
        char problem[256];
        cocaine::thread_start start{2, node.worker_bell, node.node_bell, 0, node.memory(), fake_node::size, "begin", "u", "0", nullptr,
                                    &stop_, problem, sizeof problem, 5000};
        cocaine::worker w(start);
        prepare(w);
        code_ = w.run();
    }

    void prepare(cocaine::worker& w) {
        w.on("quick", [this](request& ask, response& reply) {
            ++ran;
            std::string_view body = ask.body();
            reply.write(body.size() < 20 ? std::string(body) : std::to_string(body.size()));
        });
        w.on("floods", [this](request&, response& reply) {
            ++ran;
            for (int i = 0; i < 64; ++i) reply.write(std::string(fake_node::ring_bytes, 'x'));
        });
        // Those begin, and end when they are told to.
        w.on("holds", [this](request& ask, response& reply) {
            ++ran;
            std::lock_guard<std::mutex> lock(mutex_);
            kept_.emplace(ask.body(), reply.later()).first->second.write("begun");
        });
        w.on_stream("holds_on_stream", [this](request&, response& reply) {
            ++ran;
            reply.write("begun");
        });
        w.on_thread("holds_on_thread", [this](request& ask, response& reply) {
            ++ran;
            reply.write("begun");
            ask.body();
        });
        w.on_thread("counts", [this](request& ask, response& reply) {
            ++ran;
            reply.write("begun");
            reply.write(std::to_string(ask.body().size()));
        });
        w.on_thread("deaf", [this](request& ask, response& reply) {
            ++ran;
            reply.write("begun");
            while (!may_read) ::sched_yield();
            reply.write(std::to_string(ask.body().size()));
        });
    }

    way how_;
    std::string path_;
    std::thread worker_;
    std::atomic<int> code_{-1};
    volatile std::int32_t stop_ = 0;
    std::mutex mutex_;
    std::map<std::string, cocaine::answer> kept_;
};

// Calls that begin and do not end, of each manner.
struct holder {
    const char* event;

    void begin(pair& p, std::uint64_t channel) const {
        p.node.invoke(channel, event);
        p.node.chunk(channel, std::to_string(channel));
        if (is_whole()) p.node.close(channel);
    }

    void end(pair& p, std::uint64_t channel) const {
        if (is_whole()) {
            p.release(channel);
        } else {
            p.node.close(channel);
            p.node.show();
        }
    }

    bool is_whole() const { return std::string_view(event) == "holds"; }
};

constexpr holder holders[] = {{"holds"}, {"holds_on_stream"}, {"holds_on_thread"}};

void what_is_taken_back_does_not_begin(way how) {
    pair p(how, 8);
    is(p.node.begin_recall(), 1, "begun at the recall");
    for (std::uint64_t channel = 2; channel <= 4; ++channel) p.node.call(channel, "quick", std::to_string(channel));
    p.node.call(5, "holds_on_stream", "x");
    p.node.call(6, "counts", "x");
    p.node.invoke(7, "quick");    // its request is not whole
    p.node.chunk(7, "x");
    p.node.show();
    p.until_it_waits(2);
    is(p.node.begun(), 2, "begun before the recall is read");
    is(static_cast<std::uint64_t>(p.ran), 0, "handlers before the recall is read");
    p.node.recall(1, 3);
    p.node.chunk(5, "late");
    p.node.close(7);
    p.node.call(8, "quick", "8");
    p.node.show();
    is(p.until("8."), "2:2 2. 8:8 8. ", "answers");
    is(static_cast<std::uint64_t>(p.ran), 2, "handlers");
    p.end();
}

void the_call_that_waits_may_be_taken_back_itself(way how) {
    pair p(how, 1);
    p.node.begin_recall();
    p.node.call(2, "quick", "2");
    p.node.show();
    p.until_it_waits(2);
    p.node.recall(1, 2);
    p.node.show();
    p.until_it_waits();
    is(static_cast<std::uint64_t>(p.ran), 0, "handlers");
    p.node.call(3, "quick", "3");
    p.node.show();
    is(p.until("3."), "3:3 3. ", "answers");
    p.end();
}

void what_has_begun_is_not_taken_back(way how, const holder& held) {
    pair p(how, 1);
    held.begin(p, 2);
    p.node.show();
    is(p.until("2:begun"), "2:begun ", "answers");
    p.node.call(3, "quick", "3");
    p.node.call(4, "quick", "4");
    p.node.show();
    is(p.node.begin_recall(), 2, "begun at the recall");
    p.node.recall(1, 2);
    p.node.show();
    p.until_it_waits();
    held.end(p, 2);
    is(p.until("2."), "2. ", "answers");
    p.node.call(5, "quick", "5");
    p.node.show();
    is(p.until("5."), "5:5 5. ", "answers");
    p.end();
}

void it_reads_on_until_the_last_recall(way how) {
    pair p(how, 8);
    p.node.begin_recall();
    p.node.recall(1, 2);
    p.node.show();
    p.until_it_waits();    // it has read a recall that it has not looked for
    p.node.begin_recall();
    p.node.begin_recall();
    p.node.call(2, "quick", "2");
    p.node.call(3, "quick", "3");
    p.node.call(4, "quick", "4");
    p.node.recall(2, 4);
    p.node.show();
    p.until_it_waits();
    is(static_cast<std::uint64_t>(p.ran), 0, "handlers before the last recall is read");
    p.node.recall(3, 3);
    p.node.call(5, "quick", "5");
    p.node.show();
    is(p.until("5."), "2:2 2. 5:5 5. ", "answers");
    p.end();
}

void no_more_begin_than_may(way how, const holder& held) {
    pair p(how, 2);
    for (std::uint64_t channel = 2; channel <= 5; ++channel) held.begin(p, channel);
    p.node.call(6, "quick", "6");
    p.node.show();
    std::vector<std::string> first{p.node.next(), p.node.next()};
    std::sort(first.begin(), first.end());
    is(first[0] + " " + first[1], "2:begun 3:begun", "answers");
    p.until_it_waits();
    is(p.node.begun(), 3, "begun");
    is(static_cast<std::uint64_t>(p.ran), 2, "handlers");
    p.node.cancel(4);    // it never begins, and need not wait for that
    p.node.show();
    is(p.until("4!"), "4! ", "answers");
    held.end(p, 2);
    is(p.until("5:begun"), "2. 5:begun ", "answers");
    p.node.cancel(3);
    p.node.show();
    is(p.until("6."), "3! 6:6 6. ", "answers");
    held.end(p, 5);
    is(p.until("5."), "5. ", "answers");
    p.end();
}

void a_request_in_pieces_begins_after_others(way how) {
    pair p(how, 1);
    p.node.invoke(2, "quick");
    p.node.chunk(2, "2");
    p.node.call(3, "quick", "3");
    p.node.show();
    is(p.until("3."), "3:3 3. ", "answers");
    p.node.close(2);
    p.node.show();
    is(p.until("2."), "2:2 2. ", "answers");
    is(p.node.begun(), 3, "begun");
    p.end();
}

// What was taken back is unread no more: both sides write, and neither would make room.
void what_is_taken_back_takes_no_room(way how) {
    pair p(how, 1);
    p.node.call(2, "holds", "2");
    p.node.call(3, "quick", std::string(9 << 20, 'x'));
    p.node.show();
    is(p.until("2:begun"), "2:begun ", "answers");
    p.node.begin_recall();
    p.node.recall(1, 3);
    p.node.show();
    p.until_it_waits();
    p.release(2);
    is(p.until("2."), "2. ", "answers");
    p.node.call(4, "floods", "4");
    p.node.show();
    while (!p.node.worker_wants_room()) ::sched_yield();
    p.node.call(5, "quick", std::string(1 << 20, 'x'));
    p.node.show();
    std::string all = p.until("5.");
    is(all.substr(all.find("4.")), "4. 5:1048576 5. ", "answers");
    p.end();
}

// Nobody can read what has come for a thread that may not begin, and the one that has begun gets its own.
void what_waits_for_a_place_keeps_nothing_from_others(way how) {
    pair p(how, 1);
    p.node.invoke(2, "counts");
    p.node.call(3, "counts", std::string(9 << 20, 'x'));
    p.node.show();
    is(p.until("2:begun"), "2:begun ", "answers");
    p.node.chunk(2, std::string(1 << 20, 'x'));
    p.node.close(2);
    p.node.show();
    is(p.until("3."), "2:1048576 2. 3:begun 3:9437184 3. ", "answers");
    p.end();
}

// The loop takes nothing while a thread has much to read, but for a recall.
void a_recall_is_read_however_much_is_unread(way how) {
    pair p(how, 2);
    p.node.invoke(2, "deaf");
    p.node.show();
    is(p.until("2:begun"), "2:begun ", "answers");
    p.node.begin_recall();
    p.node.call(3, "quick", "3");
    p.node.show();
    p.until_it_waits(3);
    for (int i = 0; i < 9; ++i) {
        p.node.chunk(2, std::string(1 << 20, 'x'));
        p.node.show();
        p.until_it_waits();
    }
    p.node.recall(1, 4);
    p.node.close(2);
    p.node.show();
    is(p.until("3."), "3:3 3. ", "answers");
    p.may_read = true;
    is(p.until("2."), "2:9437184 2. ", "answers");
    p.end();
}

// The node stores the word after it has given the thread up, and its recall never comes.
void a_thread_that_is_given_up_begins_nothing() {
    pair p(way::thread, 1);
    p.node.begin_recall();
    p.node.call(2, "quick", "2");
    p.node.show();
    p.until_it_waits(2);
    p.give_up();
    is(static_cast<std::uint64_t>(p.ran), 0, "handlers");
}

template <class F>
void run(const std::string& name, F f) {
    scenario = name;
    ::alarm(60);    // a worker that waits for ever fails it
    f();
}

}  // namespace

int main() {
    std::signal(SIGALRM, [](int) {
        std::fprintf(stderr, "%s: never ends\n", scenario.c_str());
        std::_Exit(1);
    });
    for (way how : {way::process, way::thread}) {
        std::string as = how == way::process ? ", process" : ", thread";
        run("taken back" + as, [how] { what_is_taken_back_does_not_begin(how); });
        run("the one that waits" + as, [how] { the_call_that_waits_may_be_taken_back_itself(how); });
        run("the last recall" + as, [how] { it_reads_on_until_the_last_recall(how); });
        for (const holder& held : holders) {
            run(std::string("begun, ") + held.event + as, [how, held] { what_has_begun_is_not_taken_back(how, held); });
            run(std::string("the bound, ") + held.event + as, [how, held] { no_more_begin_than_may(how, held); });
        }
        run("pieces" + as, [how] { a_request_in_pieces_begins_after_others(how); });
        run("room" + as, [how] { what_is_taken_back_takes_no_room(how); });
        run("places" + as, [how] { what_waits_for_a_place_keeps_nothing_from_others(how); });
        run("unread" + as, [how] { a_recall_is_read_however_much_is_unread(how); });
    }
    run("given up", [] { a_thread_that_is_given_up_begins_nothing(); });
    return failed == 0 ? 0 : 1;
}
