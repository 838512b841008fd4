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
#include "frames.hpp"
#include "limits.hpp"
#include "link.hpp"

namespace cocaine::detail {

inline std::string text_of(const std::exception& failure) {
    int status = 0;
    char* name = abi::__cxa_demangle(typeid(failure).name(), nullptr, nullptr, &status);
    const char* what = failure.what();
    std::string text = name ? name : "exception";
    text += ": ";
    if (what) text.append(what, ::strnlen(what, limits::log_text_bytes));
    std::free(name);
    return text;
}

// The error that an exception becomes.
struct failure {
    int code;
    std::string text;
};

// The exception that is being handled, as the answer's error; it goes to the log too, unless the caller gave up. Passes on what is not the
// handler's: that the node is gone, or has broken the pipe.
inline failure describe_current() {
    try {
        throw;
    } catch (const abandoned&) {
        throw;
    } catch (const broken_pipe&) {
        throw;
    } catch (const cancelled&) {
        end_forked_child(1);
        return {app_error, "cancelled"};
    } catch (const std::exception& thrown) {
        int code = dynamic_cast<const chunk_too_long*>(&thrown) != nullptr ? too_large : app_error;
        try {
            std::string text = text_of(thrown);
            std::fprintf(stderr, "%s\n", text.c_str());
            end_forked_child(1);
            return {code, std::string(cut(text, limits::failure_text_bytes))};
        } catch (const std::exception&) {    // no memory
            end_forked_child(1);
            return {code, "an exception"};    // short enough to need none
        }
    } catch (...) {
        std::fprintf(stderr, "a handler threw something that is no std::exception\n");
        end_forked_child(1);
        return {app_error, "an exception of an unknown type"};
    }
}

}  // namespace cocaine::detail
