"""Opaque, signed tokens: shard iterators and ListShards tokens. A changed byte makes one invalid."""

import base64
import hashlib
import hmac
import json
import secrets

MARK = bytes([0, 0, 0, 0, 0, 0, 0, 1])


class Tokens:
    def __init__(self):
        self._key = secrets.token_bytes(32)  # a token of an earlier process is worth nothing

    def make(self, kind, content):
        body = json.dumps([kind, content], separators=(",", ":")).encode()
        body += b" " * (-len(body) % 16)
        return base64.b64encode(MARK + self._sign(body) + self._mask(body)).decode()

    def read(self, kind, text):
        """The content, or ValueError."""
        raw = base64.b64decode(text, validate=True)
        signature, body = raw[8:40], self._mask(raw[40:])
        if raw[:8] != MARK or not hmac.compare_digest(signature, self._sign(body)):
            raise ValueError("signature")
        found, content = json.loads(body)
        if found != kind:
            raise ValueError("kind")
        return content

    def _sign(self, body):
        return hmac.new(self._key, body, hashlib.sha256).digest()

    def _mask(self, body):
        """Makes it opaque: nobody may read a shard or a position out of an iterator."""
        stream = b""
        while len(stream) < len(body):
            stream += hashlib.sha256(self._key + len(stream).to_bytes(8, "big")).digest()
        return bytes(a ^ b for a, b in zip(body, stream))
