// The link over shared memory.
#pragma once

#include <sys/epoll.h>
#include <unistd.h>

#include <cstring>
#include <stdexcept>
#include <string>

#include "limits.hpp"
#include "link.hpp"
#include "ring.hpp"

namespace cocaine::detail {

class pipe_link final : public link {
public:
    // `socket` tells that the node is gone; -1 in a thread of the node, where `stop` does.
    pipe_link(const segment& s, int own_bell, int node_bell, int socket, const volatile std::int32_t* stop)
        : in_(s.requests), out_(s.responses), words_(s.words), own_bell_(own_bell), node_bell_(node_bell), stop_(stop), spin_us_(s.spin_us),
          epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
        if (epoll_ < 0) throw std::runtime_error("epoll_create1 failed");
        // Edge-triggered: each ring wakes, though the bell's count is never read.
        watch(own_bell, EPOLLIN | EPOLLET, 0);
        if (socket >= 0) watch(socket, EPOLLIN | EPOLLRDHUP, 1);
    }

    ~pipe_link() override { ::close(epoll_); }

    pipe_link(const pipe_link&) = delete;
    pipe_link& operator=(const pipe_link&) = delete;

    bool take(listener& to) override {
        const unsigned char* payload;
        std::uint32_t length, kind;
        bool any = false;
        while (in_.next(payload, length, kind)) {
            any = true;
            if (kind == last_piece && pieces_.empty()) {
                take_all(to, payload, length);
                continue;
            }
            if (pieces_.size() + length > limits::message_bytes) throw broken_pipe("a message in pieces is over the limit of one message");
            pieces_.append(reinterpret_cast<const char*>(payload), length);
            if (in_.release()) ring_bell(node_bell_);
            if (kind == last_piece) {
                take_all(to, reinterpret_cast<const unsigned char*>(pieces_.data()), pieces_.size());
                std::string().swap(pieces_);
            }
        }
        if (in_.release()) ring_bell(node_bell_);
        if (stop_ && *stop_) throw abandoned("given up");
        return any;
    }

    void send(std::string_view first, std::string_view second, listener& meanwhile) override {
        std::size_t total = first.size() + second.size(), most = out_.max_payload(), at = 0;
        while (at < total) {
            std::size_t piece = total - at < most ? total - at : most;
            unsigned char* to = claim(piece, meanwhile);
            std::size_t left = piece, from = at;
            if (from < first.size()) {
                std::size_t part = first.size() - from < left ? first.size() - from : left;
                std::memcpy(to, first.data() + from, part);
                to += part;
                left -= part;
                from += part;
            }
            if (left > 0) std::memcpy(to, second.data() + (from - first.size()), left);
            at += piece;
            if (out_.publish(piece, at < total ? more_pieces : last_piece)) ring_bell(node_bell_);
        }
    }

    void wait(int timeout_ms) override {
        if (spin_us_ > 0) {
            for (std::int64_t until = now_us() + spin_us_; now_us() < until;)
                if (in_.has_records()) return;
        }
        if (!in_.park()) return;
        sleep(timeout_ms);
        in_.unpark();
    }

    // Not parked: the node rings for nothing that it writes meanwhile. What rang before is seen at once, and looked at in vain.
    void wait_for_ring(int timeout_ms) override { sleep(timeout_ms); }

    void ring() override { ring_bell(own_bell_); }

    begin_words words() const override { return words_; }

    void drain(int timeout_ms) override {
        for (std::int64_t until = now_us() + timeout_ms * 1000; !out_.everything_read() && now_us() < until;)
            if (out_.wait_for_room()) sleep(50);
        out_.room_came();
    }

private:
    unsigned char* claim(std::size_t length, listener& meanwhile) {
        for (;;) {
            if (unsigned char* to = out_.claim(length)) return to;
            if (!out_.wait_for_room()) continue;
            // Taking in what comes: were both sides to wait for room only, neither would make any. Then sleep, if nothing has changed.
            if (!meanwhile.while_blocked()) {
                sleep(limits::pipe_room_ms);    // for that room only: what comes would keep us from parking
            } else if (in_.park()) {
                sleep(limits::pipe_room_ms);
                in_.unpark();
            }
            out_.room_came();
        }
    }

    void sleep(int timeout_ms) {
        epoll_event events[2];
        int count = ::epoll_wait(epoll_, events, 2, timeout_ms);
        for (int i = 0; i < count; ++i)
            if (events[i].data.u32 == 1) throw abandoned("the node is gone"); // beside the pipe the socket says nothing but this
        if (stop_ && *stop_) throw abandoned("given up");
    }

    void watch(int descriptor, std::uint32_t events, std::uint32_t data) {
        epoll_event event{};
        event.events = events;
        event.data.u32 = data;
        if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) != 0) throw std::runtime_error("epoll_ctl failed");
    }

    static void take_all(listener& to, const unsigned char* bytes, std::size_t length) {
        message m;
        while (length > 0) {
            if (message::read(bytes, length, m) != parse::ok) throw broken_pipe("a record that is no message");
            to.take(m);
            bytes += m.size;
            length -= m.size;
        }
    }

    ring_reader in_;
    ring_writer out_;
    begin_words words_;
    int own_bell_;
    int node_bell_;
    const volatile std::int32_t* stop_;
    std::uint32_t spin_us_;
    int epoll_;
    std::string pieces_;    // of a long message
};

}  // namespace cocaine::detail
