// Messages that are written, and not sent yet. Belongs to the loop's thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "../call.hpp"
#include "forks.hpp"
#include "frames.hpp"
#include "limits.hpp"
#include "link.hpp"

namespace cocaine::detail {

class output {
public:
    // The listener takes what comes while the link has no room.
    output(link& to, listener& meanwhile, std::int64_t heartbeat_ms)
        : link_(to), meanwhile_(meanwhile), heartbeat_us_(heartbeat_ms * 1000) {
        bytes_.reserve(limits::batch_bytes * 2);
        sending_.reserve(limits::batch_bytes * 2);
    }

    void chunk(std::uint64_t channel, std::string_view chunk) {
        if (chunk.size() > limits::chunk_bytes) throw chunk_too_long(chunk.size());
        char head[max_head_bytes];
        std::size_t size = static_cast<std::size_t>(store_chunk_head(head, channel, chunk.size()) - head);
        if (chunk.size() < limits::long_chunk_bytes) {
            bytes_.append(head, size);
            bytes_.append(chunk);
            if (bytes_.size() > limits::batch_bytes) flush();
            return;
        }
        flush();    // whole messages only go together in a record: what was written before leaves first
        link_.send({head, size}, chunk, meanwhile_);
    }

    void error(std::uint64_t channel, int category, int code, std::string_view reason) {
        bytes_ += error_message(channel, category, code, reason);
    }

    void close(std::uint64_t channel) {
        char head[max_head_bytes];
        bytes_.append(head, static_cast<std::size_t>(store_close(head, channel) - head));
    }

    // Asks the node to hold the chunks of a channel, or to go on.
    void flow(std::uint64_t channel, bool holds) {
        char message[2 * max_head_bytes];
        bytes_.append(message, static_cast<std::size_t>(store_flow(message, channel, holds) - message));
    }

    void flush() {
        end_writing_child();
        published_us_ = now_us();
        if (bytes_.empty()) return;
        bytes_.swap(sending_);    // what is written while the link waits for room goes behind it
        link_.send(sending_, {}, meanwhile_);
        sending_.clear();
    }

    // In work that goes on: answers wait no longer than a moment for others.
    void flush_when_due() {
        std::int64_t now = now_us();
        if (now - published_us_ <= quick_us) return;
        beat_when_due(now);
        flush();
    }

    void beat_when_due(std::int64_t now) {
        if (now < next_beat_us_) return;
        next_beat_us_ = now + heartbeat_us_;
        bytes_.append(heartbeat_message, sizeof heartbeat_message);
    }

    std::int64_t next_beat_us() const { return next_beat_us_; }

private:
    static constexpr auto quick_us = static_cast<std::int64_t>(limits::quick_seconds * 1e6);

    link& link_;
    listener& meanwhile_;
    std::int64_t heartbeat_us_;
    std::string bytes_;                // whole messages
    std::string sending_;
    std::int64_t published_us_ = 0;
    std::int64_t next_beat_us_ = 0;    // the first goes out at once
};

}  // namespace cocaine::detail
