// A client whose calls are sealed: one connection to a native-server or native-sink, one call at a time.
//
//     #include <cocaine/sealed_client.hpp>
//     cocaine::sealed_client client("tcp://node:9100", "shop", "billing.pem", "node.pub");
//     std::string answer = client.call("invoice", "5 pieces");
//
// Other clients can seal with cocaine/sealing.hpp, which has no sockets.
#pragma once

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "detail/frames.hpp"
#include "sealing.hpp"

namespace cocaine {

// The node or the app has answered with an error. An error that is not sealed may come from anybody on the way.
class call_error : public std::runtime_error {
public:
    call_error(int category, int code, const std::string& reason, bool is_sealed)
        : std::runtime_error(is_sealed ? reason : reason + " (this error is not sealed)"), category_(category), code_(code) {}

    int category() const { return category_; }
    int code() const { return code_; }

private:
    int category_, code_;
};

namespace detail {

// A connected socket that does not block, closed at its end.
class client_socket {
public:
    client_socket(const std::string& endpoint, int timeout_ms) : timeout_ms_(timeout_ms) {
        if (endpoint.rfind("ipc://", 0) == 0) {
            sockaddr_un place{};
            place.sun_family = AF_UNIX;
            std::string path = endpoint.substr(6);
            if (path.size() >= sizeof place.sun_path) throw std::invalid_argument("the path of a Unix socket is too long: " + path);
            std::memcpy(place.sun_path, path.c_str(), path.size());
            if (!connects(AF_UNIX, reinterpret_cast<sockaddr*>(&place), sizeof place)) fail(endpoint);
            return;
        }
        std::size_t colon = endpoint.rfind(':');
        if (endpoint.rfind("tcp://", 0) != 0 || colon < 7)
            throw std::invalid_argument("expected tcp://HOST:PORT or ipc:///path: " + endpoint);
        std::string host = endpoint.substr(6, colon - 6);
        if (host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
        addrinfo wish{}, *found = nullptr;
        wish.ai_socktype = SOCK_STREAM;
        if (int code = getaddrinfo(host.c_str(), endpoint.c_str() + colon + 1, &wish, &found); code != 0)
            throw std::runtime_error(endpoint + ": " + gai_strerror(code));
        std::unique_ptr<addrinfo, crypto::freed_by<freeaddrinfo>> places(found);
        for (addrinfo* one = found; one != nullptr; one = one->ai_next)
            if (connects(one->ai_family, one->ai_addr, one->ai_addrlen)) {
                int on = 1;
                setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
                return;
            }
        fail(endpoint);
    }

    client_socket(const client_socket&) = delete;
    client_socket& operator=(const client_socket&) = delete;

    ~client_socket() {
        if (socket_ >= 0) ::close(socket_);
    }

    // Waits until it can be read, or written when that is wanted.
    void wait(bool writes, bool& readable, bool& writable) {
        pollfd one{socket_, static_cast<short>(writes ? POLLIN | POLLOUT : POLLIN), 0};
        int count;
        while ((count = poll(&one, 1, timeout_ms_)) < 0 && errno == EINTR) {
        }
        if (count == 0) throw std::runtime_error("the node is silent");
        readable = (one.revents & ~POLLOUT) != 0;
        writable = (one.revents & POLLOUT) != 0;
    }

    void receive(std::string& into) {
        std::size_t before = into.size();
        into.resize(before + limits::read_bytes);
        ssize_t count = recv(socket_, into.data() + before, limits::read_bytes, 0);
        into.resize(before + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
        if (count == 0) throw std::runtime_error("the node has closed the connection");
        if (count < 0 && errno != EAGAIN && errno != EINTR) throw std::system_error(errno, std::generic_category(), "receiving");
    }

    std::size_t send(std::string_view data) {
        ssize_t count = ::send(socket_, data.data(), std::min(data.size(), limits::read_bytes), MSG_NOSIGNAL);
        if (count < 0 && errno != EAGAIN && errno != EINTR) throw std::system_error(errno, std::generic_category(), "sending");
        return static_cast<std::size_t>(std::max<ssize_t>(count, 0));
    }

private:
    bool connects(int family, const sockaddr* place, socklen_t size) {
        if (socket_ >= 0) ::close(socket_);
        socket_ = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (socket_ < 0) return false;
        if (connect(socket_, place, size) == 0) return true;
        if (errno != EINPROGRESS) return false;
        bool readable, writable;
        wait(true, readable, writable);
        int fault = 0;
        socklen_t length = sizeof fault;
        getsockopt(socket_, SOL_SOCKET, SO_ERROR, &fault, &length);
        errno = fault;
        return fault == 0;
    }

    [[noreturn]] void fail(const std::string& endpoint) {
        int fault = errno;
        if (socket_ >= 0) ::close(std::exchange(socket_, -1));
        throw std::system_error(fault, std::generic_category(), endpoint);
    }

    int socket_ = -1;
    int timeout_ms_;
};

}  // namespace detail

class sealed_client {
public:
    // endpoint: tcp://HOST:PORT or ipc:///path; key, node_key: files; timeout_ms: the longest silence of the node.
    sealed_client(const std::string& endpoint, const std::string& app, const std::string& key, const std::string& node_key,
                  int timeout_ms = 30000)
        : sealer_(app, key, node_key), socket_(endpoint, timeout_ms) {}

    // Calls an event; the whole answer.
    std::string call(std::string_view event, std::string_view request = {}, const sealed_wishes& wishes = {}) {
        std::string answer;
        stream(event, {std::string(request)}, [&](std::string_view chunk) { answer.append(chunk); }, wishes);
        return answer;
    }

    // Calls an event with a request of several chunks; gives the chunks of the answer to a function, one after the other.
    void stream(std::string_view event, const std::vector<std::string>& chunks, const std::function<void(std::string_view)>& take,
                const sealed_wishes& wishes = {}) {
        auto [seal, call] = sealer_.begin(event, wishes);
        ++channel_;
        std::string message = invoke(event, seal, wishes);
        for (std::size_t i = 0; i + 1 < chunks.size(); ++i) add_chunk(message, call.seal(chunks[i]));
        add_chunk(message, call.seal(chunks.empty() ? std::string_view() : chunks.back(), true));
        char close[detail::max_head_bytes];
        message.append(close, detail::store_close(close, channel_));
        send(message);
        answer(call, take);
    }

private:
    static constexpr int unauthenticated = 401;

    // [channel, 0, [event], headers]
    std::string invoke(std::string_view event, std::string_view seal, const sealed_wishes& wishes) const {
        std::string items;
        unsigned count = 1;
        auto add = [&](std::string_view name, std::optional<std::int64_t> value) {
            if (!value) return;
            std::string bytes = detail::big_endian(static_cast<std::uint64_t>(*value), 8);
            items += header(name, std::string(bytes.rbegin(), bytes.rend()));
            ++count;
        };
        add("request_timeout", wishes.request_timeout);
        add("silence_timeout", wishes.silence_timeout);
        add("retry_limit", wishes.retry_limit);
        if (wishes.urgent) add("urgent", 1);
        char head[detail::max_head_bytes];
        std::string all(head, detail::store_chunk_head(head, channel_, event.size()));
        all[0] = static_cast<char>(0x94);
        return all.append(event) + static_cast<char>(0x90 | count) + items + header("seal", seal);
    }

    // [false, name, value]
    static std::string header(std::string_view name, std::string_view value) {
        std::string all("\x93\xc2");
        all += static_cast<char>(0xa0 | name.size());
        all.append(name) += static_cast<char>(0xc5);
        return all.append(detail::big_endian(value.size(), 2)).append(value);
    }

    void add_chunk(std::string& message, std::string_view record) const {
        char head[detail::max_head_bytes];
        message.append(head, detail::store_chunk_head(head, channel_, record.size())).append(record);
    }

    void answer(sealed_call& call, const std::function<void(std::string_view)>& take) {
        for (;;) {
            detail::message one = read();
            if (one.channel == channel_ && one.type == detail::message_type::write) {
                if (std::optional<std::string> chunk = call.open(one.has_data ? one.data : std::string_view())) take(*chunk);
            } else if (one.channel == channel_ && ends(call, one)) {
                return;
            }
        }
    }

    bool ends(const sealed_call& call, const detail::message& one) {
        if (call.sealed_failure()) {
            const sealed_call::failure& failure = *call.sealed_failure();
            throw call_error(failure.category, failure.code, failure.text, true);
        }
        int category = 0, code = 0;
        std::string_view reason;
        if (one.type == detail::message_type::error && one.read_error(category, code, reason)) {
            if (call.opens() || code == unauthenticated) sealer_.forget(call);
            throw call_error(category, code, std::string(reason), false);
        }
        if (!call.ended()) throw seal_error("the answer was cut: the record that ends it did not come");
        return one.type == detail::message_type::close;
    }

    // Sends, and takes what comes meanwhile: a node whose answers nobody reads stops reading, too.
    void send(std::string_view data) {
        while (!data.empty()) {
            bool readable, writable;
            socket_.wait(true, readable, writable);
            if (readable) socket_.receive(received_);
            if (writable) data.remove_prefix(socket_.send(data));
        }
    }

    // The next message; good until the next one is read.
    detail::message read() {
        received_.erase(0, std::exchange(used_, 0));
        for (;;) {
            detail::message one;
            detail::parse found =
                detail::message::read(detail::crypto::bytes(std::string_view(received_)), received_.size(), one);
            if (found == detail::parse::ok) {
                used_ = one.size;
                return one;
            }
            if (found == detail::parse::bad || received_.size() > detail::limits::message_bytes)
                throw std::runtime_error("the node has sent what is no message");
            bool readable, writable;
            socket_.wait(false, readable, writable);
            socket_.receive(received_);
        }
    }

    sealer sealer_;
    detail::client_socket socket_;
    std::string received_;
    std::size_t used_ = 0;
    std::uint64_t channel_ = 0;
};

}  // namespace cocaine
