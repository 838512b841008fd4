// Threads for the handlers of on_thread().
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "limits.hpp"

namespace cocaine::detail {

// Threads for handlers that may wait. As many as calls run at once (the node's engine.concurrency), up to a bound; more calls queue.
class thread_pool : public std::enable_shared_from_this<thread_pool> {
public:
    void run(std::function<void()> work) {
        std::lock_guard<std::mutex> lock(mutex_);
        work_.push_back(std::move(work));
        if (work_.size() <= idle_ || threads_.size() >= limits::threads) {
            news_.notify_one();
            return;
        }
        // The thread keeps the pool alive: in a thread of the node a handler may run longer than its worker.
        threads_.emplace_back([self = shared_from_this()] { self->serve(); });
    }

    // Lets the threads end when their work is done; waits for them, or leaves them to themselves.
    void stop(bool wait) {
        {
            std::lock_guard<std::mutex> lock(mutex_);
            stopping_ = true;
            news_.notify_all();
        }
        for (std::thread& one : threads_) wait ? one.join() : one.detach();
        threads_.clear();
    }

private:
    void serve() {
        std::unique_lock<std::mutex> lock(mutex_);
        for (;;) {
            ++idle_;
            news_.wait(lock, [this] { return !work_.empty() || stopping_; });
            --idle_;
            if (work_.empty()) return;
            std::function<void()> work = std::move(work_.front());
            work_.pop_front();
            lock.unlock();
            work();
            work = nullptr;
            lock.lock();
        }
    }

    std::mutex mutex_;
    std::condition_variable news_;
    std::deque<std::function<void()>> work_;
    std::vector<std::thread> threads_;
    std::size_t idle_ = 0;
    bool stopping_ = false;
};

}  // namespace cocaine::detail
