// Before a call begins: the node gives calls ahead of their turn, and may take back those that have not begun. The rules are in
// docs/worker-protocol.md, "What is begun".
#pragma once

#include <cstddef>
#include <cstdint>

namespace cocaine::detail {

// The words about what is begun, in a segment or in the page beside a socket; without them the node takes nothing back.
struct begin_words {
    std::uint64_t* begun = nullptr;            // ours: the highest channel that we have begun
    std::uint64_t* again = nullptr;            // the same once more, beside a socket only
    const std::uint32_t* recalls = nullptr;    // the node's: how many recalls it has begun
    std::size_t most = SIZE_MAX;               // calls that may have begun and not ended
};

// Lets calls begin, or keeps them until others have ended, or until the node has said what it takes back. It belongs to the loop.
class begin_gate {
public:
    explicit begin_gate(const begin_words& words) : words_(words) {}

    // Before our first message: the node gives nothing ahead to a worker that has not stored this.
    void keep(std::uint64_t control_channel) {
        highest_ = control_channel;
        // Relaxed: the release store of the tail behind our first message covers it, or the system call that sends it.
        if (is_kept()) store();
    }

    bool is_kept() const { return words_.begun != nullptr; }

    // There is a place, and no recall that we have seen and not read.
    bool has_place() const { return running_ < words_.most && !must_read_on(); }

    // We have seen that the node takes calls back, and not read which.
    bool must_read_on() const { return seen_ != read_; }

    // A call is about to begin. False when it must not, until the node's recall is read: it may be one of those that are void.
    bool begin(std::uint64_t channel) {
        if (is_kept()) {
            if (channel > highest_) {
                highest_ = channel;
                store();
            }
            // Between our store of `begun` and our load of `recall`. Other half: the node's BeginRecall (BeginWords.cs) stores `recall`,
            // fences, and loads `begun`. One of the two sees the other's store: either the node sees this call, and leaves it to us, or we
            // see the recall here, and read on. BeginWords.TryBegin is the same in C#.
            __atomic_thread_fence(__ATOMIC_SEQ_CST);
            look();
            if (must_read_on()) return false;
        }
        ++running_;
        return true;
    }

    // A call that has begun has ended.
    void end() { --running_; }

    // The recall with this count was read.
    void read(std::uint64_t count) {
        read_ = static_cast<std::uint32_t>(count);
        look();    // the node may have begun the next one, or this one is the first that we see
    }

private:
    void store() {
        __atomic_store_n(words_.begun, highest_, __ATOMIC_RELAXED);
        // Release: after the first one. Other half: BeginWords.BegunTwice loads this one first, since others write both byte by byte.
        if (words_.again != nullptr) __atomic_store_n(words_.again, highest_, __ATOMIC_RELEASE);
    }

    // Relaxed: nothing is read by it but the count. What is void stands in the ring, whose tail has an order of its own.
    void look() { seen_ = __atomic_load_n(words_.recalls, __ATOMIC_RELAXED); }

    begin_words words_;
    std::uint64_t highest_ = 0;    // as stored in `begun`
    std::uint32_t seen_ = 0;       // the node's count as last seen
    std::uint32_t read_ = 0;       // the count of the last recall that was read
    std::size_t running_ = 0;      // calls that have begun and not ended
};

}  // namespace cocaine::detail
