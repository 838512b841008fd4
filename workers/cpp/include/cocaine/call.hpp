// What a handler sees: the request, the answer, and an answer that outlives it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "detail/limits.hpp"
#include "headers.hpp"

namespace cocaine {

namespace detail {
struct remote_call;
}

// Of an error that an app gives itself, unless it says another.
inline constexpr int app_category = 42;

// Of an error of the node's, and its code for a client that went away.
inline constexpr int node_category = 1000;
inline constexpr int client_gone = 400;

// The caller gave up: nobody reads this answer any more. Thrown by reads and writes of a cancelled call; a handler may let it pass. The
// caller's error says why: [1000, 400] that the client went away, [1000, 520] that the deadline passed; any other one is the caller's own.
class cancelled : public std::runtime_error {
public:
    explicit cancelled(int category = node_category, int code = client_gone, std::string reason = {})
        : std::runtime_error("the caller gave up"), category_(category), code_(code), reason_(std::move(reason)) {}

    int category() const { return category_; }
    int code() const { return code_; }
    const std::string& reason() const { return reason_; }

private:
    int category_;
    int code_;
    std::string reason_;
};

// A chunk of an answer is longer than a message may be, 64 MiB. Written in pieces it may be as long as it likes. An error of the call when
// the handler lets it pass: [1000, 413].
class chunk_too_long : public std::length_error {
public:
    explicit chunk_too_long(std::size_t size)
        : std::length_error("a chunk has at most " + std::to_string(detail::limits::chunk_bytes) + " bytes, and this one has "
                            + std::to_string(size) + ": write it in pieces") {}
};

// A call's request. Valid while its handler runs; for on_stream, until the call has ended.
class request {
public:
    virtual ~request() = default;

    // The event that was called: the task's name.
    virtual std::string_view event() const = 0;

    // The next chunk, or nothing at the end of the request. In a handler of on() every chunk is here already; in one of on_thread() it
    // waits, and throws cancelled. The bytes are valid until the next read.
    virtual std::optional<std::string_view> read() = 0;

    // What was not read yet, to the end and in one piece. Valid until the handler returns. In a handler of on_thread() it waits.
    virtual std::string_view body() = 0;

    // The caller gave up. Looks whether news have come, so a long handler may ask now and then.
    virtual bool cancelled() = 0;

    // With the caller's error, once the caller has given up. (For on_cancel, say, where nothing is thrown.)
    virtual std::optional<cocaine::cancelled> cancellation() = 0;

    // For on_stream(): what to do with each chunk, at the end of the request, and when the caller gives up.
    virtual void on_chunk(std::function<void(std::string_view)> callback) = 0;
    virtual void on_end(std::function<void()> callback) = 0;
    virtual void on_cancel(std::function<void()> callback) = 0;

    // The call's headers, decoded when they are asked for.
    std::vector<cocaine::header> headers() const { return detail::read_headers(raw_headers()); }

    // The value of the first header of that name, as raw bytes; nothing when there is none.
    std::optional<std::string> header(std::string_view name) const {
        std::vector<cocaine::header> all = headers();
        const cocaine::header* one = detail::find_header(all, name);
        return one == nullptr ? std::nullopt : std::optional<std::string>(one->value);
    }

    // 0 when the caller has not sent it.
    std::uint64_t trace_id() const { return detail::header_number(headers(), "trace_id"); }
    std::uint64_t span_id() const { return detail::header_number(headers(), "span_id"); }
    std::uint64_t parent_id() const { return detail::header_number(headers(), "parent_id"); }

    // As they came: an encoded MessagePack array.
    virtual std::string_view raw_headers() const = 0;
};

// An answer that may be given after the handler has returned, from any thread. Copies are the same answer; when the last one goes it
// is closed. Writes wait while the node takes less than they bring. After the call has ended, also by a caller that gave up, they do
// nothing and return false. A write throws chunk_too_long.
class answer {
public:
    answer() = default;

    bool write(std::string_view chunk) const;
    void error(int code, std::string_view reason, int category = app_category) const;
    void close() const;
    bool cancelled() const;

    explicit operator bool() const { return call_ != nullptr; }

private:
    friend struct detail::remote_call;
    explicit answer(std::shared_ptr<detail::remote_call> call) : call_(std::move(call)) {}

    std::shared_ptr<detail::remote_call> call_;
};

// A call's answer. Valid while its handler runs; for on_stream, until the call has ended. It is closed when the handler returns (for
// on_stream: when on_end has returned), unless it was ended before or later() was called. Used in the handler's thread: in another one a
// handler on the loop gets a std::logic_error. While a handler of on_thread() runs, other threads may write to its response, too.
class response {
public:
    virtual ~response() = default;

    // Sends a chunk. In handlers on the loop it leaves with others, within a millisecond of work; flush() sends it now. Throws
    // chunk_too_long, and cancelled.
    virtual void write(std::string_view chunk) = 0;

    // Ends the answer with an error of the app's own.
    virtual void error(int code, std::string_view reason, int category = app_category) = 0;

    // Ends the answer.
    virtual void close() = 0;

    virtual void flush() = 0;

    // The answer has ended: nothing more is taken.
    virtual bool ended() const = 0;

    // Takes the answer out of the handler's hands. What was written before goes first.
    virtual answer later() = 0;
};

using handler = std::function<void(request&, response&)>;

}  // namespace cocaine
