// A link that has no node: what comes are the messages of one call, what is sent is kept.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "../call.hpp"
#include "frames.hpp"
#include "link.hpp"

namespace cocaine::detail {

// As the node writes names and values.
inline std::string bin(std::string_view bytes) {
    std::string all(1, static_cast<char>(0xc6));
    for (int shift = 24; shift >= 0; shift -= 8) all += static_cast<char>(bytes.size() >> shift);
    return all.append(bytes);
}

class testing_link : public link {
public:
    struct received {
        bool is_error = false;
        int category = 0;
        int code = 0;
        std::string text;    // the chunk, or the error's reason
    };

    testing_link(std::string_view event, std::string_view headers, const std::vector<std::string>& chunks, bool cancel) {
        std::string invoke("\x94\x02\x00\x91", 4);
        messages_.push_back(invoke + bin(event) + std::string(headers));
        for (const std::string& one : chunks) messages_.push_back(std::string("\x93\x02\x00\x91", 4) + bin(one));
        char head[max_head_bytes];
        if (cancel) messages_.push_back(error_message(channel, node_category, given_up, "given up"));
        else messages_.emplace_back(head, store_close(head, channel));
        messages_.emplace_back("\x93\x01\x01\x92\x01\xa4" "done");    // terminate
    }

    // One message at a time, as from a slow caller.
    bool take(listener& to) override {
        if (messages_.empty()) return false;
        std::string bytes = std::move(messages_.front());
        messages_.pop_front();
        message m;
        if (message::read(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), m) != parse::ok)
            throw std::logic_error("the test's own message is none");
        to.take(m);
        return true;
    }

    void send(std::string_view first, std::string_view second, listener&) override {
        std::string bytes(first);
        bytes.append(second);
        for (std::size_t at = 0; at < bytes.size();) {
            const unsigned char* from = reinterpret_cast<const unsigned char*>(bytes.data()) + at;
            message m;
            if (message::read(from, bytes.size() - at, m) != parse::ok) throw std::logic_error("the worker has written what is no message");
            if (m.channel == channel && m.type == message_type::write) answers.push_back({false, 0, 0, std::string(m.data)});
            if (m.channel == channel && m.type == message_type::error) answers.push_back(read_error(from, m.size));
            at += m.size;
        }
    }

    // For what other threads have to say.
    void wait(int) override {
        std::unique_lock<std::mutex> lock(mutex_);
        rung_.wait(lock, [this] { return has_rung_; });
        has_rung_ = false;
    }

    void wait_for_ring(int timeout_ms) override { wait(timeout_ms); }

    void ring() override {
        std::lock_guard<std::mutex> lock(mutex_);
        has_rung_ = true;
        rung_.notify_all();
    }

    void drain(int) override {}

    std::size_t messages_left() const { return messages_.size(); }

    std::vector<received> answers;

private:
    static constexpr std::uint64_t channel = 2;
    static constexpr int given_up = 520;    // the code of a caller that gives up

    // [channel, 1, [[category, code], reason]]
    static received read_error(const unsigned char* from, std::size_t size) {
        cursor c{from, from + size};
        std::uint32_t count;
        std::uint64_t number, category = 0, code = 0;
        std::string_view reason;
        if (c.array(count) != parse::ok || c.integer(number) != parse::ok || c.integer(number) != parse::ok || c.array(count) != parse::ok
            || c.array(count) != parse::ok || c.integer(category) != parse::ok || c.integer(code) != parse::ok
            || c.bytes(reason) != parse::ok)
            throw std::logic_error("the worker has written an error of another form");
        return {true, static_cast<int>(category), static_cast<int>(code), std::string(reason)};
    }

    std::deque<std::string> messages_;
    std::mutex mutex_;
    std::condition_variable rung_;
    bool has_rung_ = false;
};

}  // namespace cocaine::detail
