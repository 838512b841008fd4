// Messages of the worker protocol: [channel, type, arguments, headers?]. docs/worker-protocol.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "limits.hpp"
#include "msgpack.hpp"

namespace cocaine::detail {

inline constexpr std::uint64_t control_channel = 1;    // of handshake, heartbeat, terminate, flow and recall

namespace control_type {
inline constexpr std::uint64_t heartbeat = 0, terminate = 1, flow = 2, recall = 3;
}

// On any other channel; an invoke is the first write.
namespace message_type {
inline constexpr unsigned write = 0, error = 1, close = 2;
}

// Errors in the framework's name have a category of their own.
inline constexpr int not_found = 404;
inline constexpr int too_large = 413;
inline constexpr int app_error = 502;

// The headers of a call without a trace: three indexes of the static table.
inline constexpr std::string_view bare_headers("\x93\x50\x51\x52", 4);

struct message {
    std::uint64_t channel = 0;
    std::uint64_t type = 0;
    std::uint32_t arity = 0;         // of the arguments
    bool has_data = false;           // the first argument is a string or bytes
    std::string_view data;           // that one
    std::string_view arguments;      // all of them, encoded
    std::string_view headers;        // the encoded array, or empty
    std::size_t size = 0;            // of the whole message in bytes

    static parse read(const unsigned char* from, std::size_t length, message& into) {
        cursor c{from, from + length};
        std::uint32_t parts;
        parse p = c.array(parts);
        if (p != parse::ok) return p;
        if (parts < 3) return parse::bad;
        if ((p = c.integer(into.channel)) != parse::ok) return p;
        if ((p = c.integer(into.type)) != parse::ok) return p;
        if ((p = c.array(into.arity)) != parse::ok) return p;
        const unsigned char* first = c.at;
        into.has_data = false;
        into.headers = {};
        for (std::uint32_t i = 0; i < into.arity; ++i) {
            if (i == 0 && (p = c.bytes(into.data)) == parse::ok) {
                into.has_data = true;
                continue;
            }
            if (i == 0 && p == parse::more) return p;
            if ((p = c.skip()) != parse::ok) return p;
        }
        into.arguments = std::string_view(reinterpret_cast<const char*>(first), static_cast<std::size_t>(c.at - first));
        for (std::uint32_t i = 3; i < parts; ++i) {
            const unsigned char* start = c.at;
            if ((p = c.skip()) != parse::ok) return p;
            if (i == 3 && *start != 0xc0)
                into.headers = std::string_view(reinterpret_cast<const char*>(start), static_cast<std::size_t>(c.at - start));
        }
        into.size = static_cast<std::size_t>(c.at - from);
        return parse::ok;
    }

    // Of a recall: its count, and the first channel that is void. False when it has no such numbers.
    bool read_recall(std::uint64_t& count, std::uint64_t& from) const {
        const unsigned char* start = reinterpret_cast<const unsigned char*>(arguments.data());
        cursor c{start, start + arguments.size()};
        return arity >= 2 && c.integer(count) == parse::ok && c.integer(from) == parse::ok;
    }

    // Of a flow message: the channel, and 1 to hold its chunks or 0 to go on. False when the arguments are anything else.
    bool read_flow(std::uint64_t& number, bool& holds) const {
        const unsigned char* start = reinterpret_cast<const unsigned char*>(arguments.data());
        cursor c{start, start + arguments.size()};
        std::uint64_t state;
        if (arity != 2 || c.integer(number) != parse::ok || c.integer(state) != parse::ok || state > 1) return false;
        holds = state == 1;
        return true;
    }

    // Of an error: its category, code and reason. False when the arguments are of another form.
    bool read_error(int& category, int& code, std::string_view& reason) const {
        const unsigned char* start = reinterpret_cast<const unsigned char*>(arguments.data());
        cursor c{start, start + arguments.size()};
        std::uint32_t parts;
        return arity == 2 && c.array(parts) == parse::ok && parts == 2 && c.signed_integer(category) == parse::ok
            && c.signed_integer(code) == parse::ok && c.bytes(reason) == parse::ok;
    }

    // Of the handshake's answer: the map of what the node can do has this name, with 1.
    bool has_ability(std::string_view name) const {
        const unsigned char* start = reinterpret_cast<const unsigned char*>(arguments.data());
        cursor c{start, start + arguments.size()};
        if (arity != 1 || c.at == c.end || (*c.at & 0xf0) != 0x80) return false;
        for (unsigned left = *c.at++ & 15u; left > 0; --left) {
            std::string_view key;
            std::uint64_t value = 0;
            if (c.bytes(key) != parse::ok) return false;
            const unsigned char* from = c.at;
            bool is_number = c.integer(value) == parse::ok;
            if (key == name) return is_number && value == 1;
            c.at = from;
            if (c.skip() != parse::ok) return false;
        }
        return false;
    }
};

// The writing side. Longest head of a message: outer array 1, channel 9, type 1, arguments 1, bytes 5.
constexpr std::size_t max_head_bytes = 20;

inline char* store_start(char* to, std::uint64_t channel, unsigned type) {
    *to++ = static_cast<char>(0x93);
    to = store_unsigned(to, channel);
    *to++ = static_cast<char>(type);
    return to;
}

// [channel, 0, [bin of `length` bytes: all but the bytes.
inline char* store_chunk_head(char* to, std::uint64_t channel, std::size_t length) {
    to = store_start(to, channel, message_type::write);
    *to++ = static_cast<char>(0x91);
    int width = length <= 0xff ? 1 : length <= 0xffff ? 2 : 4;
    *to++ = static_cast<char>(width == 1 ? 0xc4 : width == 2 ? 0xc5 : 0xc6);
    for (int i = width - 1; i >= 0; --i) *to++ = static_cast<char>(length >> (8 * i));
    return to;
}

// [channel, 2, []]
inline char* store_close(char* to, std::uint64_t channel) {
    to = store_start(to, channel, message_type::close);
    *to++ = static_cast<char>(0x90);
    return to;
}

// [1, 2, [channel, 1 or 0]]
inline char* store_flow(char* to, std::uint64_t channel, bool holds) {
    to = store_start(to, control_channel, control_type::flow);
    *to++ = static_cast<char>(0x92);
    to = store_unsigned(to, channel);
    *to++ = holds ? 1 : 0;
    return to;
}

// At most so many bytes, and no half character at the end.
inline std::string_view cut(std::string_view text, std::size_t most) {
    if (text.size() <= most) return text;
    while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80) --most;
    return text.substr(0, most);
}

// [channel, 1, [[category, code], reason]]
inline std::string error_message(std::uint64_t channel, int category, int code, std::string_view reason) {
    reason = cut(reason, limits::failure_text_bytes);
    char head[48];
    char* at = store_start(head, channel, message_type::error);
    *at++ = static_cast<char>(0x92);
    *at++ = static_cast<char>(0x92);
    at = store_signed(at, category);
    at = store_signed(at, code);
    if (reason.size() < 32) {
        *at++ = static_cast<char>(0xa0 | reason.size());
    } else {
        *at++ = static_cast<char>(0xda);
        *at++ = static_cast<char>(reason.size() >> 8);
        *at++ = static_cast<char>(reason.size());
    }
    std::string all(head, at);
    all.append(reason);
    return all;
}

// The uuid goes as bin: that tells the node that we read bin. The map says what we can do.
inline std::string handshake_message(std::string_view uuid, bool ask_for_pipe, bool has_page) {
    std::string all("\x93\x01\x00", 3);
    all += static_cast<char>(0x92);
    all += static_cast<char>(0xc4);
    all += static_cast<char>(uuid.size());
    all.append(uuid);
    all += static_cast<char>(0x81 + ask_for_pipe + has_page);
    if (ask_for_pipe) all.append("\xa4pipe\x01");
    if (has_page) all.append("\xa5""begin\x01");
    all.append("\xa4""flow\x01");
    return all;
}

constexpr char heartbeat_message[4] = {static_cast<char>(0x93), 1, 0, static_cast<char>(0x90)};

}  // namespace cocaine::detail
