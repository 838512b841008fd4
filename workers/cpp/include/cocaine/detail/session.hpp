// The worker's side of the protocol over a link: channels, handlers, heartbeats, terminate. It belongs to the loop's thread.
#pragma once

#include <utility>

#include "channels.hpp"
#include "failures.hpp"

namespace cocaine::detail {

enum class manner { whole, stream, thread };

struct entry {
    std::string event;
    manner how;
    cocaine::handler run;
};

inline std::string_view event_of(const entry& known) { return known.event; }

// An app's handlers by name. Filled before the worker runs, constant from then on.
class catalog {
public:
    void add(std::string event, manner how, cocaine::handler run) {
        if (event.empty() || event.size() > 256) throw std::invalid_argument("an event's name has 1 to 256 bytes");
        for (const auto& one : entries_)
            if (one->event == event) throw std::invalid_argument("there are two handlers for the event " + event);
        entries_.push_back(std::make_unique<entry>(entry{std::move(event), how, std::move(run)}));
    }

    // Few and mostly one: looked through in order.
    const entry* find(std::string_view event) const {
        for (const auto& one : entries_)
            if (one->event == event) return one.get();
        return nullptr;
    }

    bool empty() const { return entries_.empty(); }

private:
    std::vector<std::unique_ptr<entry>> entries_;
};

class session final : public listener, public call_owner {
public:
    static constexpr std::int64_t usual_heartbeat_ms = 5000;

    session(link& to, std::shared_ptr<const catalog> app, std::string app_name, std::int64_t heartbeat_ms)
        : link_(to), app_(std::move(app)), app_name_(std::move(app_name)), heartbeat_us_(heartbeat_ms * 1000),
          outlet_(std::make_shared<outlet>(to)), pool_(std::make_shared<thread_pool>()) {
        out_.reserve(batch_bytes * 2);
        sending_.reserve(batch_bytes * 2);
    }

    // Serves until the node asks us to end and every call is answered. Throws abandoned and broken_pipe.
    void serve() {
        try {
            publish_when_due();    // the first heartbeat: the node knows by it that a handler has run
            while (!draining_ || running_ > 0) turn();
            flush();
            link_.drain(2000);
        } catch (...) {
            leave(false);
            throw;
        }
        leave(true);
    }

    void take(const message& m) override {
        if (m.channel == control_channel) {
            if (m.type == 1) draining_ = true;    // a heartbeat's answer needs nothing
            return;
        }
        call* c = calls_.find(m.channel);
        if (c == nullptr) {
            if (m.channel > newest_ && m.type == 0 && m.has_data) open(m);
            return;    // else it is late: the call has ended here already
        }
        switch (m.type) {
            case 0:
                if (m.has_data && !c->ended && !c->node_ended) receive(*c, m.data);
                break;
            case 1:
            case 2:
                node_ends(*c, m.type == 1);
                break;
            default:
                break;
        }
    }

    void while_blocked() override {
        if (buffered_ < max_buffered) link_.take(*this);
    }

    // What loop_request and loop_response ask for.
    void write(call& c, std::string_view chunk) override {
        if (c.cancelled) throw cancelled();
        if (c.ended) throw std::logic_error("the answer has ended");
        put_chunk(c.number, chunk);
        if (c.chunks_written++ > 0) publish_when_due();    // a handler with one chunk is looked after when it returns
    }

    void fail(call& c, int category, int code, std::string_view reason) override {
        if (c.ended) return;
        out_ += error_message(c.number, category, code, cut(reason, most_reason_bytes));
        finish(c);
    }

    void close(call& c) override {
        if (c.ended) return;
        char head[max_head_bytes];
        out_.append(head, static_cast<std::size_t>(store_close(head, c.number) - head));
        finish(c);
    }

    void flush() override {
        end_writing_child();
        published_us_ = now_us();
        if (out_.empty()) return;
        out_.swap(sending_);    // what is written while the link waits for room goes behind it
        link_.send(sending_, {}, *this);
        sending_.clear();
    }

    void listen() override {
        publish_when_due();
        link_.take(*this);
    }

    std::shared_ptr<remote_call> remote(call& c) override {
        if (!c.remote) c.remote = std::make_shared<remote_call>(outlet_, c.number, c.handler->event, std::string(c.headers()));
        return c.remote;
    }

private:
    static constexpr std::uint64_t control_channel = 1;
    static constexpr std::size_t batch_bytes = 32 << 10;      // answers shown together at most, so that the node starts on them
    static constexpr std::size_t long_chunk = 16 << 10;       // goes to the link by itself: copied once only
    static constexpr std::int64_t quick_us = 1000;            // answers wait no longer than this for others
    static constexpr std::size_t max_buffered = 8 << 20;      // requests taken in while answers wait for room

    void turn() {
        bool any = link_.take(*this);
        run_ready();
        any |= take_posted();
        std::int64_t now = now_us();
        if (now >= next_beat_us_) {
            next_beat_us_ = now + heartbeat_us_;
            out_.append(heartbeat_message, sizeof heartbeat_message);
        }
        flush();
        if (!any && ready_.empty() && !(draining_ && running_ == 0))
            link_.wait(static_cast<int>((next_beat_us_ - now) / 1000) + 1);
    }

    void open(const message& m) {
        newest_ = m.channel;
        const entry* known = app_->find(m.data);
        if (known == nullptr) {
            out_ += error_message(m.channel, 1000, 404, "there is no event '" + std::string(m.data) + "' in app " + app_name_);
            return;    // the node's own terminal message comes later and finds nobody
        }
        call* c = calls_.open(*this, m.channel, known, m.headers);
        ++running_;
        if (known->how == manner::thread) remote(*c);
        if (known->how != manner::whole) make_ready(*c);
    }

    void receive(call& c, std::string_view data) {
        if (c.handler->how == manner::thread) {
            c.remote->push(data);
            return;
        }
        buffered_ += data.size();
        c.add(data);
        if (c.handler->how == manner::stream) make_ready(c);
    }

    void node_ends(call& c, bool by_cancel) {
        c.node_ended = true;
        if (by_cancel) c.cancelled = true;
        if (c.remote) c.remote->end(by_cancel);
        if (by_cancel && !c.ended && c.handler->how == manner::thread && c.remote->given_away) {
            fail(c, 1000, 502, "cancelled");    // which releases it
            return;
        }
        if (c.ended)
            release(c);
        else if (c.handler->how != manner::thread)
            make_ready(c);
    }

    void make_ready(call& c) {
        if (!c.queued) {
            c.queued = true;
            ready_.push_back(&c);
        }
    }

    void run_ready() {
        for (std::size_t left = ready_.size(); left > 0 && !ready_.empty(); --left) {
            call& c = *ready_.front();
            ready_.pop_front();
            c.queued = false;
            ++c.busy;
            attend(c);
            --c.busy;
            if (c.ended && c.node_ended) release(c);
            if (left > 1) publish_when_due();
        }
    }

    // Runs what there is to run of a call.
    void attend(call& c) {
        if (c.ended) return;
        try {
            switch (c.handler->how) {
                case manner::whole:
                    if (c.cancelled) throw cancelled();    // an answer of later() ends then, too: nobody reads it any more
                    if (c.held) return;
                    c.handler->run(c.ask, c.reply);
                    if (!c.held) close(c);
                    break;
                case manner::stream:
                    attend_stream(c);
                    break;
                case manner::thread:
                    start_thread(c);
                    break;
            }
            end_forked_child(0);
        } catch (...) {
            fail_with_current(c);
        }
    }

    void attend_stream(call& c) {
        if (!c.started) {
            c.started = true;
            c.handler->run(c.ask, c.reply);
        }
        while (!c.ended && !c.cancelled && c.has_chunk()) {
            std::string chunk = c.take_chunk();    // its own copy: while a callback writes, more may come
            buffered_ -= chunk.size();
            if (c.on_chunk) c.on_chunk(chunk);
        }
        if (c.cancelled && !c.ended) {
            if (c.on_cancel) std::exchange(c.on_cancel, nullptr)();
            throw cancelled();
        } else if (c.node_ended && !c.ended && !c.end_told) {
            c.end_told = true;
            if (c.on_end) c.on_end();
            if (!c.held) close(c);
        }
    }

    void start_thread(call& c) {
        if (c.started) return;
        c.started = true;
        c.held = true;
        pool_->run([remote = c.remote, app = app_, run = &c.handler->run] {
            thread_request ask(*remote);
            thread_response reply(*remote);
            try {
                (*run)(ask, reply);
                end_forked_child(0);
                if (!reply.kept()) {
                    reply.close();
                    return;
                }
                // One of the two sees what the other has stored: this thread the cancel, or the loop that the answer was given away.
                remote->given_away = true;
                if (remote->is_cancelled) remote->error(1000, 502, "cancelled");
            } catch (...) {
                remote->error(1000, 502, describe_current());
            }
        });
    }

    // From other threads: what they have posted. True when there was something.
    bool take_posted() {
        if (!outlet_->take(posted_)) return false;
        for (; !posted_.empty(); posted_.pop_front()) {
            posted& one = posted_.front();
            call* c = calls_.find(one.channel);
            if (c == nullptr || c->ended) continue;
            switch (one.kind) {
                case post_kind::chunk:
                    if (!c->cancelled) put_chunk(c->number, one.text);
                    break;
                case post_kind::error:
                    fail(*c, one.category, one.code, one.text);
                    break;
                case post_kind::close:
                    close(*c);
                    break;
            }
        }
        return true;
    }

    void put_chunk(std::uint64_t channel, std::string_view chunk) {
        if (chunk.size() > max_chunk) throw std::length_error("a chunk is at most 64 MiB");
        char head[max_head_bytes];
        out_.append(head, static_cast<std::size_t>(store_chunk_head(head, channel, chunk.size()) - head));
        if (chunk.size() < long_chunk) {
            out_.append(chunk);
            if (out_.size() > batch_bytes) flush();
            return;
        }
        // Whole messages only go together in a record: what was written before leaves first.
        std::string own(head, static_cast<std::size_t>(store_chunk_head(head, channel, chunk.size()) - head));
        out_.resize(out_.size() - own.size());
        flush();
        link_.send(own, chunk, *this);
    }

    void publish_when_due() {
        std::int64_t now = now_us();
        if (now - published_us_ > quick_us) {
            if (now >= next_beat_us_) {
                next_beat_us_ = now + heartbeat_us_;
                out_.append(heartbeat_message, sizeof heartbeat_message);
            }
            flush();
        }
    }

    // Our side of a call has ended.
    void finish(call& c) {
        c.ended = true;
        --running_;
        if (c.remote) c.remote->ended = true;
        if (c.node_ended && c.busy == 0 && !c.queued) release(c);
    }

    void release(call& c) {
        if (c.busy > 0) return;    // run_ready does it when its handler has returned
        if (c.queued) {
            for (std::size_t i = 0; i < ready_.size(); ++i)
                if (ready_[i] == &c) {
                    ready_.erase(ready_.begin() + static_cast<std::ptrdiff_t>(i));
                    break;
                }
        }
        buffered_ -= c.handler->how == manner::whole ? c.size() : c.unread();
        calls_.release(c);
    }

    void fail_with_current(call& c) {
        std::string text = describe_current();
        fail(c, 1000, 502, text);
    }

    // Nothing of ours may touch the link from here on.
    void leave(bool wait_for_threads) {
        outlet_->shut();
        calls_.each([](call& c) {
            if (c.remote) c.remote->end(true);
        });
        pool_->stop(wait_for_threads);
    }

    static constexpr std::size_t max_chunk = std::size_t{64} << 20;

    link& link_;
    std::shared_ptr<const catalog> app_;
    std::string app_name_;
    std::int64_t heartbeat_us_;
    std::shared_ptr<outlet> outlet_;
    std::shared_ptr<thread_pool> pool_;
    call_table calls_;
    std::deque<call*> ready_;
    std::deque<posted> posted_;
    std::string out_;                  // whole messages, not sent yet
    std::string sending_;
    std::uint64_t newest_ = control_channel;
    std::size_t running_ = 0;          // calls that we have not ended
    std::size_t buffered_ = 0;         // bytes of requests that no handler has taken
    std::int64_t published_us_ = 0;
    std::int64_t next_beat_us_ = 0;    // the first goes out at once
    bool draining_ = false;
};

}  // namespace cocaine::detail
