// Every name given here is an event: a client calls it by its name.
#include <cocaine/worker.hpp>

#include "app.hpp"

COCAINE_APP(worker) {
    // The whole request, and a chunk back; on the worker's loop, for what is done at once.
    worker.on("hello", [](cocaine::request& request, cocaine::response& response) { response.write(app::hello(request.body())); });

    // Both ways are streams: each chunk is answered as it comes.
    worker.on_stream("shout", [](cocaine::request& request, cocaine::response& response) {
        request.on_chunk([&response](std::string_view chunk) { response.write(app::shout(chunk)); });
    });
}
