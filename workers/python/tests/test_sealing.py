"""Sealed calls, against records and keys that other libraries have made (tests/Core.Tests/Vectors)."""

import base64
import hashlib
import json
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from fake_node import SDK  # noqa: E402

sys.path.insert(0, SDK)
VECTORS = os.path.join(SDK, "../../tests/Core.Tests/Vectors/seal.json")

try:
    from cryptography.hazmat.primitives import serialization
    from cocaine import sealing
except ImportError as missing:
    raise unittest.SkipTest(str(missing))


def unurl(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Sealing(unittest.TestCase):
    def setUp(self):
        with open(VECTORS) as file:
            self.vectors = json.load(file)
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        node = serialization.load_pem_private_key(self.vectors["node"].encode(), None)
        self.public = node.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
        self.sealer = sealing.Sealer("shop", self.file("own.pem", self.vectors["sender"]), self.file("node.pub", self.public))
        self.node = node

    def file(self, name, text):
        path = os.path.join(self.folder.name, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    def test_thumbprints(self):
        self.assertEqual(self.vectors["node-thumbprint"], sealing.thumbprint(self.node.public_key()))

    def test_records_of_both_directions(self):
        opening = self.vectors["openings"][0]["opening"].encode()
        session = sealing.Session(opening, bytes.fromhex(self.vectors["key"]))
        place = b"shop\0" + self.vectors["event"].encode() + b"\0"
        for one in self.vectors["records"]:
            wishes = sealing._WISHES.pack(one["request_timeout"], one["silence_timeout"], one["retry_limit"], one["urgent"])
            tied = place + sealing._PLACE.pack(one["job"], one["chunk"], one["kind"]) + wishes
            record, text = bytes.fromhex(one["record"]), bytes.fromhex(one["text"])
            if one["direction"] == "to-node":
                self.assertEqual(record, session.seal(one["kind"], one["counter"], tied, text))
            else:
                self.assertEqual(text, session.open(record[16:24], tied, record[24:]))
                with self.assertRaises(sealing.SealError):
                    session.open(record[16:24], tied, record[24:-1] + bytes((record[-1] ^ 1,)))

    def test_an_opening_has_the_form(self):
        opening, _ = self.sealer.begin("invoice")
        head, content, signature = opening.decode().split(".")
        self.assertEqual({"alg": "PS256", "kid": self.vectors["sender-thumbprint"], "cty": "JWE"}, json.loads(unurl(head)))
        inner, wrapped, vector, hidden, tag = unurl(content).decode().split(".")
        self.assertEqual({"alg": "RSA-OAEP-256", "enc": "A256GCM", "kid": self.vectors["node-thumbprint"]}, json.loads(unurl(inner)))
        key = self.node.decrypt(unurl(wrapped), sealing._OAEP)
        claims = json.loads(sealing.AESGCM(key).decrypt(unurl(vector), unurl(hidden) + unurl(tag), inner.encode()))
        self.assertEqual({"iss", "aud", "iat", "exp", "jti", "key"}, set(claims))
        self.assertEqual((60, 16, 32), (claims["exp"] - claims["iat"], len(unurl(claims["jti"])), len(unurl(claims["key"]))))
        again, _ = self.sealer.begin("invoice")
        self.assertEqual(hashlib.sha256(opening).digest()[:16], again)

    def test_wrong_keys(self):
        with self.assertRaisesRegex(ValueError, "expected an RSA key"):
            from cryptography.hazmat.primitives.asymmetric import ec
            curve = ec.generate_private_key(ec.SECP256R1()).private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
            sealing.Sealer("shop", self.file("curve.pem", curve), self.file("n.pub", self.public))


if __name__ == "__main__":
    unittest.main()
