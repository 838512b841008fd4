// The way to the node: the shared-memory pipe, or the socket. Both belong to the worker's loop thread; only ring() may be called by others.
#pragma once

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "ring.hpp"
#include "wire.hpp"

namespace cocaine::detail {

// The node is gone, or has given this worker up.
struct abandoned : std::runtime_error {
    using std::runtime_error::runtime_error;
};

inline std::int64_t now_us() {
    return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// What a link does for the session while it has to wait: takes in messages, and nothing else.
struct listener {
    virtual ~listener() = default;
    virtual void take(const message& m) = 0;
    virtual void while_blocked() = 0;
};

class link {
public:
    virtual ~link() = default;

    // Gives every message that has come to the listener. False when there was none.
    virtual bool take(listener& to) = 0;

    // Whole messages, in two parts (a head and a long payload). Waits for room.
    virtual void send(std::string_view first, std::string_view second, listener& meanwhile) = 0;

    // Until something comes, ring() is called or the time is over.
    virtual void wait(int timeout_ms) = 0;

    // Wakes wait(), from any thread.
    virtual void ring() = 0;

    // After the last message: until the node has it, or the time is over.
    virtual void drain(int timeout_ms) = 0;
};

inline void ring_bell(int descriptor) {
    std::uint64_t one = 1;
    // It fails only when its count is at the limit: then it has been rung more than enough.
    [[maybe_unused]] ssize_t written = ::write(descriptor, &one, 8);
}

class pipe_link final : public link {
public:
    // `socket` tells that the node is gone; -1 in a thread of the node, where `stop` does.
    pipe_link(const segment& s, int own_bell, int node_bell, int socket, const volatile std::int32_t* stop)
        : in_(s.requests), out_(s.responses), own_bell_(own_bell), node_bell_(node_bell), stop_(stop), spin_us_(s.spin_us),
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
            if (pieces_.size() + length > max_message_bytes) throw broken_pipe("a message in pieces is over the limit of one message");
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

    void ring() override { ring_bell(own_bell_); }

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
            meanwhile.while_blocked();
            if (in_.park()) {
                sleep(1000);
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
    int own_bell_;
    int node_bell_;
    const volatile std::int32_t* stop_;
    std::uint32_t spin_us_;
    int epoll_;
    std::string pieces_;    // of a long message
};

class socket_link final : public link {
public:
    explicit socket_link(int socket) : socket_(socket), bell_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
        if (bell_ < 0) throw std::runtime_error("eventfd failed");
    }

    ~socket_link() override { ::close(bell_); }

    socket_link(const socket_link&) = delete;
    socket_link& operator=(const socket_link&) = delete;

    bool take(listener& to) override {
        bool any = false;
        for (int reads = 0; reads < 16; ++reads) {    // bounded: answers must leave though the node sends and sends
            if (buffer_.size() < filled_ + read_bytes) buffer_.resize(filled_ + read_bytes);
            ssize_t count = ::recv(socket_, buffer_.data() + filled_, buffer_.size() - filled_, MSG_DONTWAIT);
            if (count == 0) throw abandoned("the node is gone");
            if (count < 0) {
                if (errno == EINTR) continue;
                if (errno != EAGAIN && errno != EWOULDBLOCK) throw abandoned("the node is gone");
                break;
            }
            filled_ += static_cast<std::size_t>(count);
            any |= take_whole(to);
            if (static_cast<std::size_t>(count) < read_bytes && filled_ == 0) break;
        }
        return any;
    }

    void send(std::string_view first, std::string_view second, listener& meanwhile) override {
        iovec parts[2] = {{const_cast<char*>(first.data()), first.size()}, {const_cast<char*>(second.data()), second.size()}};
        std::size_t left = first.size() + second.size();
        msghdr header{};
        header.msg_iov = parts;
        header.msg_iovlen = 2;
        while (left > 0) {
            ssize_t count = ::sendmsg(socket_, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
            if (count < 0) {
                if (errno == EINTR) continue;
                if (errno != EAGAIN && errno != EWOULDBLOCK) throw abandoned("the node is gone");
                meanwhile.while_blocked();
                pollfd wanted{socket_, POLLOUT, 0};
                ::poll(&wanted, 1, 50);    // short: what comes in must be taken in too
                continue;
            }
            left -= static_cast<std::size_t>(count);
            for (std::size_t part = 0, rest = static_cast<std::size_t>(count); rest > 0; ++part) {
                std::size_t step = parts[part].iov_len < rest ? parts[part].iov_len : rest;
                parts[part].iov_base = static_cast<char*>(parts[part].iov_base) + step;
                parts[part].iov_len -= step;
                rest -= step;
            }
        }
    }

    void wait(int timeout_ms) override {
        pollfd wanted[2] = {{socket_, POLLIN, 0}, {bell_, POLLIN, 0}};
        if (::poll(wanted, 2, timeout_ms) > 0 && wanted[1].revents != 0) {
            std::uint64_t count;
            [[maybe_unused]] ssize_t got = ::read(bell_, &count, 8);
        }
    }

    void ring() override { ring_bell(bell_); }

    void drain(int) override {}    // what the kernel has, the node gets

private:
    static constexpr std::size_t read_bytes = 64 << 10;

    bool take_whole(listener& to) {
        std::size_t at = 0;
        bool any = false;
        message m;
        while (at < filled_) {
            parse p = message::read(reinterpret_cast<const unsigned char*>(buffer_.data()) + at, filled_ - at, m);
            if (p == parse::bad) throw broken_pipe("the node has sent what is no message");
            if (p == parse::more) {
                if (filled_ - at > max_message_bytes) throw broken_pipe("a message over the limit");
                break;
            }
            to.take(m);
            at += m.size;
            any = true;
        }
        if (at > 0) std::memmove(buffer_.data(), buffer_.data() + at, filled_ - at);
        filled_ -= at;
        if (filled_ == 0 && buffer_.size() > 4 * read_bytes) {
            buffer_.resize(read_bytes);
            buffer_.shrink_to_fit();
        }
        return any;
    }

    int socket_;
    int bell_;
    std::vector<char> buffer_;
    std::size_t filled_ = 0;
};

// The socket after the handshake, and what came with the node's answer.
struct connection {
    int socket = -1;
    int descriptors[3] = {-1, -1, -1};
    bool has_pipe = false;
};

inline connection connect_to_node(const std::string& path, const std::string& uuid, bool ask_for_pipe) {
    connection c;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) throw std::runtime_error("the endpoint's path is too long");
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    c.socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c.socket < 0 || ::connect(c.socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
        throw std::runtime_error("cannot reach the node at " + path + ": " + std::strerror(errno));
    std::string hello = handshake_message(uuid, ask_for_pipe);
    if (::send(c.socket, hello.data(), hello.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(hello.size()))
        throw abandoned("the node is gone");
    if (!ask_for_pipe) return c;

    // The answer and nothing of what follows it: without a pipe the next message may be right behind. So, byte by byte.
    std::string answer;
    message m;
    std::size_t got = 0;
    do {
        char byte;
        alignas(cmsghdr) char control[CMSG_SPACE(3 * sizeof(int))];
        iovec part{&byte, 1};
        msghdr header{};
        header.msg_iov = &part;
        header.msg_iovlen = 1;
        header.msg_control = control;
        header.msg_controllen = sizeof control;
        ssize_t count = ::recvmsg(c.socket, &header, MSG_CMSG_CLOEXEC);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) throw abandoned("the node is gone");
        for (cmsghdr* one = CMSG_FIRSTHDR(&header); one; one = CMSG_NXTHDR(&header, one)) {
            if (one->cmsg_level != SOL_SOCKET || one->cmsg_type != SCM_RIGHTS) continue;
            for (std::size_t i = 0; i < (one->cmsg_len - CMSG_LEN(0)) / sizeof(int) && got < 3; ++i)
                std::memcpy(&c.descriptors[got++], CMSG_DATA(one) + i * sizeof(int), sizeof(int));
        }
        answer += byte;
        if (answer.size() > 256) throw broken_pipe("the handshake's answer is too long");
    } while (message::read(reinterpret_cast<const unsigned char*>(answer.data()), answer.size(), m) == parse::more);
    if (m.channel != 1 || m.type != 0 || (got != 0 && got != 3)) throw broken_pipe("the handshake's answer is not one");
    c.has_pipe = got == 3;
    return c;
}

}  // namespace cocaine::detail
