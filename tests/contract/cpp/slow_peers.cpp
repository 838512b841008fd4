// Events that write much, and that read slowly.
#include <cocaine/worker.hpp>

#include <unistd.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>

using cocaine::request;
using cocaine::response;

namespace {

const std::string chunk(64 << 10, '\0');

void floods(request& ask, response& reply) {
    for (int left = std::stoi(std::string(ask.body())) << 4; left > 0; --left) reply.write(chunk);
}

}  // namespace

COCAINE_APP(worker) {
    worker.on("pid", [](request&, response& reply) { reply.write(std::to_string(::getpid())); });
    worker.on("floods", floods);
    worker.on_thread("threads", floods);

    worker.on("later", [](request& ask, response& reply) {
        std::thread([answer = reply.later(), left = std::stoi(std::string(ask.body())) << 4]() mutable {
            while (left-- > 0) answer.write(chunk);
        }).detach();
    });

    // Begins to read after a while, and waits after each chunk.
    worker.on_thread("swallows", [](request& ask, response& reply) {
        std::size_t size = 0;
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
        while (auto part = ask.read()) {
            size += part->size();
            std::this_thread::sleep_for(std::chrono::microseconds(200));
        }
        reply.write(std::to_string(size));
    });
}
