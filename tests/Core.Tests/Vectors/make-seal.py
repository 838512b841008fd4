#!/usr/bin/python3
"""Makes seal.json: openings and records of sealed jobs, by jwcrypto and cryptography (Debian: python3-jwcrypto).

make-seal.mjs adds the openings of the other library to the file."""
import base64
import hashlib
import json
import struct
from importlib.metadata import version

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from jwcrypto import jwe, jwk, jws

NOW = 1_800_000_000


def pem(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


sender_pem, node_pem, other_pem = (pem(rsa.generate_private_key(65537, bits)) for bits in (2048, 3072, 2048))
sender, node, other = (jwk.JWK.from_pem(text) for text in (sender_pem, node_pem, other_pem))
kid = {id(key): key.thumbprint() for key in (sender, node, other)}


def opening(number, secret, alg="PS256", wrap="RSA-OAEP-256", enc="A256GCM", cty="JWE", by=sender, to=node, to_key=None, **claims):
    content = {"iss": kid[id(by)], "aud": kid[id(to)], "iat": NOW, "exp": NOW + 60, "jti": b64(number), "key": b64(secret)}
    inner = jwe.JWE(json.dumps({**content, **claims}).encode(), json.dumps({"alg": wrap, "enc": enc, "kid": kid[id(to)]}))
    inner.allowed_algs = ["RSA-OAEP-256", "RSA-OAEP", "RSA1_5", "dir", "A256GCM", "A128GCM", "A128CBC-HS256"]
    inner.add_recipient(to_key or to)
    outer = jws.JWS(inner.serialize(compact=True).encode())
    outer.allowed_algs = ["PS256", "RS256", "PS512", "HS256"]
    outer.add_signature(by, alg, json.dumps({"alg": alg, "kid": kid[id(by)], **({"cty": cty} if cty else {})}))
    return outer.serialize(compact=True)


number, secret = bytes(range(16)), bytes(range(32, 64))
made = opening(number, secret)
direct = jwk.JWK(kty="oct", k=b64(bytes(32)))
bad = {
    "alg RS256": opening(number, secret, alg="RS256"),
    "alg PS512": opening(number, secret, alg="PS512"),
    "RSA-OAEP with SHA-1": opening(number, secret, wrap="RSA-OAEP"),
    "RSA1_5": opening(number, secret, wrap="RSA1_5"),
    "dir": opening(number, secret, wrap="dir", to_key=direct),
    "A128GCM": opening(number, secret, enc="A128GCM"),
    "A128CBC-HS256": opening(number, secret, enc="A128CBC-HS256"),
    "no cty": opening(number, secret, cty=None),
    "another cty": opening(number, secret, cty="JWT"),
    "another aud inside": opening(number, secret, aud=kid[id(other)]),
    "another iss inside": opening(number, secret, iss=kid[id(other)]),
    "for another node": opening(number, secret, to=other),
    "by another sender": opening(number, secret, by=other),
    "exp too late": opening(number, secret, exp=NOW + 61),
    "exp before iat": opening(number, secret, exp=NOW - 1),
    "times as text": opening(number, secret, iat=str(NOW)),
    "short key": opening(number, secret[:31]),
    "short number": opening(number[:15], secret),
    "one member more": opening(number, secret, sub="x"),
}

digest = hashlib.sha256(made.encode()).digest()
records = []
for direction, name in enumerate(("to-node", "to-client")):
    keys = HKDF(hashes.SHA256(), 36, digest, b"cocaine-fast seal 1 " + name.encode()).derive(secret)
    for counter, job, chunk, kind, text, policy in (
            (1, 1, 0, 0, b"", (-1, -1, -1, 0)), (2, 1, 1, 1, b"hello", (-1, -1, -1, 0)), (3, 3, 0, 1, b"x" * 100, (1500, 250, 0, 1)),
            (1 << 32, 1 << 32, 0, 1, bytes(range(256)), (-1, 9, 7, 0))):
        field = struct.pack(">Q", kind << 56 | counter)
        tied = (bytes([1, direction]) + b"shop\0" + "rechnung-ü".encode() + b"\0" + struct.pack(">QQB", job, chunk, kind)
                + struct.pack(">qqiB", *policy))
        hidden = AESGCM(keys[:32]).encrypt(keys[32:] + field, text, tied)
        records.append({"direction": name, "counter": counter, "job": job, "chunk": chunk, "kind": kind, "text": text.hex(),
                        "request_timeout": policy[0], "silence_timeout": policy[1], "retry_limit": policy[2], "urgent": policy[3],
                        "record": (digest[:16] + field + hidden).hex()})

with open("seal.json", "w") as file:
    json.dump({
        "made-by": f"jwcrypto {version('jwcrypto')}, cryptography {version('cryptography')}", "now": NOW,
        "sender": sender_pem.decode(), "node": node_pem.decode(), "other": other_pem.decode(),
        "sender-thumbprint": kid[id(sender)], "node-thumbprint": kid[id(node)],
        "app": "shop", "event": "rechnung-ü", "key": secret.hex(), "number": number.hex(),
        "openings": [{"made-by": f"jwcrypto {version('jwcrypto')}", "opening": made}], "bad": bad, "records": records,
    }, file, indent=1, ensure_ascii=False)
