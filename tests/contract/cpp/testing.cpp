// The test kit runs handlers as a worker does, without a node: those of the contract's app.
#include <cocaine/testing.hpp>

#include "contract.cpp"

#include <atomic>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace {

int failed = 0;

void is(const std::string& got, const std::string& expected) {
    if (got == expected) return;
    std::fprintf(stderr, "\"%s\", not \"%s\"\n", got.c_str(), expected.c_str());
    ++failed;
}

std::string joined(const std::vector<std::string>& chunks) {
    std::string all;
    for (const std::string& one : chunks) all += one + "|";
    return all;
}

std::string told(const cocaine::testing::answer& answer) { return answer.error ? answer.error->what() : "no error"; }

// A handler in a thread that does not read: the loop takes no more than the bound, until it reads.
class counting_link : public cocaine::detail::testing_link {
public:
    using testing_link::testing_link;

    void wait_for_ring(int timeout_ms) override {
        left = messages_left();
        is_full = true;
        testing_link::wait_for_ring(timeout_ms);
    }

    std::atomic<std::size_t> left{0};
    std::atomic<bool> is_full{false};
};

void bounds_what_is_not_read() {
    constexpr std::size_t chunks = 64;
    counting_link link("deaf", "\x90", std::vector<std::string>(chunks, std::string(1 << 20, 'x')), false);
    auto app = std::make_shared<cocaine::detail::catalog>();
    std::size_t taken = 0;
    app->add("deaf", cocaine::detail::manner::thread, [&](request& ask, response& reply) {
        while (!link.is_full) std::this_thread::yield();
        taken = chunks - (link.left - 2);    // a close and a terminate are left, too
        reply.write(std::to_string(ask.body().size()));
    });
    cocaine::detail::session(link, app, "kit", 5000).serve();
    is(std::to_string(taken), "9");    // the first that is over 8 MiB
    is(link.answers.at(0).text, std::to_string(chunks << 20));

    counting_link other("leaves", "\x90", std::vector<std::string>(chunks, std::string(1 << 20, 'x')), false);
    app = std::make_shared<cocaine::detail::catalog>();
    app->add("leaves", cocaine::detail::manner::thread, [&](request&, response& reply) {
        while (!other.is_full) std::this_thread::yield();
        reply.write("left");
    });
    cocaine::detail::session(other, app, "kit", 5000).serve();
    is(other.answers.at(0).text, "left");
}

}  // namespace

int main() {
    bounds_what_is_not_read();
    cocaine::testing::runner app(cocaine_app_setup, "kit");
    is(app.call("echo", {"he", "llo"}).body(), "hello");
    is(app.call("echo").body(), "");
    is(app.call("echo", {std::string(5 << 20, 'x')}).body(), std::string(5 << 20, 'x'));
    is(joined(app.call("count", {"3"}).chunks), "0|1|2|");
    is(joined(app.call("relay", {"one", "two"}).chunks), "one|two|");
    is(joined(app.call("waits", {"in", "a thread"}).chunks), "waiting|done|");
    is(app.call("forgets").body(), "first second");
    is(told(app.call("raises", {"no luck"})), "error 1000.502: std::runtime_error: no luck");
    is(told(app.call("refuses")), "error 42.77: mine");
    is(told(app.call("category")), "error 43.78: own category");
    is(told(app.call("nothing")), "error 1000.404: there is no event 'nothing' in app 'kit'");
    cocaine::testing::options with;
    with.headers = {{"x-note", "hello"}};
    with.trace_id = 258;
    with.parent_id = 3;
    is(app.call("header", {"x-note"}, with).body(), "hello");
    is(app.call("header", {"x-other"}, with).body(), "none");
    is(app.call("ids", {}, with).body(), "258 0 3");
    with.cancel = true;
    is(told(app.call("waits", {}, with)), "error 1000.502: cancelled");
    is(told(app.call("relay", {"x"}, with)), "error 1000.502: cancelled");
    try {
        app.call("refuses").body();
        is("no exception", "one");
    } catch (const cocaine::testing::app_error& failure) {
        is(failure.reason, "mine");
    }
    std::printf("%s\n", failed == 0 ? "ok" : "failed");
    return failed == 0 ? 0 : 1;
}
