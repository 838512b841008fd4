// The worker's side of the protocol over a link: channels, handlers, terminate. It belongs to the loop's thread.
#pragma once

#include <algorithm>
#include <deque>
#include <memory>
#include <string>
#include <utility>

#include "app.hpp"
#include "begin.hpp"
#include "calls.hpp"
#include "failures.hpp"
#include "output.hpp"
#include "threads.hpp"

namespace cocaine::detail {

class session final : public listener, public call_owner {
public:
    // With has_flow the node has flow control of one channel.
    session(link& to, std::shared_ptr<const catalog> app, std::string app_name, std::int64_t heartbeat_ms, bool has_flow = false)
        : link_(to), app_(std::move(app)), app_name_(std::move(app_name)), out_(to, *this, heartbeat_ms),
          outlet_(std::make_shared<outlet>(to, [this](bool waits) { waits ? hear() : look(); })), pool_(std::make_shared<thread_pool>()),
          gate_(to.words()), has_flow_(has_flow) {}

    // Serves until the node asks us to end and every call is answered. Throws abandoned and broken_pipe.
    void serve() {
        try {
            gate_.keep(control_channel);
            out_.flush_when_due();    // the first heartbeat: the node knows by it that a handler has run
            while (!draining_ || running_ > 0) turn();
            flush();
            link_.drain(limits::drain_ms);
        } catch (...) {
            leave(false);
            throw;
        }
        leave(true);
    }

    void take(const message& m) override {
        ++taken_;
        if (m.channel == control_channel) {
            if (m.type == control_type::terminate) draining_ = true;    // a heartbeat's answer needs nothing
            if (m.type == control_type::flow && has_flow_) pause(m);
            if (m.type == control_type::recall && gate_.is_kept()) take_back(m);
            return;
        }
        open_call* c = calls_.find(m.channel);
        if (c == nullptr) {
            if (m.channel > newest_ && m.type == message_type::write && m.has_data) open(m);
            return;    // else it is late: the call has ended here already
        }
        switch (m.type) {
            case message_type::write:
                if (m.has_data && !c->ended && !c->node_ended) receive(*c, m.data);
                break;
            case message_type::error:
            case message_type::close:
                if (m.type == message_type::error) c->given_up = error_of(m);
                node_ends(*c, m.type == message_type::error);
                break;
            default:
                break;
        }
    }

    bool while_blocked() override {
        bool has_room = has_flow_ || (unread_ < limits::unread_bytes && !outlet_->is_full());
        if (has_room) link_.take(*this);
        return has_room;
    }

    // What loop_request and loop_response ask for.
    void write(call& c, std::string_view chunk) override {
        while (c.paused && !c.cancelled && !c.ended) hear();
        if (c.cancelled) throw c.given_up;
        if (c.ended) throw std::logic_error("the answer has ended");
        out_.chunk(c.number, chunk);
        if (c.chunks_written++ > 0) out_.flush_when_due();    // a handler with one chunk is looked after when it returns
        unheard_ += chunk.size();
        if (unheard_ <= limits::listen_bytes) return;
        unheard_ = 0;
        look();
    }

    void fail(call& c, int category, int code, std::string_view reason) override {
        if (c.ended) return;
        out_.error(c.number, category, code, reason);
        finish(c);
    }

    void close(call& c) override {
        if (c.ended) return;
        out_.close(c.number);
        finish(c);
    }

    void flush() override { out_.flush(); }

    void listen() override {
        out_.flush_when_due();
        link_.take(*this);
    }

    // Runs no handler, but all else goes on: what comes, what threads write, the heartbeat. Waits only when nothing has come, also not
    // while the flush waited for room.
    void hear() override {
        std::uint64_t before = taken_;
        take_posted();
        std::int64_t now = now_us();
        out_.beat_when_due(now);
        out_.flush();
        if (!link_.take(*this) && taken_ == before) link_.wait(static_cast<int>((out_.next_beat_us() - now) / 1000) + 1);
    }

    std::shared_ptr<remote_call> remote(call& c) override {
        if (!c.remote) {
            c.remote = std::make_shared<remote_call>(outlet_, c.number, c.handler->event, std::string(c.headers()));
            c.remote->pause(c.paused);
        }
        return c.remote;
    }

private:
    // In a handler that writes much: has the node something to say?
    void look() {
        take_posted();
        out_.flush_when_due();
        while_blocked();
    }

    void turn() {
        bool any = may_take() && link_.take(*this);
        unheard_ = 0;
        run_ready();
        begin_waiting();
        any |= take_posted();
        std::int64_t now = now_us();
        out_.beat_when_due(now);
        out_.flush();
        if (any || !ready_.empty() || can_begin() || (draining_ && running_ == 0)) return;
        int timeout_ms = static_cast<int>((out_.next_beat_us() - now) / 1000) + 1;
        // Asked again: what a thread has read meanwhile may have rung for a flush.
        if (may_take()) link_.wait(timeout_ms);
        else link_.wait_for_ring(timeout_ms);
    }

    // A recall is read however much is unread: what stands before it has a bound, and nothing begins without it.
    bool may_take() { return has_flow_ || !outlet_->is_full() || gate_.must_read_on(); }

    static cocaine::cancelled error_of(const message& m) {
        int category, code;
        std::string_view reason;
        return m.read_error(category, code, reason) ? cocaine::cancelled(category, code, std::string(reason)) : cocaine::cancelled();
    }

    void open(const message& m) {
        newest_ = m.channel;
        const entry* known = app_->find(m.data);
        if (known == nullptr) {
            out_.error(
                m.channel, node_category, not_found, "there is no event '" + std::string(m.data) + "' in app '" + app_name_ + "'");
            return;    // the node's own terminal message comes later and finds nobody
        }
        open_call* c = calls_.open(*this, m.channel, known, m.headers);
        ++running_;
        if (known->how == manner::thread) remote(*c);
        if (known->how != manner::whole) make_ready(*c);
    }

    void receive(open_call& c, std::string_view data) {
        if (c.handler->how == manner::thread) {
            if (c.remote->push(data) && has_flow_) out_.flow(c.number, true);
            return;
        }
        unread_ += data.size();
        c.add(data);
        if (c.handler->how != manner::stream) return;
        if (has_flow_ && c.unread() > limits::hold_bytes && !c.holds) ask(c, true);
        make_ready(c);
    }

    // The node, to hold what follows of a request, or to go on.
    void ask(call& c, bool holds) {
        c.holds = holds;
        out_.flow(c.number, holds);
    }

    // The node asks to hold the chunks of an answer, or to go on.
    void pause(const message& m) {
        std::uint64_t number;
        bool holds;
        if (!m.read_flow(number, holds)) throw broken_pipe("a flow message of another form");
        open_call* c = calls_.find(number);
        if (c == nullptr || c->ended) return;
        c->paused = holds;
        if (c->remote) c->remote->pause(holds);
    }

    void node_ends(open_call& c, bool by_cancel) {
        c.node_ended = true;
        if (by_cancel) c.cancelled = true;
        if (c.remote && by_cancel) c.remote->cancel(c.given_up);
        else if (c.remote) c.remote->end();
        bool ends_here = !c.begun || (c.handler->how == manner::thread && c.remote->given_away);
        if (by_cancel && !c.ended && ends_here) {
            if (!c.begun) unqueue(c);    // nor does it wait for a place, which others may have for long
            fail(c, node_category, app_error, "cancelled");    // which releases it
            return;
        }
        if (c.ended)
            release(c);
        else if (c.handler->how != manner::thread)
            make_ready(c);
    }

    // The node has the calls from one on again that have not begun: nothing is written on them.
    void take_back(const message& m) {
        std::uint64_t count, from;
        if (!m.read_recall(count, from)) throw broken_pipe("a recall without its numbers");
        gate_.read(count);
        for (open_call* c : calls_.not_begun(from)) {
            if (c->remote) c->remote->ended = true;    // it closes nothing when it goes
            --running_;
            release(*c);
        }
    }

    // Those that have not begun wait in a list of their own, in the order in which they may begin.
    std::deque<open_call*>& queue_of(const call& c) { return c.begun ? ready_ : waiting_; }

    void make_ready(open_call& c) {
        if (!c.queued) {
            c.queued = true;
            queue_of(c).push_back(&c);
        }
    }

    void unqueue(call& c) {
        if (!c.queued) return;
        c.queued = false;
        std::deque<open_call*>& queue = queue_of(c);
        queue.erase(std::find(queue.begin(), queue.end(), &c));
    }

    void run_ready() {
        for (std::size_t left = ready_.size(); left > 0 && !ready_.empty(); --left) {
            open_call& c = *ready_.front();
            ready_.pop_front();
            c.queued = false;
            run(c);
            if (left > 1) out_.flush_when_due();
        }
    }

    bool can_begin() const { return !waiting_.empty() && gate_.has_place(); }

    void begin_waiting() {
        for (std::size_t left = waiting_.size(); left > 0 && can_begin() && gate_.begin(waiting_.front()->number); --left) {
            open_call& c = *waiting_.front();
            waiting_.pop_front();
            c.queued = false;
            c.begun = true;
            run(c);
            if (left > 1) out_.flush_when_due();
        }
    }

    void run(open_call& c) {
        ++c.busy;
        attend(c);
        --c.busy;
        if (c.ended && c.node_ended) release(c);
    }

    // Runs what there is to run of a call.
    void attend(open_call& c) {
        if (c.ended) return;
        try {
            switch (c.handler->how) {
                case manner::whole:
                    if (c.cancelled) throw c.given_up;    // an answer of later() ends then, too: nobody reads it any more
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

    void attend_stream(open_call& c) {
        if (!c.started) {
            c.started = true;
            c.handler->run(c.ask, c.reply);
        }
        while (!c.ended && !c.cancelled && c.has_chunk()) {
            std::string chunk = c.take_chunk();    // its own copy: while a callback writes, more may come
            unread_ -= chunk.size();
            if (c.holds && c.unread() < limits::go_on_bytes && !c.node_ended) ask(c, false);
            if (c.on_chunk) c.on_chunk(chunk);
        }
        if (c.cancelled && !c.ended) {
            if (c.on_cancel) std::exchange(c.on_cancel, nullptr)();
            throw c.given_up;
        } else if (c.node_ended && !c.ended && !c.end_told) {
            c.end_told = true;
            if (c.on_end) c.on_end();
            if (!c.held) close(c);
        }
    }

    void start_thread(open_call& c) {
        if (c.started) return;
        c.started = true;
        c.held = true;
        c.remote->begin();
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
                if (remote->is_cancelled) remote->error(node_category, app_error, "cancelled");
            } catch (...) {
                failure why = describe_current();
                remote->error(node_category, why.code, why.text);
            }
        });
    }

    // From other threads: what they have posted. True when there was something.
    bool take_posted() {
        if (!outlet_->take(posted_)) return false;
        for (; !posted_.empty(); posted_.pop_front()) {
            posted& one = posted_.front();
            open_call* c = calls_.find(one.channel);
            if (c == nullptr || c->ended) continue;
            switch (one.kind) {
                case post_kind::chunk:
                    if (!c->cancelled) out_.chunk(c->number, one.text);
                    break;
                case post_kind::error:
                    fail(*c, one.category, one.code, one.text);
                    break;
                case post_kind::close:
                    close(*c);
                    break;
                case post_kind::go_on:
                    if (has_flow_ && !c->node_ended) out_.flow(c->number, false);
                    break;
            }
        }
        return true;
    }

    // Our side of a call has ended.
    void finish(call& c) {
        c.ended = true;
        --running_;
        if (c.begun) gate_.end();
        if (c.remote) {
            c.remote->ended = true;
            c.remote->drop_unread();
        }
        if (c.node_ended && c.busy == 0 && !c.queued) release(c);
    }

    void release(call& c) {
        if (c.busy > 0) return;    // run_ready does it when its handler has returned
        unqueue(c);
        unread_ -= c.handler->how == manner::whole ? c.size() : c.unread();
        calls_.release(static_cast<open_call&>(c));    // the table makes no others
    }

    void fail_with_current(open_call& c) {
        failure why = describe_current();
        fail(c, node_category, why.code, why.text);
    }

    // Nothing of ours may touch the link from here on.
    void leave(bool wait_for_threads) {
        outlet_->shut();
        calls_.each([](call& c) {
            if (c.remote) c.remote->cancel(cocaine::cancelled());
        });
        pool_->stop(wait_for_threads);
    }

    link& link_;
    std::shared_ptr<const catalog> app_;
    std::string app_name_;
    output out_;
    std::shared_ptr<outlet> outlet_;
    std::shared_ptr<thread_pool> pool_;
    call_table calls_;
    begin_gate gate_;
    std::deque<open_call*> ready_;      // begun: something has come for them
    std::deque<open_call*> waiting_;    // not begun: their handlers can be called
    std::deque<posted> posted_;
    std::uint64_t newest_ = control_channel;
    std::size_t running_ = 0;          // calls that we have not ended
    std::uint64_t taken_ = 0;        // messages of the node
    std::size_t unread_ = 0;         // bytes of requests that no handler has taken
    std::size_t unheard_ = 0;        // bytes written by handlers on the loop since the node was listened to
    bool draining_ = false;
    const bool has_flow_;
};

}  // namespace cocaine::detail
