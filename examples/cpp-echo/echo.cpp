// An app in C++: see docs/languages.md.
#include <cocaine/worker.hpp>

#include <string>

COCAINE_APP(worker) {
    // The whole request, and a chunk back.
    worker.on("echo", [](cocaine::request& request, cocaine::response& response) { response.write(request.body()); });

    // Streams in and out, without a thread: a chunk goes back as it comes.
    worker.on_stream("relay", [](cocaine::request& request, cocaine::response& response) {
        request.on_chunk([&response](std::string_view chunk) { response.write(chunk); });
    });

    // In a thread of its own: may wait and work as long as it likes.
    worker.on_thread("sum", [](cocaine::request& request, cocaine::response& response) {
        long sum = 0;
        while (auto chunk = request.read()) {
            sum += std::stol(std::string(*chunk));
            response.write(std::to_string(sum) + "\n");
        }
    });
}
