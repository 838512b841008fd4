// Primitives of sealed calls by OpenSSL's libcrypto, 3.0 or later (Debian: libssl-dev; link with -lcrypto).
#pragma once

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace cocaine::detail::crypto {

template <auto Free>
struct freed_by {
    template <class T>
    void operator()(T* object) const {
        Free(object);
    }
};

using key_ptr = std::unique_ptr<EVP_PKEY, freed_by<EVP_PKEY_free>>;
using key_context = std::unique_ptr<EVP_PKEY_CTX, freed_by<EVP_PKEY_CTX_free>>;
using digest_context = std::unique_ptr<EVP_MD_CTX, freed_by<EVP_MD_CTX_free>>;
using cipher_context = std::unique_ptr<EVP_CIPHER_CTX, freed_by<EVP_CIPHER_CTX_free>>;
using number = std::unique_ptr<BIGNUM, freed_by<BN_free>>;
using file_ptr = std::unique_ptr<std::FILE, freed_by<std::fclose>>;

inline constexpr std::size_t key_bytes = 32, nonce_bytes = 12, tag_bytes = 16;

inline const unsigned char* bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

inline unsigned char* bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

// Throws when a call of libcrypto has failed.
inline void must(bool is_right, const char* doing) {
    if (!is_right) throw std::runtime_error(std::string("libcrypto cannot ") + doing);
}

inline std::string random(std::size_t size) {
    std::string text(size, '\0');
    must(RAND_bytes(bytes(text), static_cast<int>(size)) == 1, "give random bytes");
    return text;
}

inline std::string sha256(std::string_view text) {
    std::string hash(32, '\0');
    must(EVP_Digest(text.data(), text.size(), bytes(hash), nullptr, EVP_sha256(), nullptr) == 1, "hash");
    return hash;
}

inline std::string hkdf(std::string_view secret, std::string_view salt, std::string_view info, std::size_t size) {
    key_context context(EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, nullptr));
    std::string text(size, '\0');
    must(context && EVP_PKEY_derive_init(context.get()) > 0 && EVP_PKEY_CTX_set_hkdf_md(context.get(), EVP_sha256()) > 0
             && EVP_PKEY_CTX_set1_hkdf_salt(context.get(), bytes(salt), static_cast<int>(salt.size())) > 0
             && EVP_PKEY_CTX_set1_hkdf_key(context.get(), bytes(secret), static_cast<int>(secret.size())) > 0
             && EVP_PKEY_CTX_add1_hkdf_info(context.get(), bytes(info), static_cast<int>(info.size())) > 0
             && EVP_PKEY_derive(context.get(), bytes(text), &size) > 0,
         "derive a key");
    return text;
}

// base64url without padding.
inline std::string url(std::string_view text) {
    std::string encoded(4 * ((text.size() + 2) / 3) + 1, '\0');
    int size = EVP_EncodeBlock(bytes(encoded), bytes(text), static_cast<int>(text.size()));
    encoded.resize(static_cast<std::size_t>(size));
    while (!encoded.empty() && encoded.back() == '=') encoded.pop_back();
    for (char& one : encoded) one = one == '+' ? '-' : one == '/' ? '_' : one;
    return encoded;
}

// AES-256-GCM: the cipher text and the tag.
inline std::string encrypt(std::string_view key, std::string_view nonce, std::string_view tied, std::string_view text) {
    cipher_context context(EVP_CIPHER_CTX_new());
    std::string hidden(text.size() + tag_bytes, '\0');
    int size = 0;
    must(context && EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, bytes(key), bytes(nonce)) == 1
             && EVP_EncryptUpdate(context.get(), nullptr, &size, bytes(tied), static_cast<int>(tied.size())) == 1
             && EVP_EncryptUpdate(context.get(), bytes(hidden), &size, bytes(text), static_cast<int>(text.size())) == 1
             && EVP_EncryptFinal_ex(context.get(), bytes(hidden) + size, &size) == 1
             && EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, tag_bytes, bytes(hidden) + text.size()) == 1,
         "encrypt");
    return hidden;
}

// The text; nothing when the tag is wrong.
inline std::optional<std::string> decrypt(
    std::string_view key, std::string_view nonce, std::string_view tied, std::string_view hidden) {
    if (hidden.size() < tag_bytes) return std::nullopt;
    cipher_context context(EVP_CIPHER_CTX_new());
    std::string text(hidden.size() - tag_bytes, '\0'), tag(hidden.substr(text.size()));
    int size = 0;
    must(context && EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, bytes(key), bytes(nonce)) == 1
             && EVP_DecryptUpdate(context.get(), nullptr, &size, bytes(tied), static_cast<int>(tied.size())) == 1
             && EVP_DecryptUpdate(context.get(), bytes(text), &size, bytes(hidden), static_cast<int>(text.size())) == 1
             && EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, tag_bytes, bytes(tag)) == 1,
         "decrypt");
    if (EVP_DecryptFinal_ex(context.get(), bytes(text) + size, &size) != 1) return std::nullopt;
    return text;
}

// An RSA key of 2048 to 4096 bits from a PEM file.
class rsa_key {
public:
    static rsa_key read_private(const std::string& file) { return rsa_key(file, [](std::FILE* from) {
        return PEM_read_PrivateKey(from, nullptr, [](char*, int, int, void*) { return 0; }, nullptr);
    }); }

    static rsa_key read_public(const std::string& file) {
        return rsa_key(file, [](std::FILE* from) { return PEM_read_PUBKEY(from, nullptr, nullptr, nullptr); });
    }

    // RFC 7638, SHA-256.
    const std::string& thumbprint() const { return thumbprint_; }

    // RSA-OAEP with SHA-256.
    std::string wrap(std::string_view text) const {
        key_context context(EVP_PKEY_CTX_new(key_.get(), nullptr));
        std::size_t size = static_cast<std::size_t>(EVP_PKEY_get_size(key_.get()));
        std::string wrapped(size, '\0');
        must(context && EVP_PKEY_encrypt_init(context.get()) > 0
                 && EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING) > 0
                 && EVP_PKEY_CTX_set_rsa_oaep_md(context.get(), EVP_sha256()) > 0
                 && EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), EVP_sha256()) > 0
                 && EVP_PKEY_encrypt(context.get(), bytes(wrapped), &size, bytes(text), text.size()) > 0,
             "wrap a key");
        return wrapped;
    }

    // RSA-PSS with SHA-256.
    std::string sign(std::string_view text) const {
        digest_context context(EVP_MD_CTX_new());
        EVP_PKEY_CTX* settings = nullptr;
        std::size_t size = static_cast<std::size_t>(EVP_PKEY_get_size(key_.get()));
        std::string signature(size, '\0');
        must(context && EVP_DigestSignInit(context.get(), &settings, EVP_sha256(), nullptr, key_.get()) > 0
                 && EVP_PKEY_CTX_set_rsa_padding(settings, RSA_PKCS1_PSS_PADDING) > 0
                 && EVP_PKEY_CTX_set_rsa_pss_saltlen(settings, RSA_PSS_SALTLEN_DIGEST) > 0
                 && EVP_DigestSign(context.get(), bytes(signature), &size, bytes(text), text.size()) > 0,
             "sign");
        return signature;
    }

    EVP_PKEY* get() const { return key_.get(); }

private:
    template <class Read>
    rsa_key(const std::string& file, Read read) {
        file_ptr from(std::fopen(file.c_str(), "re"));
        if (!from) throw std::runtime_error(file + ": " + std::strerror(errno));
        key_.reset(read(from.get()));
        int bits = key_ && EVP_PKEY_is_a(key_.get(), "RSA") ? EVP_PKEY_get_bits(key_.get()) : 0;
        if (bits < 2048 || bits > 4096) throw std::invalid_argument(file + ": expected an RSA key of 2048 to 4096 bits");
        number modulus = part(OSSL_PKEY_PARAM_RSA_N), exponent = part(OSSL_PKEY_PARAM_RSA_E);
        if (!BN_is_word(exponent.get(), RSA_F4)) throw std::invalid_argument(file + ": the key's public exponent is not 65537");
        std::string digits(static_cast<std::size_t>(BN_num_bytes(modulus.get())), '\0');
        BN_bn2bin(modulus.get(), bytes(digits));
        thumbprint_ = url(sha256(R"({"e":"AQAB","kty":"RSA","n":")" + url(digits) + R"("})"));
    }

    number part(const char* name) const {
        BIGNUM* value = nullptr;
        must(EVP_PKEY_get_bn_param(key_.get(), name, &value) == 1, "read a key");
        return number(value);
    }

    key_ptr key_;
    std::string thumbprint_;
};

}  // namespace cocaine::detail::crypto
