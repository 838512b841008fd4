// The link over the socket, and the handshake, which is always there.
#pragma once

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "limits.hpp"
#include "link.hpp"

namespace cocaine::detail {

class socket_link final : public link {
public:
    explicit socket_link(int socket, const begin_words& words = {})
        : socket_(socket), bell_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), words_(words) {
        if (bell_ < 0) throw std::runtime_error("eventfd failed");
    }

    ~socket_link() override { ::close(bell_); }

    socket_link(const socket_link&) = delete;
    socket_link& operator=(const socket_link&) = delete;

    bool take(listener& to) override {
        bool any = false;
        for (int reads = 0; reads < limits::reads_in_a_row; ++reads) {
            if (buffer_.size() < filled_ + limits::read_bytes) buffer_.resize(filled_ + limits::read_bytes);
            ssize_t count = ::recv(socket_, buffer_.data() + filled_, buffer_.size() - filled_, MSG_DONTWAIT);
            if (count == 0) throw abandoned("the node is gone");
            if (count < 0) {
                if (errno == EINTR) continue;
                if (errno != EAGAIN && errno != EWOULDBLOCK) throw abandoned("the node is gone");
                break;
            }
            filled_ += static_cast<std::size_t>(count);
            any |= take_whole(to);
            if (static_cast<std::size_t>(count) < limits::read_bytes && filled_ == 0) break;
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
                ::poll(&wanted, 1, limits::socket_room_ms);
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

    void wait_for_ring(int timeout_ms) override {
        pollfd wanted[2] = {{socket_, POLLRDHUP, 0}, {bell_, POLLIN, 0}};    // that the node is gone is seen all the same
        if (::poll(wanted, 2, timeout_ms) <= 0) return;
        if (wanted[0].revents != 0) throw abandoned("the node is gone");
        std::uint64_t count;
        [[maybe_unused]] ssize_t got = ::read(bell_, &count, 8);
    }

    void ring() override { ring_bell(bell_); }

    begin_words words() const override { return words_; }

    void drain(int) override {}    // what the kernel has, the node gets

private:
    bool take_whole(listener& to) {
        std::size_t at = 0;
        bool any = false;
        message m;
        while (at < filled_) {
            parse p = message::read(reinterpret_cast<const unsigned char*>(buffer_.data()) + at, filled_ - at, m);
            if (p == parse::bad) throw broken_pipe("the node has sent what is no message");
            if (p == parse::more) {
                if (filled_ - at > limits::message_bytes) throw broken_pipe("a message over the limit");
                break;
            }
            to.take(m);
            at += m.size;
            any = true;
        }
        if (at > 0) std::memmove(buffer_.data(), buffer_.data() + at, filled_ - at);
        filled_ -= at;
        if (filled_ == 0 && buffer_.size() > 4 * limits::read_bytes) {
            buffer_.resize(limits::read_bytes);
            buffer_.shrink_to_fit();
        }
        return any;
    }

    int socket_;
    int bell_;
    begin_words words_;
    std::vector<char> buffer_;
    std::size_t filled_ = 0;
};

// The socket after the handshake, and what came with the node's answer.
struct connection {
    int socket = -1;
    int descriptors[3] = {-1, -1, -1};
    bool has_pipe = false;
    bool has_flow = false;
    bool has_begin = false;
};

inline connection connect_to_node(const std::string& path, const std::string& uuid, bool ask_for_pipe, bool has_page) {
    connection c;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) throw std::runtime_error("the endpoint's path is too long");
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    c.socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c.socket < 0 || ::connect(c.socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
        throw std::runtime_error("cannot reach the node at " + path + ": " + std::strerror(errno));
    std::string hello = handshake_message(uuid, ask_for_pipe, has_page);
    if (::send(c.socket, hello.data(), hello.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(hello.size()))
        throw abandoned("the node is gone");

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
        if (answer.size() > limits::handshake_answer_bytes) throw broken_pipe("the handshake's answer is too long");
    } while (message::read(reinterpret_cast<const unsigned char*>(answer.data()), answer.size(), m) == parse::more);
    if (m.channel != control_channel || m.type != control_type::heartbeat || (got != 0 && got != 3))
        throw broken_pipe("the handshake's answer is not one");
    c.has_pipe = got == 3;
    c.has_flow = m.has_ability("flow");
    c.has_begin = m.has_ability("begin");
    return c;
}

}  // namespace cocaine::detail
