// Run it with make test: it needs no node.
#include <cstdio>

#include "app.hpp"

static int expect(std::string_view expected, std::string_view found) {
    if (found == expected) return 0;
    std::fprintf(stderr, "expected '%.*s', found '%.*s'\n", static_cast<int>(expected.size()), expected.data(),
                 static_cast<int>(found.size()), found.data());
    return 1;
}

int main() {
    int failed = expect("hello, you", app::hello("you")) + expect("hello, world", app::hello("")) + expect("LOUD", app::shout("loud"));
    if (failed == 0) std::puts("ok");
    return failed;
}
