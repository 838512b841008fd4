// The sealed calls that every language's client makes: client SDK ENDPOINT APP KEY NODE-KEY
#include <cocaine/sealed_client.hpp>

#include <iostream>
#include <stdexcept>

static void check(bool is_so, const std::string& text) {
    if (!is_so) throw std::logic_error("not so: " + text);
}

int main(int, char** words) {
    std::string endpoint = words[2], app = words[3], key = words[4], node_key = words[5];
    cocaine::sealed_client client(endpoint, app, key, node_key);
    for (int i = 0; i < 300; ++i) {
        cocaine::sealed_wishes wishes;
        wishes.request_timeout = 20000;
        wishes.urgent = i % 2 == 1;
        wishes.retry_limit = 1;
        std::string text = "hello " + std::to_string(i);
        check(client.call("echo", text, wishes) == text, text);
    }
    check(client.call("echo").empty(), "an empty answer");
    std::string large;
    for (int i = 0; i < 256 * 40000; ++i) large += static_cast<char>(i);
    check(client.call("echo", large) == large, "a large answer");
    std::string answer;
    client.stream("echo", {"one;", "two;", "three"}, [&](std::string_view chunk) { answer.append(chunk); });
    check(answer == "one;two;three", "a request of chunks");
    std::string counted;
    client.stream("count", {"3"}, [&](std::string_view chunk) { counted.append(chunk.substr(0, chunk.size() - 1)) += ' '; });
    std::cout << counted.substr(0, counted.size() - 1) << "\n";
    try {
        client.call("fail", "the reason");
    } catch (const cocaine::call_error& error) {
        std::cout << error.category() << " " << error.code() << " " << error.what() << "\n";
    }
    cocaine::sealed_client stranger(endpoint, "another", key, node_key);
    try {
        stranger.call("echo", "x");
    } catch (const cocaine::call_error& error) {
        std::cout << error.code() << " " << error.what() << "\n";
    }
}
