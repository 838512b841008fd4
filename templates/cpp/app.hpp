// What the app does, apart from how it is called: so its test needs no node.
#pragma once

#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>

namespace app {

inline std::string hello(std::string_view name) {
    return "hello, " + std::string(name.empty() ? "world" : name);
}

inline std::string shout(std::string_view text) {
    std::string loud(text);
    std::transform(loud.begin(), loud.end(), loud.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return loud;
}

}  // namespace app
