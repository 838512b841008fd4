// The two streams that a handler gets of its call, on the loop and in a thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

#include "channel.hpp"
#include "later.hpp"

namespace cocaine::detail {

class loop_request final : public request {
public:
    explicit loop_request(call& c) : call_(c) {}

    std::string_view event() const override { return call_.handler->event; }
    std::string_view raw_headers() const override { return call_.headers(); }

    std::optional<std::string_view> read() override {
        call_.must_be_on_loop();
        if (!call_.has_chunk()) return std::nullopt;
        return call_.view_chunk();
    }

    std::string_view body() override {
        call_.must_be_on_loop();
        return call_.view_rest();
    }

    bool cancelled() override {
        call_.must_be_on_loop();
        if (!call_.cancelled) call_.owner->listen();
        return call_.cancelled;
    }

    std::optional<cocaine::cancelled> cancellation() override {
        call_.must_be_on_loop();
        return call_.cancelled ? std::optional<cocaine::cancelled>(call_.given_up) : std::nullopt;
    }

    void on_chunk(std::function<void(std::string_view)> callback) override { call_.on_chunk = std::move(callback); }
    void on_end(std::function<void()> callback) override { call_.on_end = std::move(callback); }
    void on_cancel(std::function<void()> callback) override { call_.on_cancel = std::move(callback); }

private:
    call& call_;
};

class loop_response final : public response {
public:
    explicit loop_response(call& c) : call_(c) {}

    void write(std::string_view chunk) override {
        call_.must_be_on_loop();
        call_.owner->write(call_, chunk);
    }

    void error(int code, std::string_view reason, int category) override {
        call_.must_be_on_loop();
        call_.owner->fail(call_, category, code, reason);
    }

    void close() override {
        call_.must_be_on_loop();
        call_.owner->close(call_);
    }

    void flush() override {
        call_.must_be_on_loop();
        call_.owner->flush();
    }

    bool ended() const override { return call_.ended; }

    answer later() override {
        call_.must_be_on_loop();
        std::shared_ptr<remote_call> remote = call_.owner->remote(call_);
        call_.held = true;
        if (call_.cancelled) remote->cancel(call_.given_up);
        else if (call_.node_ended) remote->end();
        return remote->handle();
    }

private:
    call& call_;
};

// A call with its streams. Pooled: a small request costs no allocation.
struct open_call final : call {
    loop_request ask{*this};
    loop_response reply{*this};
};

class thread_request final : public request {
public:
    explicit thread_request(remote_call& call) : call_(call) {}

    std::string_view event() const override { return call_.event_name; }
    std::string_view raw_headers() const override { return call_.header_bytes; }
    bool cancelled() override { return call_.is_cancelled; }

    std::optional<cocaine::cancelled> cancellation() override {
        return call_.is_cancelled ? std::optional<cocaine::cancelled>(call_.given_up()) : std::nullopt;
    }

    std::optional<std::string_view> read() override {
        if (std::this_thread::get_id() != own_) throw std::logic_error("a request is read in the thread of its handler only");
        std::unique_lock<std::mutex> lock(call_.mutex);
        call_.news.wait(lock, [this] { return !call_.chunks.empty() || call_.request_ended; });
        if (call_.is_cancelled) throw call_.given_up();
        if (call_.chunks.empty()) return std::nullopt;
        bool goes_on = call_.take_chunk(current_);
        lock.unlock();
        call_.out->take_unread(current_.size());
        if (goes_on) call_.out->post({call_.channel, post_kind::go_on, {}});
        return std::string_view(current_);
    }

    std::string_view body() override {
        std::string all;
        while (auto chunk = read()) all.append(*chunk);
        body_ = std::move(all);
        return body_;
    }

    void on_chunk(std::function<void(std::string_view)>) override { wrong(); }
    void on_end(std::function<void()>) override { wrong(); }
    void on_cancel(std::function<void()>) override { wrong(); }

private:
    [[noreturn]] static void wrong() { throw std::logic_error("callbacks are for handlers of on_stream()"); }

    remote_call& call_;
    const std::thread::id own_ = std::this_thread::get_id();
    std::string current_;
    std::string body_;
};

class thread_response final : public response {
public:
    explicit thread_response(remote_call& call) : call_(call) {}

    void write(std::string_view chunk) override {
        if (call_.is_cancelled) throw call_.given_up();
        if (call_.ended) throw std::logic_error("the answer has ended");
        if (!call_.write(chunk) && call_.is_cancelled) throw call_.given_up();    // while it waited
    }

    void error(int code, std::string_view reason, int category) override { call_.error(category, code, reason); }
    void close() override { call_.close(); }
    void flush() override {}
    bool ended() const override { return call_.ended; }

    answer later() override {
        kept_ = true;
        return call_.handle();
    }

    bool kept() const { return kept_; }

private:
    remote_call& call_;
    bool kept_ = false;
};

}  // namespace cocaine::detail
