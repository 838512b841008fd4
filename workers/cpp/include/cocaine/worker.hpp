// Workers of cocaine-fast in C++17. An app is a program, or a shared object that the node or its runner loads:
//
//     #include <cocaine/worker.hpp>
//
//     COCAINE_APP(worker) {
//         worker.on("echo", [](cocaine::request& request, cocaine::response& response) { response.write(request.body()); });
//     }
//
// docs/languages.md tells the rest. There are three kinds of handlers:
//
// on()         on the worker's loop, when the request is whole. For what is quick: nothing else runs meanwhile, heartbeats neither.
// on_stream()  on the loop, when the call comes; sets callbacks for the chunks, the end and the cancel of the request.
// on_thread()  in a thread of its own, when the call comes; may read its request chunk by chunk, wait and work as long as it likes.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "call.hpp"
#include "detail/app.hpp"
#include "detail/limits.hpp"
#include "detail/page.hpp"
#include "detail/pipe.hpp"
#include "detail/session.hpp"
#include "detail/socket.hpp"
#include "detail/stacks.hpp"

namespace cocaine {

namespace testing {
class runner;
}

// What the node gives to the entry points of a shared object that it runs in a thread of its own. C layout; `abi` is 2.
struct thread_start {
    std::uint32_t abi;
    std::int32_t own_bell;
    std::int32_t node_bell;
    std::int32_t argument_count;
    void* segment;
    std::uint64_t segment_bytes;
    const char* app;
    const char* uuid;
    const char* version;
    const char* const* arguments;
    const volatile std::int32_t* stop;    // not 0: return soon. own_bell is rung after it was set
    char* problem;                        // where the text of a failed start goes
    std::uint64_t problem_bytes;
    std::int64_t heartbeat_ms;            // time between heartbeats
};

class worker {
public:
    // Takes the words that the node puts on the command line; those after them are the app's own.
    worker(int argc, const char* const* argv) : app_(std::make_shared<detail::catalog>()) {
        int at = 1;
        for (; at + 1 < argc && std::strncmp(argv[at], "--", 2) == 0; at += 2) {
            std::string_view name = argv[at];
            const char* value = argv[at + 1];
            if (name == "--app") name_ = value;
            else if (name == "--uuid") uuid_ = value;
            else if (name == "--endpoint") endpoint_ = value;
            else if (name == "--locator") locator_ = value;
            else if (name != "--protocol") break;
        }
        for (; at < argc; ++at) arguments_.emplace_back(argv[at]);
        if (const char* version = std::getenv("COCAINE_APP_VERSION")) version_ = version;
    }

    // In a thread of the node.
    explicit worker(const thread_start& start)
        : app_(std::make_shared<detail::catalog>()), start_(&start), name_(start.app), uuid_(start.uuid), version_(start.version),
          arguments_(start.arguments, start.arguments + start.argument_count) {}

    void on(std::string event, handler run) { app_->add(std::move(event), detail::manner::whole, std::move(run)); }
    void on_stream(std::string event, handler run) { app_->add(std::move(event), detail::manner::stream, std::move(run)); }
    void on_thread(std::string event, handler run) { app_->add(std::move(event), detail::manner::thread, std::move(run)); }

    const std::string& app() const { return name_; }            // the app's name
    const std::string& uuid() const { return uuid_; }           // this slave
    const std::string& version() const { return version_; }     // the manifest's, "0" when it has none
    const std::string& locator() const { return locator_; }     // where other apps are found; empty in a thread
    const std::vector<std::string>& arguments() const { return arguments_; }    // the manifest's args.argv

    // Serves until the node wants no more. Returns what main() should: 0 after a terminate, else what went wrong.
    int run() {
        try {
            return start_ != nullptr ? run_in_thread() : run_in_process();
        } catch (const detail::broken_pipe& problem) {
            std::fprintf(stderr, "cocaine: %s\n", problem.what());
            return leave(70);
        } catch (const detail::abandoned&) {
            return leave(1);    // the node is gone: nobody is there to be told
        } catch (const std::exception& problem) {
            std::fprintf(stderr, "cocaine: %s\n", problem.what());
            return leave(1);
        }
    }

private:
    friend class testing::runner;

    // 5 s, unless the node wants one more often.
    static std::int64_t wanted_heartbeat_ms() {
        const char* told = std::getenv("COCAINE_HEARTBEAT_MS");
        long ms = told == nullptr ? 0 : std::strtol(told, nullptr, 10);
        constexpr auto usual = static_cast<std::int64_t>(detail::limits::heartbeat_seconds * 1000);
        return ms > 0 && ms < usual ? ms : usual;
    }

    int run_in_process() {
        if (uuid_.empty() || endpoint_.empty() || uuid_.size() > detail::limits::uuid_bytes) {
            std::fprintf(
                stderr, "a worker is started by the node: --app NAME --uuid UUID --endpoint PATH --locator HOST:PORT --protocol 1\n");
            return 2;
        }
        std::setvbuf(stdout, nullptr, _IOLBF, 0);    // the log shows lines when they are printed
        detail::stack_printer::install();
        detail::watch_forks();
        const char* wanted = std::getenv("COCAINE_PIPE");
        bool ask_for_pipe = wanted == nullptr || std::strcmp(wanted, "0") != 0;
        detail::begin_page page = detail::begin_page::of_process();
        detail::connection c = detail::connect_to_node(endpoint_, uuid_, ask_for_pipe, page.is_there());
        if (c.has_pipe) {
            detail::segment s = detail::segment::map(c.descriptors[0]);
            ::close(c.descriptors[0]);
            detail::pipe_link link(s, c.descriptors[1], c.descriptors[2], c.socket, nullptr);
            detail::session(link, app_, name_, wanted_heartbeat_ms(), c.has_flow).serve();
        } else {
            detail::socket_link link(c.socket, c.has_begin && page.is_there() ? page.words() : detail::begin_words{});
            detail::session(link, app_, name_, wanted_heartbeat_ms(), c.has_flow).serve();
        }
        return 0;
    }

    int run_in_thread() {
        detail::watch_forks();
        detail::segment s = detail::segment::at(start_->segment, start_->segment_bytes);
        detail::pipe_link link(s, start_->own_bell, start_->node_bell, -1, start_->stop);
        detail::session(link, app_, name_, start_->heartbeat_ms, true).serve();    // there is no handshake: see cocaine_worker_flow
        return 0;
    }

    // A process ends here and now: handlers in other threads may be in the middle of anything.
    int leave(int code) {
        if (start_ == nullptr) {
            std::fflush(nullptr);
            std::_Exit(code);
        }
        return code;
    }

    std::shared_ptr<detail::catalog> app_;
    const thread_start* start_ = nullptr;
    std::string name_;
    std::string uuid_;
    std::string endpoint_;
    std::string locator_;
    std::string version_ = "0";
    std::vector<std::string> arguments_;
};

namespace detail {

using setup = void (*)(worker&);

inline int run_app(setup prepare, int argc, const char* const* argv) {
    try {
        worker w(argc, argv);
        prepare(w);
        return w.run();
    } catch (const std::exception& problem) {
        std::fprintf(stderr, "the app cannot be started: %s\n", problem.what());
        return 1;
    }
}

inline void* open_app(setup prepare, const thread_start* start) {
    auto fail = [start](const char* why) -> void* {
        std::snprintf(start->problem, static_cast<std::size_t>(start->problem_bytes), "%s", why);
        return nullptr;
    };
    if (start->abi != 2) return fail("the shared object was built with another version of the SDK");
    try {
        auto w = std::make_unique<worker>(*start);
        prepare(*w);
        return w.release();
    } catch (const std::exception& problem) {
        return fail(problem.what());
    } catch (...) {
        return fail("the app threw something that is no std::exception");
    }
}

inline int serve_app(void* opened) {
    std::unique_ptr<worker> w(static_cast<worker*>(opened));
    try {
        return w->run();
    } catch (...) {
        return 1;
    }
}

}  // namespace detail
}  // namespace cocaine

// An app: the block gets the worker under the name that is given, and says what it serves. The same file can be built as a program and
// as a shared object (-shared -fPIC). That it exports cocaine_worker_flow tells the node that it has flow control of one channel.
#define COCAINE_APP(name)                                                                                                          \
    static void cocaine_app_setup(::cocaine::worker& name);                                                                        \
    extern "C" __attribute__((visibility("default"))) int cocaine_worker_main(int argc, const char* const* argv) {                 \
        return ::cocaine::detail::run_app(cocaine_app_setup, argc, argv);                                                          \
    }                                                                                                                              \
    extern "C" __attribute__((visibility("default"))) void* cocaine_worker_open(const ::cocaine::thread_start* start) {            \
        return ::cocaine::detail::open_app(cocaine_app_setup, start);                                                              \
    }                                                                                                                              \
    extern "C" __attribute__((visibility("default"))) int cocaine_worker_serve(void* opened) {                                     \
        return ::cocaine::detail::serve_app(opened);                                                                               \
    }                                                                                                                              \
    extern "C" __attribute__((visibility("default"))) int cocaine_worker_flow() { return 1; }                                      \
    int main(int argc, char** argv) { return cocaine_worker_main(argc, argv); }                                                    \
    static void cocaine_app_setup(::cocaine::worker& name)
