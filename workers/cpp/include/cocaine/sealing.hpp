// Sealed calls, for clients: openings of sessions and their records, as docs/protocol.md has them. No sockets.
//
//     cocaine::sealer sealer("shop", "billing.pem", "node.pub");
//     auto [seal, call] = sealer.begin("invoice");          // seal is the value of the call's header
//     call.seal(chunk, true)                                // a record of the request, and the last one
//     call.open(record)                                     // a chunk of the answer; nothing at its end
//
// Needs OpenSSL 3 (Debian: libssl-dev) and -lcrypto. Not for several threads at the same time.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "detail/libcrypto.hpp"
#include "detail/msgpack.hpp"

namespace cocaine {

// A record is not what the node has sealed for this call, or an answer was cut.
class seal_error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// The wishes of a sealed call; they must be those of its headers. Times in ms.
struct sealed_wishes {
    std::optional<std::int64_t> request_timeout, silence_timeout, retry_limit;
    bool urgent = false;
};

namespace detail {

inline std::string big_endian(std::uint64_t value, int width) {
    std::string text;
    for (int i = width - 1; i >= 0; --i) text += static_cast<char>(value >> (8 * i));
    return text;
}

// The keys of both directions.
class seal_session {
public:
    static constexpr std::size_t id_bytes = 16, head_bytes = 24;

    seal_session(std::string opening, std::string_view secret) : opening_(std::move(opening)) {
        std::string digest = crypto::sha256(opening_);
        id_ = digest.substr(0, id_bytes);
        to_node_ = crypto::hkdf(secret, digest, "cocaine-fast seal 1 to-node", secret_bytes);
        to_client_ = crypto::hkdf(secret, digest, "cocaine-fast seal 1 to-client", secret_bytes);
    }

    const std::string& id() const { return id_; }

    bool is_old() const {
        auto now = clock::now();
        return (!opening_.empty() && now - made_ > wait) || now - made_ > most || now - used_ > idle || counter_ > most_records;
    }

    // The opening, once; then the number of the session.
    std::string header() {
        used_ = clock::now();
        return opening_.empty() ? id_ : std::exchange(opening_, {});
    }

    std::uint64_t next_counter() { return ++counter_; }

    std::string seal(unsigned kind, std::uint64_t counter, std::string_view tied, std::string_view text) const {
        std::string field = big_endian(std::uint64_t{kind} << 56 | counter, 8);
        return id_ + field + crypto::encrypt(key(to_node_), prefix(to_node_) + field, std::string("\1\0", 2).append(tied), text);
    }

    // The text of a record of the node; nothing when it does not open.
    std::optional<std::string> open(std::string_view record, std::string_view tied) const {
        std::string nonce = prefix(to_client_).append(record.substr(id_bytes, head_bytes - id_bytes));
        return crypto::decrypt(key(to_client_), nonce, std::string("\1\1", 2).append(tied), record.substr(head_bytes));
    }

private:
    using clock = std::chrono::steady_clock;
    static constexpr std::size_t secret_bytes = 36;
    // Half an opening's time; a minute less than the node's bounds; half of the node's bound.
    static constexpr std::chrono::seconds wait{30}, most{3540}, idle{540};
    static constexpr std::uint64_t most_records = std::uint64_t{1} << 31;

    static std::string_view key(const std::string& secret) { return std::string_view(secret).substr(0, crypto::key_bytes); }
    static std::string prefix(const std::string& secret) { return secret.substr(crypto::key_bytes); }

    std::string opening_, id_, to_node_, to_client_;
    std::uint64_t counter_ = 0;
    clock::time_point made_ = clock::now(), used_ = made_;
};

}  // namespace detail

// The records of one call, in both directions.
class sealed_call {
public:
    struct failure {
        int category = 0, code = 0;
        std::string text;
    };

    sealed_call(std::shared_ptr<detail::seal_session> session, std::string place, std::string wishes, bool opens)
        : session_(std::move(session)), place_(std::move(place)), wishes_(std::move(wishes)), opens_(opens) {}

    // The next record of the request.
    std::string seal(std::string_view chunk, bool is_last = false) {
        std::uint64_t counter = session_->next_counter();
        if (job_ == 0) job_ = counter;
        unsigned kind = is_last ? last : more;
        return session_->seal(kind, counter, tied(sent_++, kind), chunk);
    }

    // The chunk of a record of the answer; nothing for the record that ends it. Throws seal_error.
    std::optional<std::string> open(std::string_view record) {
        constexpr std::size_t least = detail::seal_session::head_bytes + detail::crypto::tag_bytes;
        if (ended_ || record.size() < least || record.substr(0, detail::seal_session::id_bytes) != session_->id())
            throw seal_error("the answer goes on with what is no record of it");
        unsigned kind = static_cast<unsigned char>(record[detail::seal_session::id_bytes]);
        std::optional<std::string> text = session_->open(record, tied(got_, kind));
        if (!text) throw seal_error("a record of the answer does not open: it was changed, moved, or comes from somebody else");
        ++got_;
        if (kind == more) return text;
        ended_ = true;
        if (kind == error && text->size() >= 8) {
            const unsigned char* at = detail::crypto::bytes(std::string_view(*text));
            error_ = failure{static_cast<int>(detail::load32(at)), static_cast<int>(detail::load32(at + 4)), text->substr(8)};
        }
        return std::nullopt;
    }

    // The record that ends the answer has come; and the error that it has.
    bool ended() const { return ended_; }
    const std::optional<failure>& sealed_failure() const { return error_; }

    // The call brings the opening of its session.
    bool opens() const { return opens_; }

private:
    friend class sealer;
    static constexpr unsigned more = 0, last = 1, error = 2;    // the kinds of records

    std::string tied(std::uint64_t chunk, unsigned kind) const {
        return place_ + detail::big_endian(job_, 8) + detail::big_endian(chunk, 8) + detail::big_endian(kind, 1) + wishes_;
    }

    std::shared_ptr<detail::seal_session> session_;
    std::string place_, wishes_;
    bool opens_, ended_ = false;
    std::uint64_t job_ = 0, sent_ = 0, got_ = 0;
    std::optional<failure> error_;
};

// Opens sessions with one node for one app.
class sealer {
public:
    // key_file: the caller's private key, PKCS#8 PEM; node_key_file: the node's public key, PEM.
    sealer(std::string app, const std::string& key_file, const std::string& node_key_file)
        : app_(std::move(app)), key_(detail::crypto::rsa_key::read_private(key_file)),
          node_(detail::crypto::rsa_key::read_public(node_key_file)) {}

    // Begins a call: the value of its header `seal`, and the call.
    std::pair<std::string, sealed_call> begin(std::string_view event, const sealed_wishes& wishes = {}) {
        if (!session_ || session_->is_old()) {
            std::string secret = detail::crypto::random(detail::crypto::key_bytes);
            session_ = std::make_shared<detail::seal_session>(make_opening(secret), secret);
        }
        std::string place = app_ + '\0' + std::string(event) + '\0';
        std::string bounds = bounded(wishes.request_timeout, most_ms, 8) + bounded(wishes.silence_timeout, most_ms, 8)
            + bounded(wishes.retry_limit, most_retries, 4) + (wishes.urgent ? '\1' : '\0');
        std::string seal = session_->header();
        bool opens = seal.size() > detail::seal_session::id_bytes;
        return {std::move(seal), sealed_call(session_, std::move(place), std::move(bounds), opens)};
    }

    // The node does not know the session of a call: the next call opens another one.
    void forget(const sealed_call& call) {
        if (call.session_ == session_) session_.reset();
    }

    const std::string& own_name() const { return key_.thumbprint(); }
    const std::string& node_name() const { return node_.thumbprint(); }

private:
    static constexpr int opening_seconds = 60;                                          // an opening is good for so long
    static constexpr std::int64_t most_ms = 366LL * 24 * 3600 * 1000, most_retries = 1000;    // larger values count as these

    static std::string bounded(std::optional<std::int64_t> value, std::int64_t most, int width) {
        return detail::big_endian(static_cast<std::uint64_t>(value ? std::min(*value, most) : -1), width);
    }

    std::string make_opening(std::string_view secret) const {
        using namespace detail::crypto;
        std::string now = std::to_string(std::time(nullptr)), end = std::to_string(std::time(nullptr) + opening_seconds);
        std::string claims = R"({"iss":")" + own_name() + R"(","aud":")" + node_name() + R"(","iat":)" + now + R"(,"exp":)" + end
            + R"(,"jti":")" + url(random(16)) + R"(","key":")" + url(secret) + R"("})";
        std::string key = random(key_bytes), vector = random(nonce_bytes);
        std::string head = url(R"({"alg":"RSA-OAEP-256","enc":"A256GCM","kid":")" + node_name() + R"("})");
        std::string hidden = encrypt(key, vector, head, claims);
        std::string_view all = hidden;
        std::string inner = head + '.' + url(node_.wrap(key)) + '.' + url(vector) + '.' + url(all.substr(0, claims.size())) + '.'
            + url(all.substr(claims.size()));
        std::string text = url(R"({"alg":"PS256","kid":")" + own_name() + R"(","cty":"JWE"})") + '.' + url(inner);
        return text + '.' + url(key_.sign(text));
    }

    std::string app_;
    detail::crypto::rsa_key key_, node_;
    std::shared_ptr<detail::seal_session> session_;
};

// The body frame of a ZeroMQ message to a zeromq-server or zeromq-sink. A frame is a whole request: its record is the last one.
inline std::string sealed_frame(std::string_view seal, std::string_view record) {
    bool opens = seal.size() > detail::seal_session::id_bytes;
    std::string frame = opens ? "CFS1\1" + detail::big_endian(seal.size(), 2).append(seal) : "CFS1\2";
    return frame.append(record);
}

}  // namespace cocaine
