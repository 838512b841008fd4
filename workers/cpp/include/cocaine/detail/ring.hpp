// The shared-memory pipe: two byte rings in a segment that the node made. Layout and rules: docs/worker-protocol.md.
//
// The node may be believed to be honest but not to be correct: lengths and counters are copied once, checked, and only the copy is used.
// A field that both sides touch is read and written through the __atomic builtins alone.
#pragma once

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>

#include "limits.hpp"
#include "link.hpp"

namespace cocaine::detail {

enum record_kind : std::uint32_t { last_piece = 0, more_pieces = 1, padding = 2 };

constexpr std::size_t record_header_bytes = 8;

struct ring {
    unsigned char* data = nullptr;
    std::uint64_t capacity = 0;
    std::uint64_t* tail = nullptr;
    std::uint64_t* head = nullptr;
    std::uint32_t* reader_parked = nullptr;
    std::uint32_t* writer_waits = nullptr;

    std::size_t max_payload() const { return static_cast<std::size_t>(capacity / 4 - record_header_bytes); }
};

struct segment {
    unsigned char* base = nullptr;
    std::uint64_t size = 0;
    ring requests;
    ring responses;
    begin_words words;
    std::uint32_t spin_us = 0;

    // Checks the header against the real size and finds the rings.
    static segment at(void* memory, std::uint64_t bytes) {
        segment s;
        s.base = static_cast<unsigned char*>(memory);
        s.size = bytes;
        if (bytes < 4096 || std::memcmp(s.base, "CFPIPE01", 8) != 0 || s.u32(8) != 1 || s.u32(12) != 4096 || s.u64(16) != bytes)
            throw broken_pipe("the segment's header is not of layout version 1");
        s.requests = s.make_ring(1024, s.u32(32), s.u64(40));
        s.responses = s.make_ring(2048, s.u32(36), s.u64(48));
        s.words.begun = reinterpret_cast<std::uint64_t*>(s.base + 3072);
        s.words.recalls = reinterpret_cast<const std::uint32_t*>(s.base + 3200);
        auto most = static_cast<std::int32_t>(s.u32(60));
        if (most > 0) s.words.most = static_cast<std::size_t>(most);    // a node that gives nothing ahead says 0
        s.spin_us = s.u32(56) < limits::spin_us ? s.u32(56) : limits::spin_us;
        return s;
    }

    static segment map(int descriptor) {
        struct stat about;
        if (::fstat(descriptor, &about) != 0 || about.st_size < 4096) throw broken_pipe("the segment is too small");
        void* memory = ::mmap(nullptr, static_cast<std::size_t>(about.st_size), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
        if (memory == MAP_FAILED) throw broken_pipe("the segment cannot be mapped");
        return at(memory, static_cast<std::uint64_t>(about.st_size));
    }

private:
    std::uint32_t u32(std::size_t offset) const {
        std::uint32_t value;
        std::memcpy(&value, base + offset, 4);
        return value;
    }

    std::uint64_t u64(std::size_t offset) const {
        std::uint64_t value;
        std::memcpy(&value, base + offset, 8);
        return value;
    }

    ring make_ring(std::size_t control, std::uint64_t capacity, std::uint64_t offset) {
        if (capacity < 4096 || capacity > (1u << 30) || (capacity & (capacity - 1)) != 0 || offset < 4096 || offset % 8 != 0 ||
            offset > size - capacity || capacity > size)
            throw broken_pipe("a ring lies outside of the segment");
        ring r;
        r.data = base + offset;
        r.capacity = capacity;
        r.tail = reinterpret_cast<std::uint64_t*>(base + control);
        r.head = reinterpret_cast<std::uint64_t*>(base + control + 128);
        r.reader_parked = reinterpret_cast<std::uint32_t*>(base + control + 256);
        r.writer_waits = reinterpret_cast<std::uint32_t*>(base + control + 384);
        return r;
    }
};

// The reading end of the request ring.
class ring_reader {
public:
    explicit ring_reader(const ring& r) : ring_(r), head_(__atomic_load_n(r.head, __ATOMIC_ACQUIRE)), tail_(head_) {}

    bool has_records() const { return head_ != tail_ || __atomic_load_n(ring_.tail, __ATOMIC_ACQUIRE) != head_; }

    // The next record's payload; false when there is none now. It stays valid until release().
    bool next(const unsigned char*& payload, std::uint32_t& length, std::uint32_t& kind) {
        for (;;) {
            if (head_ == tail_ && !look_at_tail()) return false;
            std::uint64_t place = head_ & (ring_.capacity - 1);
            // One load: the length that is checked is the length that is used.
            std::uint64_t header = __atomic_load_n(reinterpret_cast<std::uint64_t*>(ring_.data + place), __ATOMIC_RELAXED);
            length = static_cast<std::uint32_t>(header);
            kind = static_cast<std::uint32_t>(header >> 32);
            std::uint64_t size = (record_header_bytes + std::uint64_t{length} + 7) & ~std::uint64_t{7};
            if (kind > padding || size > tail_ - head_ || place + size > ring_.capacity)
                throw broken_pipe("a record of kind " + std::to_string(kind) + " and " + std::to_string(length) + " bytes");
            payload = ring_.data + place + record_header_bytes;
            head_ += size;
            if (kind != padding) return true;
        }
    }

    // Gives all that was read back to the node. True when it waits for room and must be rung.
    bool release() {
        if (head_ == released_) return false;
        released_ = head_;
        // Release: we are done with the bytes below. Other half: the node's acquire load of the head.
        __atomic_store_n(ring_.head, head_, __ATOMIC_RELEASE);
        // Between our store of the head and our load of `writer waits`. Other half: the node's writer without room stores
        // `writer waits`, fences, and looks at the head again.
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        if (__atomic_load_n(ring_.writer_waits, __ATOMIC_RELAXED) == 0) return false;
        __atomic_store_n(ring_.writer_waits, 0, __ATOMIC_RELAXED);
        return true;
    }

    // Says that we are about to sleep. False when something has come meanwhile.
    bool park() {
        __atomic_store_n(ring_.reader_parked, 1, __ATOMIC_RELAXED);
        // Between our store of `reader parked` and our load of the tail. Other half: the node's writer stores the tail, fences, and
        // looks at `reader parked`: either it sees that we park, and rings, or we see its tail here.
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        if (__atomic_load_n(ring_.tail, __ATOMIC_ACQUIRE) == head_) return true;
        unpark();
        return false;
    }

    void unpark() { __atomic_store_n(ring_.reader_parked, 0, __ATOMIC_RELAXED); }

private:
    bool look_at_tail() {
        // Acquire: the records below this tail are complete. Other half: the node's release store of the tail.
        std::uint64_t tail = __atomic_load_n(ring_.tail, __ATOMIC_ACQUIRE);
        if (tail == tail_) return false;
        if (tail < tail_ || tail - head_ > ring_.capacity || tail % 8 != 0) throw broken_pipe("the tail of the request ring is wrong");
        tail_ = tail;
        return true;
    }

    ring ring_;
    std::uint64_t head_;             // next byte to read
    std::uint64_t released_ = head_; // what the node knows of it
    std::uint64_t tail_;             // as last seen
};

// The writing end of the response ring.
class ring_writer {
public:
    explicit ring_writer(const ring& r) : ring_(r), tail_(__atomic_load_n(r.tail, __ATOMIC_RELAXED)), head_(tail_) {}

    std::size_t max_payload() const { return ring_.max_payload(); }

    // Room for a record's payload, or null when the node must read first.
    unsigned char* claim(std::size_t length) {
        std::uint64_t size = (record_header_bytes + length + 7) & ~std::uint64_t{7};
        std::uint64_t to_end = ring_.capacity - (tail_ & (ring_.capacity - 1));
        std::uint64_t skip = size > to_end ? to_end : 0;
        if (tail_ + skip + size - head_ > ring_.capacity) {
            look_at_head();
            if (tail_ + skip + size - head_ > ring_.capacity) return nullptr;
        }
        if (skip > 0) {
            header(static_cast<std::uint32_t>(skip - record_header_bytes), padding);
            tail_ += skip;
        }
        return ring_.data + (tail_ & (ring_.capacity - 1)) + record_header_bytes;
    }

    // Shows the record that was claimed last. True when the node sleeps and must be rung.
    bool publish(std::size_t length, record_kind kind) {
        header(static_cast<std::uint32_t>(length), kind);
        tail_ += (record_header_bytes + length + 7) & ~std::uint64_t{7};
        // Release: header and payload before the tail that covers them. Other half: the node's acquire load of the tail.
        __atomic_store_n(ring_.tail, tail_, __ATOMIC_RELEASE);
        // Between our store of the tail and our load of `reader parked`. Other half: the node's reader stores `reader parked`, fences,
        // and looks at the tail again. One of the two sees the other's store, so no wake-up is lost.
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        if (__atomic_load_n(ring_.reader_parked, __ATOMIC_RELAXED) == 0) return false;
        __atomic_store_n(ring_.reader_parked, 0, __ATOMIC_RELAXED);
        return true;
    }

    // Asks to be rung when the node has made room. False when it has done so meanwhile.
    bool wait_for_room() {
        std::uint64_t before = head_;
        __atomic_store_n(ring_.writer_waits, 1, __ATOMIC_RELAXED);
        // Between our store of `writer waits` and our load of the head. Other half: the node's reader stores the head, fences, and
        // looks at `writer waits`.
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        look_at_head();
        if (head_ == before) return true;
        room_came();
        return false;
    }

    void room_came() { __atomic_store_n(ring_.writer_waits, 0, __ATOMIC_RELAXED); }

    // The node has read all that we wrote.
    bool everything_read() {
        look_at_head();
        return head_ == tail_;
    }

private:
    void header(std::uint32_t length, std::uint32_t kind) {
        std::uint64_t word = std::uint64_t{kind} << 32 | length;
        std::memcpy(ring_.data + (tail_ & (ring_.capacity - 1)), &word, 8);
    }

    void look_at_head() {
        // Acquire: the node is done with the bytes below. Other half: its release store of the head.
        std::uint64_t head = __atomic_load_n(ring_.head, __ATOMIC_ACQUIRE);
        if (head < head_ || head > tail_) throw broken_pipe("the head of the response ring is wrong");
        head_ = head;
    }

    ring ring_;
    std::uint64_t tail_;    // next byte to write
    std::uint64_t head_;    // the node's, as last seen
};

}  // namespace cocaine::detail
