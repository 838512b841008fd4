// Sealed calls, against records and keys that other libraries have made: sealing FOLDER. The folder has own.pem, node.pem, node.pub, weak.pem
// and vectors.txt: a line `app event node-thumbprint opening key`, then records.
#include <cocaine/sealing.hpp>

#include <fstream>
#include <sstream>

namespace crypto = cocaine::detail::crypto;
using cocaine::detail::big_endian;

static void check(bool is_so, const std::string& text) {
    if (!is_so) throw std::logic_error("not so: " + text);
}

static std::string unhex(const std::string& text) {
    std::string bytes;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2) bytes += static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16));
    return bytes;
}

static std::string unurl(std::string text) {
    std::size_t padding = (4 - text.size() % 4) % 4;
    for (char& one : text) one = one == '-' ? '+' : one == '_' ? '/' : one;
    text.append(padding, '=');
    std::string bytes(text.size() / 4 * 3, '\0');
    int size = EVP_DecodeBlock(crypto::bytes(bytes), crypto::bytes(std::string_view(text)), static_cast<int>(text.size()));
    check(size >= 0, "base64url");
    bytes.resize(static_cast<std::size_t>(size) - padding);
    return bytes;
}

static std::string part(const std::string& text, char between, int index) {
    std::istringstream parts(text);
    std::string one;
    for (int i = 0; i <= index; ++i) std::getline(parts, one, between);
    return one;
}

static std::string member(const std::string& json, const std::string& name) {
    std::size_t at = json.find("\"" + name + "\":\"") + name.size() + 4;
    return json.substr(at, json.find('"', at) - at);
}

// The node's end of a session: seals answers with the key that the opening has.
struct node_end {
    std::string head, inner_head, claims, id, secret;
    std::uint64_t counter = 0;

    node_end(const std::string& opening, const crypto::rsa_key& node) {
        head = unurl(part(opening, '.', 0));
        std::string inner = unurl(part(opening, '.', 1));
        inner_head = unurl(part(inner, '.', 0));
        std::string wrapped = unurl(part(inner, '.', 1)), key(512, '\0');
        std::size_t size = key.size();
        crypto::key_context context(EVP_PKEY_CTX_new(node.get(), nullptr));
        check(EVP_PKEY_decrypt_init(context.get()) > 0 && EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING) > 0
                  && EVP_PKEY_CTX_set_rsa_oaep_md(context.get(), EVP_sha256()) > 0
                  && EVP_PKEY_decrypt(context.get(), crypto::bytes(key), &size, crypto::bytes(std::string_view(wrapped)), wrapped.size()) > 0,
              "the key unwraps");
        key.resize(size);
        std::string hidden = unurl(part(inner, '.', 3)) + unurl(part(inner, '.', 4));
        auto text = crypto::decrypt(key, unurl(part(inner, '.', 2)), part(inner, '.', 0), hidden);
        check(text.has_value(), "the content opens");
        claims = *text;
        std::string digest = crypto::sha256(opening);
        id = digest.substr(0, 16);
        secret = crypto::hkdf(unurl(member(claims, "key")), digest, "cocaine-fast seal 1 to-client", 36);
    }

    std::string answer(const std::string& event, std::uint64_t job, std::uint64_t chunk, unsigned kind, const std::string& text) {
        std::string field = big_endian(std::uint64_t{kind} << 56 | ++counter, 8);
        std::string tied = std::string("\1\1", 2) + "shop" + '\0' + event + '\0' + big_endian(job, 8) + big_endian(chunk, 8)
            + big_endian(kind, 1) + std::string(20, '\xff') + '\0';
        return id + field + crypto::encrypt(secret.substr(0, 32), secret.substr(32) + field, tied, text);
    }
};

static void vectors(const std::string& folder, const crypto::rsa_key& node) {
    std::ifstream file(folder + "/vectors.txt");
    std::string app, event, thumbprint, opening, key, direction, text, record;
    file >> app >> event >> thumbprint >> opening >> key;
    check(node.thumbprint() == thumbprint, "the thumbprint");
    cocaine::detail::seal_session session(opening, unhex(key));
    std::uint64_t counter, job, chunk;
    std::int64_t request_timeout, silence_timeout, retry_limit;
    unsigned kind, urgent;
    int count = 0;
    for (; file >> direction >> counter >> job >> chunk >> kind >> request_timeout >> silence_timeout >> retry_limit >> urgent >> text >> record;
         ++count) {
        std::string tied = app + '\0' + event + '\0' + big_endian(job, 8) + big_endian(chunk, 8) + big_endian(kind, 1)
            + big_endian(static_cast<std::uint64_t>(request_timeout), 8) + big_endian(static_cast<std::uint64_t>(silence_timeout), 8)
            + big_endian(static_cast<std::uint64_t>(retry_limit), 4) + big_endian(urgent, 1);
        text = text == "-" ? "" : unhex(text);
        if (direction == "to-node") check(session.seal(kind, counter, tied, text) == unhex(record), "a record to the node");
        else check(session.open(unhex(record), tied) == text, "a record to the client");
    }
    check(count == 8, "eight records");
}

// A call in a session of its own, whose question was asked.
struct begun {
    cocaine::sealed_call call;
    node_end end;

    static begun with(cocaine::sealer& sealer, const crypto::rsa_key& node) {
        sealer.forget(sealer.begin("echo").second);
        auto [seal, call] = sealer.begin("echo");
        call.seal("question", true);
        return {call, node_end(seal, node)};
    }
};

static bool is_refused(cocaine::sealed_call& call, const std::string& record) {
    try {
        call.open(record);
        return false;
    } catch (const cocaine::seal_error&) {
        return true;
    }
}

static void openings(cocaine::sealer& sealer, const crypto::rsa_key& node) {
    auto [seal, call] = sealer.begin("invoice");
    node_end end(seal, node);
    check(end.head == R"({"alg":"PS256","kid":")" + sealer.own_name() + R"(","cty":"JWE"})", "the outer head");
    check(end.inner_head == R"({"alg":"RSA-OAEP-256","enc":"A256GCM","kid":")" + sealer.node_name() + R"("})", "the inner head");
    check(member(end.claims, "iss") == sealer.own_name() && member(end.claims, "aud") == sealer.node_name(), "the names");
    check(unurl(member(end.claims, "jti")).size() == 16 && unurl(member(end.claims, "key")).size() == 32, "the number and the key");
    auto [number, again] = sealer.begin("invoice");
    check(number == end.id, "then the number of the session");
    sealer.forget(again);
    check(sealer.begin("invoice").first != seal, "a forgotten session is opened anew");
}

static void answers(cocaine::sealer& sealer, const crypto::rsa_key& node) {
    begun right = begun::with(sealer, node);
    std::string first = right.end.answer("echo", 1, 0, 0, "first");
    check(right.call.open(first) == "first", "the first record");
    check(is_refused(right.call, first), "repeated");
    check(!right.call.open(right.end.answer("echo", 1, 1, 1, "")) && right.call.ended(), "the end");
    check(is_refused(right.call, right.end.answer("echo", 1, 2, 0, "more")), "after the end");

    begun wrong = begun::with(sealer, node);
    check(is_refused(wrong.call, wrong.end.answer("echo", 2, 0, 0, "x")), "of another job");
    check(is_refused(wrong.call, wrong.end.answer("other", 1, 0, 0, "x")), "of another event");
    check(is_refused(wrong.call, wrong.end.answer("echo", 1, 1, 0, "x")), "at another place");
    check(is_refused(wrong.call, right.end.answer("echo", 1, 0, 0, "x")), "of another session");
    cocaine::sealed_call second = sealer.begin("echo").second;
    second.seal("question", true);
    std::string record = wrong.end.answer("echo", 1, 0, 0, "first");
    check(is_refused(second, record), "swapped answers");
    for (std::size_t i = 0; i < record.size(); ++i) {
        std::string changed = record;
        changed[i] = static_cast<char>(changed[i] ^ 1);
        check(is_refused(wrong.call, changed), "flipped at " + std::to_string(i));
        check(is_refused(wrong.call, record.substr(0, i)), "cut to " + std::to_string(i));
    }
    check(wrong.call.open(record) == "first", "and the right one opens");

    begun failed = begun::with(sealer, node);
    check(!failed.call.open(failed.end.answer("echo", 1, 0, 2, big_endian(1000, 4) + big_endian(502, 4) + "broken")), "the error's record");
    const auto& failure = failed.call.sealed_failure();
    check(failure && failure->category == 1000 && failure->code == 502 && failure->text == "broken", "an error");
}

int main(int, char** words) {
    std::string folder = words[1];
    crypto::rsa_key node = crypto::rsa_key::read_private(folder + "/node.pem");
    vectors(folder, node);
    cocaine::sealer sealer("shop", folder + "/own.pem", folder + "/node.pub");
    openings(sealer, node);
    answers(sealer, node);
    try {
        cocaine::sealer("shop", folder + "/weak.pem", folder + "/node.pub");
        check(false, "a weak key is refused");
    } catch (const std::invalid_argument&) {
    }
    check(cocaine::sealed_frame(std::string(16, 'n'), "rr") == "CFS1\2rr", "a frame");
    check(cocaine::sealed_frame(std::string(300, 'o'), "rr") == "CFS1\1\1\x2c" + std::string(300, 'o') + "rr", "a frame that opens");
}
