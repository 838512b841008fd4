// The contract app of docs/worker-protocol.md.
#include <cocaine/worker.hpp>

#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <thread>

using cocaine::request;
using cocaine::response;

COCAINE_APP(worker) {
    worker.on("echo", [](request& ask, response& reply) { reply.write(ask.body()); });

    worker.on_stream("relay", [](request& ask, response& reply) {
        ask.on_chunk([&reply](std::string_view chunk) { reply.write(chunk); });
    });

    worker.on("count", [](request& ask, response& reply) {
        int last = std::stoi(std::string(ask.body()));
        for (int number = 0; number < last; ++number) reply.write(std::to_string(number));
    });

    worker.on("raises", [](request& ask, response&) { throw std::runtime_error(std::string(ask.body())); });

    worker.on("raises_late", [](request& ask, response& reply) {
        reply.write("first");
        throw std::runtime_error(std::string(ask.body()));
    });

    worker.on("refuses", [](request&, response& reply) { reply.error(77, "mine"); });

    worker.on_thread("waits", [](request& ask, response& reply) {
        reply.write("waiting");
        try {
            ask.body();
        } catch (const cocaine::cancelled& by) {
            std::fprintf(stderr, "waits was cancelled by [%d, %d]: %s\n", by.category(), by.code(), by.reason().c_str());
            throw;
        }
        reply.write("done");
    });

    worker.on_thread("sleeps", [](request& ask, response& reply) {
        std::this_thread::sleep_for(std::chrono::milliseconds(std::stoi(std::string(ask.body()))));
        reply.write("slept");
    });

    // Never closes its answer: it lets go of it, in two hands.
    auto forgets = [](request&, response& reply) {
        std::thread([late = reply.later()] {
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
            late.write("second");
        }).detach();
        reply.later().write("first ");
    };
    worker.on("forgets", forgets);
    worker.on_thread("forgets_on_thread", forgets);

    worker.on("prints", [](request& ask, response& reply) {
        std::string text(ask.body());
        std::printf("%s\n", text.c_str());
        std::fprintf(stderr, "%s\n", text.c_str());
        reply.write("printed");
    });

    worker.on("headers", [](request& ask, response& reply) {
        std::string lines;
        for (const cocaine::header& one : ask.headers()) {
            lines += one.name + "=";
            for (unsigned char byte : one.value) {
                char digits[3];
                std::snprintf(digits, sizeof digits, "%02x", byte);
                lines += digits;
            }
            lines += '\n';
        }
        reply.write(lines);
    });

    worker.on("whoami", [app = worker.app(), uuid = worker.uuid(), version = worker.version()](request& ask, response& reply) {
        reply.write(app + " " + uuid + " " + std::string(ask.event()) + " " + version);
    });

    // What every SDK can: the table of docs/languages.md.
    worker.on_thread("body", [](request& ask, response& reply) { reply.write(ask.body()); });

    worker.on("header", [](request& ask, response& reply) { reply.write(ask.header(ask.body()).value_or("none")); });

    worker.on("ids", [](request& ask, response& reply) {
        reply.write(std::to_string(ask.trace_id()) + " " + std::to_string(ask.span_id()) + " " + std::to_string(ask.parent_id()));
    });

    worker.on("category", [](request&, response& reply) { reply.error(78, "own category", 43); });

    worker.on_thread("cancelled", [](request& ask, response& reply) {
        reply.write("waiting");
        while (!ask.cancelled()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        std::fprintf(stderr, "cancelled was seen\n");
    });
}
