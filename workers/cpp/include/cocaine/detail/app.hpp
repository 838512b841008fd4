// The app: its handlers by name.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../call.hpp"
#include "limits.hpp"

namespace cocaine::detail {

enum class manner { whole, stream, thread };

struct entry {
    std::string event;
    manner how;
    cocaine::handler run;
};

// An app's handlers by name. Filled before the worker runs, constant from then on.
class catalog {
public:
    void add(std::string event, manner how, cocaine::handler run) {
        if (event.empty() || event.size() > limits::event_bytes) throw std::invalid_argument("an event's name has 1 to 256 bytes");
        for (const auto& one : entries_)
            if (one->event == event) throw std::invalid_argument("there are two handlers for the event " + event);
        entries_.push_back(std::make_unique<entry>(entry{std::move(event), how, std::move(run)}));
    }

    // Few and mostly one: looked through in order.
    const entry* find(std::string_view event) const {
        for (const auto& one : entries_)
            if (one->event == event) return one.get();
        return nullptr;
    }

    bool empty() const { return entries_.empty(); }

private:
    std::vector<std::unique_ptr<entry>> entries_;
};

}  // namespace cocaine::detail
