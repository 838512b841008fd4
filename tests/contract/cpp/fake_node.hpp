// The node's end of a pipe, for tests that say at which moment the node does what.
#pragma once

#include <cocaine/worker.hpp>

#include <poll.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <deque>
#include <stdexcept>
#include <string>
#include <string_view>

class fake_node {
public:
    explicit fake_node(std::int32_t most_begun) : memory_(make_segment(most_begun)), segment_(cocaine::detail::segment::at(memory_, size)),
          requests_(segment_.requests), answers_(segment_.responses) {}

    ~fake_node() {
        for (int descriptor : {memfd_, worker_bell, node_bell, listener_, socket_})
            if (descriptor >= 0) ::close(descriptor);
        ::munmap(memory_, size);
    }

    fake_node(const fake_node&) = delete;
    fake_node& operator=(const fake_node&) = delete;

    void* memory() const { return memory_; }

    // For a worker process: where it finds us.
    void listen_at(const std::string& path) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
        listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || ::listen(listener_, 1) != 0)
            throw std::runtime_error("cannot listen");
    }

    // Answers the handshake with the pipe, and with flow control of one channel or without.
    void give_pipe(bool with_flow = false) {
        socket_ = ::accept(listener_, nullptr, nullptr);
        char hello[256];
        if (::recv(socket_, hello, sizeof hello, 0) <= 0) throw std::runtime_error("no handshake");
        std::string answer("\x93\x01\x00\x91\x81\xa4pipe\x01", 11);
        if (with_flow) answer = std::string("\x93\x01\x00\x91\x82\xa4" "flow\x01\xa4pipe\x01", 17);
        int descriptors[3] = {memfd_, worker_bell, node_bell};
        alignas(cmsghdr) char control[CMSG_SPACE(sizeof descriptors)] = {};
        iovec part{answer.data(), answer.size()};
        msghdr header{};
        header.msg_iov = &part;
        header.msg_iovlen = 1;
        header.msg_control = control;
        header.msg_controllen = sizeof control;
        cmsghdr* one = CMSG_FIRSTHDR(&header);
        one->cmsg_level = SOL_SOCKET;
        one->cmsg_type = SCM_RIGHTS;
        one->cmsg_len = CMSG_LEN(sizeof descriptors);
        std::memcpy(CMSG_DATA(one), descriptors, sizeof descriptors);
        if (::sendmsg(socket_, &header, MSG_NOSIGNAL) != static_cast<ssize_t>(answer.size())) throw std::runtime_error("no answer");
    }

    // Messages are collected, and shown together.
    void invoke(std::uint64_t channel, std::string_view event) {
        char head[cocaine::detail::max_head_bytes];
        char* end = cocaine::detail::store_chunk_head(head, channel, event.size());
        head[0] = static_cast<char>(0x94);
        shown_next_.append(head, end);
        shown_next_ += event;
        shown_next_ += cocaine::detail::bare_headers;
    }

    void chunk(std::uint64_t channel, std::string_view data) {
        char head[cocaine::detail::max_head_bytes];
        shown_next_.append(head, cocaine::detail::store_chunk_head(head, channel, data.size()));
        shown_next_ += data;
    }

    void close(std::uint64_t channel) {
        char head[cocaine::detail::max_head_bytes];
        shown_next_.append(head, cocaine::detail::store_close(head, channel));
    }

    void cancel(std::uint64_t channel) { shown_next_ += cocaine::detail::error_message(channel, 1000, 520, "given up"); }

    void flow(std::uint64_t channel, bool holds) {
        char message[2 * cocaine::detail::max_head_bytes];
        shown_next_.append(message, cocaine::detail::store_flow(message, channel, holds));
    }

    // Any bytes.
    void add(std::string_view bytes) { shown_next_ += bytes; }

    void terminate() { shown_next_ += std::string("\x93\x01\x01\x92\x01\xa4" "done", 10); }

    void call(std::uint64_t channel, std::string_view event, std::string_view request) {
        invoke(channel, event);
        chunk(channel, request);
        close(channel);
    }

    // The first half of a recall: what the worker has begun.
    std::uint64_t begin_recall() {
        __atomic_fetch_add(reinterpret_cast<std::uint32_t*>(segment_.base + 3200), 1, __ATOMIC_RELAXED);
        __atomic_thread_fence(__ATOMIC_SEQ_CST);    // the other half: begin_gate::begin
        return begun();
    }

    // The second: which calls are ours again.
    void recall(std::uint32_t count, std::uint64_t from) {
        char message[32] = {static_cast<char>(0x93), 1, 3, static_cast<char>(0x92)};
        char* end = cocaine::detail::store_unsigned(cocaine::detail::store_unsigned(message + 4, count), from);
        shown_next_.append(message, end);
    }

    // Waits for room, and reads nothing meanwhile.
    void show() {
        for (std::size_t at = 0; at < shown_next_.size();) {
            std::size_t piece = std::min(shown_next_.size() - at, requests_.max_payload());
            unsigned char* to;
            while ((to = requests_.claim(piece)) == nullptr) ::sched_yield();
            std::memcpy(to, shown_next_.data() + at, piece);
            at += piece;
            bool more = at < shown_next_.size();
            if (requests_.publish(piece, more ? cocaine::detail::more_pieces : cocaine::detail::last_piece)) ring();
        }
        shown_next_.clear();
    }

    void ring() { cocaine::detail::ring_bell(worker_bell); }

    std::uint64_t begun() const { return __atomic_load_n(segment_.words.begun, __ATOMIC_ACQUIRE); }

    // The worker has read all that was shown, and then has gone to sleep: in this order, for it parks for a moment before it reads, too.
    bool worker_waits() const {
        return __atomic_load_n(segment_.requests.head, __ATOMIC_ACQUIRE) == __atomic_load_n(segment_.requests.tail, __ATOMIC_RELAXED)
            && __atomic_load_n(segment_.requests.reader_parked, __ATOMIC_ACQUIRE) == 1;
    }

    bool worker_wants_room() const { return __atomic_load_n(segment_.responses.writer_waits, __ATOMIC_ACQUIRE) == 1; }

    // The worker's next message as text: "3:chunk", "3." for a close, "3!" for an error; heartbeats are left out, but for the first.
    std::string next() {
        while (come_.empty()) {
            if (take() || !answers_.park()) continue;
            pollfd wanted{node_bell, POLLIN, 0};
            ::poll(&wanted, 1, -1);
            std::uint64_t count;
            [[maybe_unused]] ssize_t got = ::read(node_bell, &count, 8);
            answers_.unpark();
        }
        std::string one = std::move(come_.front());
        come_.pop_front();
        return one;
    }

    // What the worker has asked for so far: "hold 3 go 3 ".
    const std::string& asked() const { return asked_; }

    std::uint64_t beats() const { return beats_; }

    // What has come and was not taken by next().
    std::size_t come() {
        take();
        return come_.size();
    }

    // What has come already; empty when there is nothing.
    std::string rest() {
        take();
        std::string all;
        for (const std::string& one : come_) all += one + " ";
        return all;
    }

    const int worker_bell = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    const int node_bell = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    static constexpr std::uint32_t ring_bytes = 64 << 10;
    static constexpr std::uint64_t size = 4096 + 2 * ring_bytes;

private:
    void* make_segment(std::int32_t most_begun) {
        memfd_ = ::memfd_create("fake-node", MFD_CLOEXEC);
        if (memfd_ < 0 || ::ftruncate(memfd_, size) != 0) throw std::runtime_error("no memory");
        void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, memfd_, 0);
        if (memory == MAP_FAILED) throw std::runtime_error("no memory");
        auto put = [memory](std::size_t at, auto value) { std::memcpy(static_cast<char*>(memory) + at, &value, sizeof value); };
        std::memcpy(memory, "CFPIPE01", 8);
        put(8, std::uint32_t{1});
        put(12, std::uint32_t{4096});
        put(16, size);
        put(32, ring_bytes);
        put(36, ring_bytes);
        put(40, std::uint64_t{4096});
        put(48, std::uint64_t{4096 + ring_bytes});
        put(60, most_begun);
        return memory;
    }

    bool take() {
        const unsigned char* payload;
        std::uint32_t length, kind;
        bool any = false;
        while (answers_.next(payload, length, kind)) {
            any = true;
            pieces_.append(reinterpret_cast<const char*>(payload), length);
            if (kind == cocaine::detail::last_piece) take_messages();
        }
        if (answers_.release()) ring();
        return any;
    }

    void take_messages() {
        for (std::size_t at = 0; at < pieces_.size();) {
            cocaine::detail::message m;
            const unsigned char* from = reinterpret_cast<const unsigned char*>(pieces_.data()) + at;
            if (cocaine::detail::message::read(from, pieces_.size() - at, m) != cocaine::detail::parse::ok)
                throw std::runtime_error("the worker has written what is no message");
            at += m.size;
            std::string number = std::to_string(m.channel);
            if (m.channel == cocaine::detail::control_channel) {
                std::uint64_t about;
                bool holds;
                if (m.type == cocaine::detail::control_type::flow) {
                    if (!m.read_flow(about, holds)) throw std::runtime_error("the worker has written a flow message of another form");
                    asked_ += (holds ? "hold " : "go ") + std::to_string(about) + " ";
                } else if (beats_++ == 0) {
                    come_.push_back("beats");
                }
            } else if (m.type == cocaine::detail::message_type::write) {
                come_.push_back(number + ":" + (m.data.size() < 20 ? std::string(m.data) : std::to_string(m.data.size())));
            } else {
                come_.push_back(number + (m.type == cocaine::detail::message_type::close ? "." : "!"));
            }
        }
        pieces_.clear();
    }

    int memfd_ = -1;
    int listener_ = -1;
    int socket_ = -1;
    void* memory_;
    cocaine::detail::segment segment_;
    cocaine::detail::ring_writer requests_;
    cocaine::detail::ring_reader answers_;
    std::string shown_next_;
    std::string pieces_;
    std::deque<std::string> come_;
    std::string asked_;
    std::uint64_t beats_ = 0;
};
