// MessagePack, as far as the protocol needs it: reading any value, writing integers.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace cocaine::detail {

inline std::uint16_t load16(const unsigned char* at) { return static_cast<std::uint16_t>(at[0] << 8 | at[1]); }

inline std::uint32_t load32(const unsigned char* at) {
    std::uint32_t value;
    std::memcpy(&value, at, 4);
    return __builtin_bswap32(value);
}

inline std::uint64_t load64(const unsigned char* at) {
    std::uint64_t value;
    std::memcpy(&value, at, 8);
    return __builtin_bswap64(value);
}

enum class parse { ok, more, bad };

// Reads values one after the other; what the bytes say is believed only as far as there are bytes.
struct cursor {
    const unsigned char* at;
    const unsigned char* end;

    std::size_t left() const { return static_cast<std::size_t>(end - at); }

    parse integer(std::uint64_t& value) {
        if (at == end) return parse::more;
        unsigned char code = *at;
        if (code < 0x80) {
            value = code;
            ++at;
            return parse::ok;
        }
        if (code < 0xcc || code > 0xd3) return parse::bad;
        unsigned width = 1u << ((code - 0xcc) & 3);
        if (left() < 1 + width) return parse::more;
        switch (code) {
            case 0xcc: value = at[1]; break;
            case 0xcd: value = load16(at + 1); break;
            case 0xce: value = load32(at + 1); break;
            case 0xcf: value = load64(at + 1); break;
            // Signed ones may be written for numbers that are not negative.
            case 0xd0: value = static_cast<std::uint64_t>(static_cast<std::int8_t>(at[1])); break;
            case 0xd1: value = static_cast<std::uint64_t>(static_cast<std::int16_t>(load16(at + 1))); break;
            case 0xd2: value = static_cast<std::uint64_t>(static_cast<std::int32_t>(load32(at + 1))); break;
            default: value = load64(at + 1); break;
        }
        at += 1 + width;
        return static_cast<std::int64_t>(value) < 0 && code >= 0xd0 ? parse::bad : parse::ok;
    }

    // Of 32 bits, below zero too.
    parse signed_integer(int& value) {
        if (at == end) return parse::more;
        unsigned char code = *at;
        if (code >= 0xe0) {
            value = static_cast<std::int8_t>(code);
            ++at;
            return parse::ok;
        }
        std::int64_t wide;
        std::uint64_t positive;
        if (code == 0xd0 && left() >= 2) wide = static_cast<std::int8_t>(at[1]);
        else if (code == 0xd1 && left() >= 3) wide = static_cast<std::int16_t>(load16(at + 1));
        else if (code == 0xd2 && left() >= 5) wide = static_cast<std::int32_t>(load32(at + 1));
        else if (parse p = integer(positive); p != parse::ok) return p;
        else if (positive > 0x7fffffff) return parse::bad;
        else {
            value = static_cast<int>(positive);
            return parse::ok;
        }
        at += code == 0xd0 ? 2 : code == 0xd1 ? 3 : 5;
        value = static_cast<int>(wide);
        return parse::ok;
    }

    parse array(std::uint32_t& count) {
        if (at == end) return parse::more;
        unsigned char code = *at;
        if ((code & 0xf0) == 0x90) {
            count = code & 15u;
            ++at;
            return parse::ok;
        }
        if (code == 0xdc) {
            if (left() < 3) return parse::more;
            count = load16(at + 1);
            at += 3;
            return parse::ok;
        }
        if (code == 0xdd) {
            if (left() < 5) return parse::more;
            count = load32(at + 1);
            at += 5;
            return parse::ok;
        }
        return parse::bad;
    }

    // A string or bytes, of either family.
    parse bytes(std::string_view& value) {
        if (at == end) return parse::more;
        unsigned char code = *at;
        std::size_t head, length;
        if ((code & 0xe0) == 0xa0) {
            head = 1;
            length = code & 31u;
        } else if (code == 0xc4 || code == 0xd9) {
            if (left() < 2) return parse::more;
            head = 2;
            length = at[1];
        } else if (code == 0xc5 || code == 0xda) {
            if (left() < 3) return parse::more;
            head = 3;
            length = load16(at + 1);
        } else if (code == 0xc6 || code == 0xdb) {
            if (left() < 5) return parse::more;
            head = 5;
            length = load32(at + 1);
        } else {
            return parse::bad;
        }
        if (left() < head + length) return parse::more;
        value = std::string_view(reinterpret_cast<const char*>(at) + head, length);
        at += head + length;
        return parse::ok;
    }

    // Any value. Not recursive, so nesting cannot overflow a stack; each value takes a byte at least, so it ends.
    parse skip() {
        for (std::uint64_t todo = 1; todo > 0; --todo) {
            if (at == end) return parse::more;
            unsigned char code = *at;
            std::size_t size = 1;
            if (code < 0x80 || code >= 0xe0) {
            } else if (code < 0x90) {
                todo += 2u * (code & 15u);
            } else if (code < 0xa0) {
                todo += code & 15u;
            } else if (code < 0xc0) {
                size += code & 31u;
            } else {
                static const signed char fixed[32] = {0,  -1, 0, 0, -2, -3, -4, -2, -3, -4, 4, 8, 1, 2, 4, 8,
                                                      1, 2, 4, 8, 2, 3, 5, 9, 17, -2, -3, -4, -5, -6, -7, -8};
                int kind = fixed[code - 0xc0];
                if (code == 0xc1) return parse::bad;
                if (kind >= 0) {
                    size += static_cast<std::size_t>(kind);
                } else {
                    std::size_t width = kind == -2 ? 1 : kind == -3 || kind == -5 || kind == -7 ? 2 : 4;
                    if (left() < 1 + width) return parse::more;
                    std::uint64_t count = width == 1 ? at[1] : width == 2 ? load16(at + 1) : load32(at + 1);
                    size += width;
                    if (kind <= -7) {
                        todo += 2 * count;
                    } else if (kind <= -5) {
                        todo += count;
                    } else {
                        bool extension = code >= 0xc7 && code <= 0xc9;
                        size += count + (extension ? 1 : 0);
                    }
                }
            }
            if (left() < size) return parse::more;
            at += size;
        }
        return parse::ok;
    }
};

inline char* store_unsigned(char* to, std::uint64_t value) {
    if (value < 0x80) {
        *to++ = static_cast<char>(value);
        return to;
    }
    int width = value <= 0xff ? 1 : value <= 0xffff ? 2 : value <= 0xffffffffu ? 4 : 8;
    *to++ = static_cast<char>(width == 1 ? 0xcc : width == 2 ? 0xcd : width == 4 ? 0xce : 0xcf);
    for (int i = width - 1; i >= 0; --i) *to++ = static_cast<char>(value >> (8 * i));
    return to;
}

inline char* store_signed(char* to, std::int64_t value) {
    if (value >= 0) return store_unsigned(to, static_cast<std::uint64_t>(value));
    *to++ = static_cast<char>(0xd2);
    for (int i = 3; i >= 0; --i) *to++ = static_cast<char>(static_cast<std::uint32_t>(value) >> (8 * i));
    return to;
}

}  // namespace cocaine::detail
