// The page beside the socket, with the words about what is begun. Layout and rules: docs/worker-protocol.md, "What is begun".
#pragma once

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "begin.hpp"

namespace cocaine::detail {

class begin_page {
public:
    // The page that the node gave this process, if it did. What the app starts does not see it.
    static begin_page of_process() {
        begin_page page;
        const char* name = std::getenv("COCAINE_BEGIN_PAGE");
        char* end = nullptr;
        long descriptor = name == nullptr || *name < '0' || *name > '9' ? -1 : std::strtol(name, &end, 10);
        if (descriptor < 0 || descriptor > INT32_MAX || *end != 0) return page;
        ::unsetenv("COCAINE_BEGIN_PAGE");
        struct stat about;
        if (::fstat(static_cast<int>(descriptor), &about) != 0 || about.st_size != bytes) return page;
        void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, static_cast<int>(descriptor), 0);
        if (memory == MAP_FAILED) return page;
        if (std::memcmp(memory, "CBEGIN01", 8) == 0) {
            page.base_ = static_cast<unsigned char*>(memory);
            ::close(static_cast<int>(descriptor));
        } else {
            ::munmap(memory, bytes);
        }
        return page;
    }

    bool is_there() const { return base_ != nullptr; }

    // Valid once the node has granted the page. It stays mapped for as long as the process lives.
    begin_words words() const {
        begin_words words;
        words.begun = reinterpret_cast<std::uint64_t*>(base_ + 3072);
        words.again = reinterpret_cast<std::uint64_t*>(base_ + 3080);
        words.recalls = reinterpret_cast<const std::uint32_t*>(base_ + 3200);
        std::int32_t most;
        std::memcpy(&most, base_ + 60, 4);
        if (most > 0) words.most = static_cast<std::size_t>(most);
        return words;
    }

private:
    static constexpr std::size_t bytes = 4096;
    unsigned char* base_ = nullptr;
};

}  // namespace cocaine::detail
