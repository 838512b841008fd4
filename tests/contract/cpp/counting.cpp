// Writes down each begin of its handler, and then takes as long as the request says.
#include <cocaine/worker.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <thread>

using cocaine::request;
using cocaine::response;

COCAINE_APP(app) {
    // The request is FILE|ID|MS, and the answer the id.
    app.on("mark", [](request& ask, response& reply) {
        std::string all(ask.body());
        std::size_t one = all.find('|'), two = all.find('|', one + 1);
        std::string id = all.substr(one + 1, two - one - 1), line = id + "\n";
        int file = open(all.substr(0, one).c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
        if (write(file, line.data(), line.size()) < 0) throw std::runtime_error("the file cannot be written");
        close(file);
        int ms = std::stoi(all.substr(two + 1));
        if (ms > 0) std::this_thread::sleep_for(std::chrono::milliseconds(ms));
        reply.write(id);
    });
}
