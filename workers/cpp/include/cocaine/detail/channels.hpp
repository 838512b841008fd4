// Calls on the loop: their state, and the table of those that are open.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "remote.hpp"

namespace cocaine::detail {

struct call;
struct entry;

// The session, as calls see it.
struct call_owner {
    const std::thread::id loop = std::this_thread::get_id();    // the thread whose handlers' requests and responses these are

    virtual ~call_owner() = default;
    virtual void write(call& c, std::string_view chunk) = 0;
    virtual void fail(call& c, int category, int code, std::string_view reason) = 0;
    virtual void close(call& c) = 0;
    virtual void flush() = 0;
    virtual void listen() = 0;
    virtual std::shared_ptr<remote_call> remote(call& c) = 0;
};

class loop_request final : public request {
public:
    explicit loop_request(call& c) : call_(c) {}

    std::string_view event() const override;
    std::optional<std::string_view> read() override;
    std::string_view body() override;
    bool cancelled() override;
    void on_chunk(std::function<void(std::string_view)> callback) override;
    void on_end(std::function<void()> callback) override;
    void on_cancel(std::function<void()> callback) override;
    std::string_view raw_headers() const override;

private:
    call& call_;
};

// The objects of a handler on the loop, in another thread: what that wrote would mix with what the loop writes.
[[noreturn]] inline void refuse_thread() {
    throw std::logic_error("a request or a response of a handler on the loop is used in another thread: response.later() gives an answer "
                           "for other threads, and handlers of on_thread() may wait");
}

class loop_response final : public response {
public:
    explicit loop_response(call& c) : call_(c) {}

    void write(std::string_view chunk) override;
    void error(int code, std::string_view reason, int category) override;
    void close() override;
    void flush() override;
    bool ended() const override;
    answer later() override;

private:
    call& call_;
};

// One call on the loop. Pooled: a small request costs no allocation.
struct call {
    call() : ask(*this), reply(*this) {}
    call(const call&) = delete;
    call& operator=(const call&) = delete;

    call_owner* owner = nullptr;
    std::uint64_t number = 0;
    const entry* handler = nullptr;
    unsigned chunks_written = 0;
    int busy = 0;               // a handler or callback of it is on the stack
    bool queued = false;        // in the session's list of what is ready
    bool started = false;       // stream and thread: the handler was called
    bool held = false;          // the answer is in other hands: not closed when the handler returns
    bool end_told = false;      // stream: on_end was called
    bool ended = false;         // our terminal message is written
    bool node_ended = false;    // the node's has come
    bool cancelled = false;     // … and it was an error

    loop_request ask;
    loop_response reply;
    std::function<void(std::string_view)> on_chunk;
    std::function<void()> on_end;
    std::function<void()> on_cancel;
    std::shared_ptr<remote_call> remote;    // thread, or later() was called

    void must_be_on_loop() const {
        if (std::this_thread::get_id() != owner->loop) refuse_thread();
    }

    std::string_view headers() const { return header_bytes_.empty() ? std::string_view("\x93\x50\x51\x52", 4) : header_bytes_; }

    void begin(call_owner& by, std::uint64_t channel, const entry* known, std::string_view header_bytes) {
        owner = &by;
        number = channel;
        handler = known;
        chunks_written = 0;
        queued = started = held = end_told = ended = node_ended = cancelled = false;
        header_bytes_.assign(header_bytes);
    }

    void reset() {
        if (on_chunk) on_chunk = nullptr;
        if (on_end) on_end = nullptr;
        if (on_cancel) on_cancel = nullptr;
        remote.reset();
        constexpr std::size_t kept = 64 << 10;    // one large request does not stay in memory
        if (buffer_.capacity() > kept) std::string().swap(buffer_);
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

// Open calls by number: open addressing, at most half full.
class call_table {
public:
    call* find(std::uint64_t number) const {
        for (std::size_t at = number & mask(); slots_[at] != nullptr; at = (at + 1) & mask())
            if (slots_[at]->number == number) return slots_[at];
        return nullptr;
    }

    call* open(call_owner& owner, std::uint64_t number, const entry* known, std::string_view headers) {
        if ((count_ + 1) * 2 > slots_.size()) grow();
        call* c;
        if (free_.empty()) {
            all_.push_back(std::make_unique<call>());
            c = all_.back().get();
        } else {
            c = free_.back();
            free_.pop_back();
        }
        c->begin(owner, number, known, headers);
        place(c);
        ++count_;
        return c;
    }

    void release(call& c) {
        std::size_t at = c.number & mask();
        while (slots_[at] != &c) at = (at + 1) & mask();
        // Whoever stood behind for lack of room moves up, so that no search ends too early.
        for (std::size_t next = (at + 1) & mask(); slots_[next] != nullptr; next = (next + 1) & mask()) {
            std::size_t home = slots_[next]->number & mask();
            if (((next - home) & mask()) >= ((next - at) & mask())) {
                slots_[at] = slots_[next];
                at = next;
            }
        }
        slots_[at] = nullptr;
        --count_;
        c.reset();
        free_.push_back(&c);
    }

    template <class F>
    void each(F f) {
        for (call* c : slots_)
            if (c != nullptr) f(*c);
    }

private:
    std::size_t mask() const { return slots_.size() - 1; }

    void place(call* c) {
        std::size_t at = c->number & mask();
        while (slots_[at] != nullptr) at = (at + 1) & mask();
        slots_[at] = c;
    }

    void grow() {
        std::vector<call*> old(slots_.size() * 2, nullptr);
        old.swap(slots_);
        for (call* c : old)
            if (c != nullptr) place(c);
    }

    std::vector<call*> slots_ = std::vector<call*>(64, nullptr);
    std::vector<std::unique_ptr<call>> all_;
    std::vector<call*> free_;
    std::size_t count_ = 0;
};

std::string_view event_of(const entry& known);

inline std::string_view loop_request::event() const { return event_of(*call_.handler); }

inline std::optional<std::string_view> loop_request::read() {
    call_.must_be_on_loop();
    if (!call_.has_chunk()) return std::nullopt;
    return call_.view_chunk();
}

inline std::string_view loop_request::body() {
    call_.must_be_on_loop();
    return call_.view_rest();
}

inline bool loop_request::cancelled() {
    call_.must_be_on_loop();
    if (!call_.cancelled) call_.owner->listen();
    return call_.cancelled;
}

inline void loop_request::on_chunk(std::function<void(std::string_view)> callback) { call_.on_chunk = std::move(callback); }
inline void loop_request::on_end(std::function<void()> callback) { call_.on_end = std::move(callback); }
inline void loop_request::on_cancel(std::function<void()> callback) { call_.on_cancel = std::move(callback); }
inline std::string_view loop_request::raw_headers() const { return call_.headers(); }

inline void loop_response::write(std::string_view chunk) {
    call_.must_be_on_loop();
    call_.owner->write(call_, chunk);
}

inline void loop_response::error(int code, std::string_view reason, int category) {
    call_.must_be_on_loop();
    call_.owner->fail(call_, category, code, reason);
}

inline void loop_response::close() {
    call_.must_be_on_loop();
    call_.owner->close(call_);
}

inline void loop_response::flush() {
    call_.must_be_on_loop();
    call_.owner->flush();
}

inline bool loop_response::ended() const { return call_.ended; }

inline answer loop_response::later() {
    call_.must_be_on_loop();
    std::shared_ptr<remote_call> remote = call_.owner->remote(call_);
    call_.held = true;
    if (call_.node_ended) remote->end(call_.cancelled);
    return remote->handle();
}

}  // namespace cocaine::detail
