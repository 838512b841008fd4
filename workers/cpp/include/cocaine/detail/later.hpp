// Answers that are given later, or in other threads than the loop's: their messages go through an outlet that the loop empties.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "../call.hpp"
#include "forks.hpp"
#include "limits.hpp"
#include "link.hpp"

namespace cocaine::detail {

enum class post_kind { chunk, error, close, go_on };

struct posted {
    std::uint64_t channel;
    post_kind kind;
    std::string text;    // the chunk, or the error's reason
    int category = 0;
    int code = 0;
};

class outlet {
public:
    // `hear` is what the loop's thread does to wait for what comes, or to look whether something has come.
    outlet(link& to, std::function<void(bool waits)> hear) : link_(&to), loop_(std::this_thread::get_id()), hear_(std::move(hear)) {}

    bool is_loop() const { return std::this_thread::get_id() == loop_; }

    // The loop's, as all below that says so.
    void hear() { hear_(true); }

    // A handler on the loop has written so much.
    void look_after(std::size_t bytes) {
        unheard_ += bytes;
        if (unheard_ <= limits::listen_bytes) return;
        unheard_ = 0;
        hear_(false);
    }

    void post(posted&& one) {
        end_writing_child();
        std::unique_lock<std::mutex> lock(mutex_);
        if (!is_loop()) room_.wait(lock, [this] { return bytes_ < limits::posted_bytes || link_ == nullptr; });
        if (link_ == nullptr) return;
        bytes_ += one.text.size() + limits::posted_overhead_bytes;
        items_.push_back(std::move(one));
        if (items_.size() == 1) link_->ring();
    }

    bool take(std::deque<posted>& into) {
        std::lock_guard<std::mutex> lock(mutex_);
        if (items_.empty()) return false;
        into.swap(items_);
        bytes_ = 0;
        room_.notify_all();
        return true;
    }

    // Chunks that threads have not read. Past the bound the loop takes nothing more from the link, until half of it is read.
    void add_unread(std::size_t bytes) { unread_.fetch_add(bytes, std::memory_order_relaxed); }

    void take_unread(std::size_t bytes) {
        constexpr std::size_t enough = limits::unread_bytes / 2;
        std::size_t before = unread_.fetch_sub(bytes, std::memory_order_relaxed);
        if (before <= enough || before - bytes > enough) return;
        std::lock_guard<std::mutex> lock(mutex_);
        if (link_ != nullptr) link_->ring();
    }

    // The loop's. Only sums are looked at, and each change that matters rings: so relaxed is enough.
    bool is_full() {
        std::size_t unread = unread_.load(std::memory_order_relaxed);
        return full_ = unread > (full_ ? limits::unread_bytes / 2 : limits::unread_bytes);
    }

    // The loop has ended: what is posted from now on is dropped.
    void shut() {
        std::lock_guard<std::mutex> lock(mutex_);
        link_ = nullptr;
        items_.clear();
        room_.notify_all();
    }

private:
    std::mutex mutex_;
    std::condition_variable room_;
    std::deque<posted> items_;
    std::size_t bytes_ = 0;
    link* link_;
    std::thread::id loop_;
    std::function<void(bool)> hear_;    // the loop's
    std::size_t unheard_ = 0;           // the loop's: bytes that it has posted since it has heard the node
    std::atomic<std::size_t> unread_{0};
    bool full_ = false;    // the loop's: nothing is taken
};

// A call as other threads may hold it. The loop feeds its request; its answer goes to the outlet.
struct remote_call : std::enable_shared_from_this<remote_call> {
    remote_call(std::shared_ptr<outlet> to, std::uint64_t number, std::string event, std::string headers)
        : out(std::move(to)), channel(number), event_name(std::move(event)), header_bytes(std::move(headers)) {}

    ~remote_call() { close(); }

    remote_call(const remote_call&) = delete;
    remote_call& operator=(const remote_call&) = delete;

    // The app's hold on the answer, which it shares among all its copies. The loop holds the call too, so that the app has let go of it
    // is not seen by the end of this object: the hold has an end of its own.
    answer handle() {
        std::shared_ptr<remote_call> held = hold_.lock();
        if (!held) {
            held.reset(this, [self = shared_from_this()](remote_call*) mutable { std::exchange(self, nullptr)->close(); });
            hold_ = held;
        }
        return answer(std::move(held));
    }

    // False when the call has ended: the chunk goes nowhere.
    bool write(std::string_view chunk) {
        if (chunk.size() > limits::chunk_bytes) throw chunk_too_long(chunk.size());
        // Relaxed: whoever waits looks again under the mutex; a write that does not see it yet goes out as if it had been a moment earlier.
        if (paused.load(std::memory_order_relaxed)) wait_for_go_on();
        if (ended || is_cancelled) return false;
        out->post({channel, post_kind::chunk, std::string(chunk)});
        if (out->is_loop()) out->look_after(chunk.size());
        return true;
    }

    void error(int category, int code, std::string_view reason) {
        if (!ended.exchange(true)) out->post({channel, post_kind::error, std::string(reason), category, code});
    }

    void close() {
        if (!ended.exchange(true)) out->post({channel, post_kind::close, {}});
    }

    // The loop's: the node has asked to hold the chunks of this call, or to go on.
    void pause(bool holds) {
        std::lock_guard<std::mutex> lock(mutex);
        paused = holds;
        if (!holds) go_on.notify_all();
    }

    // The loop's calls. What comes before the call begins does not count as unread: nobody could read it, and it would keep from the loop
    // what others wait for. The node bounds it.
    // True when so much is unread that the node should hold what follows; then take_chunk tells when it should go on.
    bool push(std::string_view chunk) {
        if (begun_) out->add_unread(chunk.size());
        std::lock_guard<std::mutex> lock(mutex);
        chunks.emplace_back(chunk);
        unread_ += chunk.size();
        news.notify_one();
        if (unread_ <= limits::hold_bytes || holds_) return false;
        return holds_ = true;
    }

    // The handler's thread, which holds the mutex and has seen a chunk. True when the node should go on.
    bool take_chunk(std::string& into) {
        into = std::move(chunks.front());
        chunks.pop_front();
        unread_ -= into.size();
        if (!holds_ || unread_ >= limits::go_on_bytes || request_ended) return false;
        holds_ = false;
        return true;
    }

    // Before the handler's thread sees it.
    void begin() {
        begun_ = true;
        std::size_t bytes = 0;
        for (const std::string& one : chunks) bytes += one.size();
        out->add_unread(bytes);
    }

    // The answer has ended: nobody has to read what is left.
    void drop_unread() {
        std::size_t bytes = 0;
        {
            std::lock_guard<std::mutex> lock(mutex);
            for (const std::string& one : chunks) bytes += one.size();
            chunks.clear();
            unread_ = 0;
            go_on.notify_all();    // `ended` is set
        }
        if (begun_) out->take_unread(bytes);
    }

    void end() {
        std::lock_guard<std::mutex> lock(mutex);
        finish_request();
    }

    void cancel(const cocaine::cancelled& error) {
        std::lock_guard<std::mutex> lock(mutex);
        if (!is_cancelled) given_up_ = error;    // before the mark, after which any thread may read it
        is_cancelled = true;
        finish_request();
    }

    // Why the caller gave up; valid once it is cancelled.
    const cocaine::cancelled& given_up() const { return given_up_; }

    std::shared_ptr<outlet> out;
    const std::uint64_t channel;
    const std::string event_name;
    const std::string header_bytes;
    std::atomic<bool> ended{false};
    std::atomic<bool> is_cancelled{false};
    std::atomic<bool> given_away{false};    // thread: the handler has returned, and the answer is in other hands
    std::atomic<bool> paused{false};    // the node has asked to hold our chunks; set under the mutex
    std::mutex mutex;                   // over the two below
    std::condition_variable news;
    std::condition_variable go_on;      // for writers: the call is not paused any more, or has ended
    std::deque<std::string> chunks;
    bool request_ended = false;

private:
    void finish_request() {
        request_ended = true;
        news.notify_all();
        go_on.notify_all();
    }

    // No time is set: the node lets go, ends the call or is gone, and each of these is told.
    void wait_for_go_on() {
        auto may_go_on = [this] { return !paused || ended || is_cancelled; };
        if (out->is_loop()) {
            while (!may_go_on()) out->hear();
            return;
        }
        std::unique_lock<std::mutex> lock(mutex);
        go_on.wait(lock, may_go_on);
    }

    std::size_t unread_ = 0;            // bytes in chunks, under the mutex
    cocaine::cancelled given_up_;       // written once, before is_cancelled
    bool holds_ = false;                // the node was asked to hold what follows, under the mutex
    std::weak_ptr<remote_call> hold_;   // used by the handler's thread
    bool begun_ = false;                // the loop's
};

}  // namespace cocaine::detail

namespace cocaine {

inline bool answer::write(std::string_view chunk) const { return call_ && call_->write(chunk); }

inline void answer::error(int code, std::string_view reason, int category) const {
    if (call_) call_->error(category, code, reason);
}

inline void answer::close() const {
    if (call_) call_->close();
}

inline bool answer::cancelled() const { return call_ && call_->is_cancelled; }

}  // namespace cocaine
