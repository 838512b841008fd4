// The calls that are open, by their channels.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "streams.hpp"

namespace cocaine::detail {

// Open calls by number: open addressing, at most half full.
class call_table {
public:
    open_call* find(std::uint64_t number) const {
        for (std::size_t at = number & mask(); slots_[at] != nullptr; at = (at + 1) & mask())
            if (slots_[at]->number == number) return slots_[at];
        return nullptr;
    }

    open_call* open(call_owner& owner, std::uint64_t number, const entry* known, std::string_view headers) {
        if ((count_ + 1) * 2 > slots_.size()) grow();
        open_call* c;
        if (free_.empty()) {
            all_.push_back(std::make_unique<open_call>());
            c = all_.back().get();
        } else {
            c = free_.back();
            free_.pop_back();
        }
        c->begin(owner, number, known, headers);
        place(c);
        ++count_;
        return c;
    }

    void release(open_call& c) {
        std::size_t at = c.number & mask();
        while (slots_[at] != &c) at = (at + 1) & mask();
        // Whoever stood behind for lack of room moves up, so that no search ends too early.
        for (std::size_t next = (at + 1) & mask(); slots_[next] != nullptr; next = (next + 1) & mask()) {
            std::size_t home = slots_[next]->number & mask();
            if (((next - home) & mask()) >= ((next - at) & mask())) {
                slots_[at] = slots_[next];
                at = next;
            }
        }
        slots_[at] = nullptr;
        --count_;
        c.reset();
        free_.push_back(&c);
    }

    // Those from a number on that have not begun.
    std::vector<open_call*> not_begun(std::uint64_t from) const {
        std::vector<open_call*> found;
        for (open_call* c : slots_)
            if (c != nullptr && !c->begun && c->number >= from) found.push_back(c);
        return found;
    }

    template <class F>
    void each(F f) {
        for (open_call* c : slots_)
            if (c != nullptr) f(*c);
    }

private:
    std::size_t mask() const { return slots_.size() - 1; }

    void place(open_call* c) {
        std::size_t at = c->number & mask();
        while (slots_[at] != nullptr) at = (at + 1) & mask();
        slots_[at] = c;
    }

    void grow() {
        std::vector<open_call*> old(slots_.size() * 2, nullptr);
        old.swap(slots_);
        for (open_call* c : old)
            if (c != nullptr) place(c);
    }

    std::vector<open_call*> slots_ = std::vector<open_call*>(64, nullptr);
    std::vector<std::unique_ptr<open_call>> all_;
    std::vector<open_call*> free_;
    std::size_t count_ = 0;
};

}  // namespace cocaine::detail
