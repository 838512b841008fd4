// Calls on the loop: their state, and the part of their request that was not read.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "app.hpp"
#include "frames.hpp"
#include "later.hpp"
#include "limits.hpp"

namespace cocaine::detail {

struct call;

// The session, as calls see it.
struct call_owner {
    const std::thread::id loop = std::this_thread::get_id();    // the thread whose handlers' requests and responses these are

    virtual ~call_owner() = default;
    virtual void write(call& c, std::string_view chunk) = 0;
    virtual void fail(call& c, int category, int code, std::string_view reason) = 0;
    virtual void close(call& c) = 0;
    virtual void flush() = 0;
    virtual void listen() = 0;
    virtual void hear() = 0;    // waits for what comes next
    virtual std::shared_ptr<remote_call> remote(call& c) = 0;
};

// The objects of a handler on the loop, in another thread: what that wrote would mix with what the loop writes.
[[noreturn]] inline void refuse_thread() {
    throw std::logic_error("a request or a response of a handler on the loop is used in another thread: response.later() gives an answer "
                           "for other threads, and handlers of on_thread() may wait");
}

// One call on the loop.
struct call {
    call() = default;
    call(const call&) = delete;
    call& operator=(const call&) = delete;

    call_owner* owner = nullptr;
    std::uint64_t number = 0;
    const entry* handler = nullptr;
    unsigned chunks_written = 0;
    int busy = 0;               // a handler or callback of it is on the stack
    bool queued = false;        // in the session's list of what is ready, or of what may begin
    bool begun = false;         // the node cannot take it back any more
    bool started = false;       // stream and thread: the handler was called
    bool paused = false;        // the node has asked to hold our chunks
    bool holds = false;         // stream: the node was asked to hold its chunks
    bool held = false;          // the answer is in other hands: not closed when the handler returns
    bool end_told = false;      // stream: on_end was called
    bool ended = false;         // our terminal message is written
    bool node_ended = false;    // the node's has come
    bool cancelled = false;     // … and it was an error
    cocaine::cancelled given_up;    // … this one; valid when it is cancelled

    std::function<void(std::string_view)> on_chunk;
    std::function<void()> on_end;
    std::function<void()> on_cancel;
    std::shared_ptr<remote_call> remote;    // thread, or later() was called

    void must_be_on_loop() const {
        if (std::this_thread::get_id() != owner->loop) refuse_thread();
    }

    std::string_view headers() const { return header_bytes_.empty() ? bare_headers : std::string_view(header_bytes_); }

    void begin(call_owner& by, std::uint64_t channel, const entry* known, std::string_view header_bytes) {
        owner = &by;
        number = channel;
        handler = known;
        chunks_written = 0;
        queued = begun = started = paused = holds = held = end_told = ended = node_ended = cancelled = false;
        header_bytes_.assign(header_bytes);
    }

    void reset() {
        if (on_chunk) on_chunk = nullptr;
        if (on_end) on_end = nullptr;
        if (on_cancel) on_cancel = nullptr;
        remote.reset();
        if (buffer_.capacity() > limits::kept_buffer_bytes) std::string().swap(buffer_);
        buffer_.clear();
        sizes_.clear();
        next_ = read_ = 0;
    }

    void add(std::string_view data) {
        buffer_.append(data);
        sizes_.push_back(data.size());
    }

    bool has_chunk() const { return next_ < sizes_.size(); }

    // For handlers whose request is whole: the bytes stay where they are.
    std::string_view view_chunk() {
        std::string_view chunk(buffer_.data() + read_, sizes_[next_]);
        read_ += sizes_[next_++];
        return chunk;
    }

    std::string_view view_rest() {
        std::string_view rest(buffer_.data() + read_, buffer_.size() - read_);
        read_ = buffer_.size();
        next_ = sizes_.size();
        return rest;
    }

    // For callbacks: a copy, and its room is free again.
    std::string take_chunk() {
        std::string chunk(view_chunk());
        if (!has_chunk()) {
            buffer_.clear();
            sizes_.clear();
            next_ = read_ = 0;
        }
        return chunk;
    }

    std::size_t unread() const { return buffer_.size() - read_; }

    std::size_t size() const { return buffer_.size(); }

private:
    std::string header_bytes_;
    std::string buffer_;                // chunks back to back
    std::vector<std::size_t> sizes_;
    std::size_t next_ = 0;              // chunk
    std::size_t read_ = 0;              // its place in the buffer
};

}  // namespace cocaine::detail
