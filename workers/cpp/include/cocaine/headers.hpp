// The headers of a call, as an app sees them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "detail/msgpack.hpp"

namespace cocaine {

struct header {
    std::string name;
    std::string value;    // raw bytes
};

namespace detail {

// RFC 7541, appendix A, and the three trace headers. The node writes literals and static indexes only: there is no dynamic table here.
inline bool static_header(std::uint64_t index, header& into) {
    static const char* const names[] = {
        ":authority", ":method", ":method", ":path", ":path", ":scheme", ":scheme", ":status", ":status", ":status", ":status",
        ":status", ":status", ":status", "accept-charset", "accept-encoding", "accept-language", "accept-ranges", "accept",
        "access-control-allow-origin", "age", "allow", "authorization", "cache-control", "content-disposition", "content-encoding",
        "content-language", "content-length", "content-location", "content-range", "content-type", "cookie", "date", "etag", "expect",
        "expires", "from", "host", "if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since",
        "last-modified", "link", "location", "max-forwards", "proxy-authenticate", "proxy-authorization", "range", "referer", "refresh",
        "retry-after", "server", "set-cookie", "strict-transport-security", "transfer-encoding", "user-agent", "vary", "via",
        "www-authenticate"};
    static const char* const values[] = {"", "GET", "POST", "/", "/index.html", "http", "https", "200", "204", "206", "304",
                                         "400", "404", "500", "", "gzip, deflate"};
    static const char* const trace[] = {"trace_id", "span_id", "parent_id"};
    if (index >= 1 && index <= 61) {
        into = {names[index - 1], index <= 16 ? values[index - 1] : ""};
        return true;
    }
    if (index >= 80 && index <= 82) {
        into = {trace[index - 80], std::string(8, '\0')};
        return true;
    }
    return false;
}

// Those that can be understood, in order.
inline std::vector<header> read_headers(std::string_view encoded) {
    std::vector<header> all;
    const unsigned char* bytes = reinterpret_cast<const unsigned char*>(encoded.data());
    cursor c{bytes, bytes + encoded.size()};
    std::uint32_t count;
    if (c.array(count) != parse::ok) return all;
    for (std::uint32_t i = 0; i < count; ++i) {
        header one;
        std::uint64_t index;
        std::uint32_t parts;
        const unsigned char* start = c.at;
        if (c.integer(index) == parse::ok) {
            if (static_header(index, one)) all.push_back(std::move(one));
        } else if (c.array(parts) == parse::ok && parts == 3) {
            std::string_view name, value;
            bool named = false;
            if (c.skip() != parse::ok) return all;    // the flag: what it adds would go to a table that we need not keep
            if (c.integer(index) == parse::ok) {
                named = static_header(index, one);
            } else if (c.bytes(name) == parse::ok) {
                one.name = std::string(name);
                named = true;
            } else if (c.skip() != parse::ok) {
                return all;
            }
            if (c.bytes(value) == parse::ok) {
                one.value = std::string(value);
                if (named) all.push_back(std::move(one));
            } else if (c.skip() != parse::ok) {
                return all;
            }
        } else {
            c.at = start;
            if (c.skip() != parse::ok) return all;
        }
    }
    return all;
}

// The first of that name, or null.
inline const header* find_header(const std::vector<header>& all, std::string_view name) {
    for (const header& one : all)
        if (one.name == name) return &one;
    return nullptr;
}

// A number in a header: 8 bytes little-endian, or decimal text. 0 when there is none.
inline std::uint64_t header_number(const std::vector<header>& all, std::string_view name) {
    const header* one = find_header(all, name);
    if (one == nullptr) return 0;
    std::uint64_t value = 0;
    if (one->value.size() == 8) {
        for (std::size_t i = 8; i-- > 0;) value = value << 8 | static_cast<unsigned char>(one->value[i]);
        return value;
    }
    for (char digit : one->value) {
        if (digit < '0' || digit > '9') return 0;
        value = value * 10 + static_cast<std::uint64_t>(digit - '0');
    }
    return value;
}

}  // namespace detail
}  // namespace cocaine
