// Runs an app's handlers without a node, in a test:
//
//     #include <cocaine/testing.hpp>
//     #include "../app.cpp"                            // COCAINE_APP makes no main() behind this header
//
//     cocaine::testing::runner app(cocaine_app_setup);
//     assert(app.call("hello", {"you"}).body() == "hello, you");
//
// The session is the worker's own, over a link whose other end is here: handlers of on_thread() have their threads, exceptions and errors
// are as a caller would get them.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <initializer_list>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "detail/testing.hpp"
#include "worker.hpp"

namespace cocaine::testing {

struct app_error : std::runtime_error {
    app_error(int its_category, int its_code, std::string its_reason)
        : std::runtime_error("error " + std::to_string(its_category) + "." + std::to_string(its_code) + ": " + its_reason),
          category(its_category), code(its_code), reason(std::move(its_reason)) {}

    int category;
    int code;
    std::string reason;
};

// What a caller would have got.
struct answer {
    std::vector<std::string> chunks;
    std::optional<app_error> error;

    // All chunks; throws the error when there is one.
    std::string body() const {
        if (error) throw *error;
        std::string all;
        for (const std::string& one : chunks) all += one;
        return all;
    }
};

// What else a call may have.
struct options {
    std::vector<header> headers;
    std::uint64_t trace_id = 0;
    std::uint64_t span_id = 0;
    std::uint64_t parent_id = 0;
    bool cancel = false;    // the caller gives up after the last chunk
};

class runner {
public:
    explicit runner(detail::setup prepare, std::string name = "app") : name_(std::move(name)) {
        const char* words[] = {"app", "--app", name_.c_str(), "--uuid", "testing"};
        worker_ = std::make_unique<worker>(5, words);
        prepare(*worker_);
    }

    // Runs the event's handler to the end of its answer. The request is the chunks.
    answer call(std::string_view event, const std::vector<std::string>& chunks = {}, const options& with = {}) {
        std::string items;
        std::uint32_t count = 3 + static_cast<std::uint32_t>(with.headers.size());
        items += static_cast<char>(0xdd);
        for (int shift = 24; shift >= 0; shift -= 8) items += static_cast<char>(count >> shift);
        const std::uint64_t ids[] = {with.trace_id, with.span_id, with.parent_id};
        for (unsigned i = 0; i < 3; ++i) {
            std::string value;
            for (int shift = 0; shift < 64; shift += 8) value += static_cast<char>(ids[i] >> shift);
            items += std::string("\x93\xc2", 2) + static_cast<char>(80 + i) + detail::bin(value);
        }
        for (const header& one : with.headers) items += std::string("\x93\xc2", 2) + detail::bin(one.name) + detail::bin(one.value);
        detail::testing_link link(event, items, chunks, with.cancel);
        detail::session(link, worker_->app_, name_, static_cast<std::int64_t>(detail::limits::heartbeat_seconds * 1000)).serve();
        answer result;
        for (detail::testing_link::received& one : link.answers) {
            if (one.is_error) result.error.emplace(one.category, one.code, std::move(one.text));
            else result.chunks.push_back(std::move(one.text));
        }
        return result;
    }

private:
    std::string name_;
    std::unique_ptr<worker> worker_;
};

}  // namespace cocaine::testing

#undef COCAINE_APP
#define COCAINE_APP(name) static void cocaine_app_setup(::cocaine::worker& name)
