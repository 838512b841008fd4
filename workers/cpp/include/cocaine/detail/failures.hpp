// What a handler threw, for the log and for the caller.
#pragma once

#include <cxxabi.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <string>
#include <typeinfo>

#include "../call.hpp"
#include "forks.hpp"
#include "link.hpp"

namespace cocaine::detail {

inline constexpr std::size_t most_reason_bytes = 4096;       // of an error's text to the caller: a reason, not a document
inline constexpr std::size_t most_shown_bytes = 64 << 10;    // of it in the log

// At most so many bytes, and no half character at the end.
inline std::string_view cut(std::string_view text, std::size_t most) {
    if (text.size() <= most) return text;
    while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80) --most;
    return text.substr(0, most);
}

inline std::string text_of(const std::exception& failure) {
    int status = 0;
    char* name = abi::__cxa_demangle(typeid(failure).name(), nullptr, nullptr, &status);
    const char* what = failure.what();
    std::string text = std::string(name ? name : "exception") + ": " + (what ? std::string(what, ::strnlen(what, most_shown_bytes)) : "");
    std::free(name);
    return text;
}

// The exception that is being handled, as the answer's reason; it goes to the log too, unless the caller gave up. Passes on what is not the
// handler's: that the node is gone, or has broken the pipe.
inline std::string describe_current() {
    try {
        throw;
    } catch (const abandoned&) {
        throw;
    } catch (const broken_pipe&) {
        throw;
    } catch (const cancelled&) {
        end_forked_child(1);
        return "cancelled";
    } catch (const std::exception& failure) {
        try {
            std::string text = text_of(failure);
            std::fprintf(stderr, "%s\n", text.c_str());
            end_forked_child(1);
            return std::string(cut(text, most_reason_bytes));
        } catch (const std::exception&) {    // no memory
            end_forked_child(1);
            return "an exception";           // short enough to need none
        }
    } catch (...) {
        std::fprintf(stderr, "a handler threw something that is no std::exception\n");
        end_forked_child(1);
        return "an exception of an unknown type";
    }
}

}  // namespace cocaine::detail
