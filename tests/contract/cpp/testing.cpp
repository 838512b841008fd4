// The test kit runs handlers as a worker does, without a node: those of the contract's app.
#include <cocaine/testing.hpp>

#include "contract.cpp"

#include <cstdio>
#include <string>
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

}  // namespace

int main() {
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
