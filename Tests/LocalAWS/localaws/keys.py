"""Access keys that the gateway knows: long-lived ones, temporary ones with token and expiry, and what each may not do.

Whoever hands out keys (STS, the metadata endpoints, a test) registers them here; the gateway looks them up.
"""

import fnmatch
import secrets
import threading

from .policies import Policy

ACCOUNT = "123456789012"
ROOT_KEY = "AKIALOCALAWS00000001"
ROOT_SECRET = "local/secret+of=the/first/set/0000000001"
# The tests' own eyes: never refused for the clock, never met by a fault rule, never in the log or the counters.
OBSERVER_KEY = "AKIALOCALAWS00000000"
OBSERVER_SECRET = "local/secret+of=the/observer/000000000000"
DENIED_KEY = "AKIALOCALAWS00000002"
DENIED_SECRET = "local/secret+of=the/other/set/0000000002"


class AccessKey:
    def __init__(self, key_id, secret, token=None, expires=None, denied=(), arn=None, policy=None):
        self.key_id = key_id
        self.secret = secret
        self.token = token
        self.expires = expires  # seconds since 1970 on the emulator's clock; None for never
        self.denied = list(denied)  # `s3:PutObject`, `kinesis:*`, or `s3:GetObject arn-pattern`
        self.policy = Policy(policy) if policy else None  # an IAM document; without one everything is allowed
        self.arn = arn or "arn:aws:iam::%s:user/local" % ACCOUNT

    def denies(self, action, resource, context):
        """True when the policy does not allow the call, or a rule such as `s3:PutObject` or
        `s3:GetObject arn:aws:s3:::b/_x/*` forbids it."""
        if self.policy is not None and not self.policy.allows(action, resource, context):
            return True
        for rule in self.denied:
            pattern, _, where = rule.partition(" ")
            if fnmatch.fnmatchcase(action, pattern) and (not where or fnmatch.fnmatchcase(resource, where)):
                return True
        return False

    def describe(self):
        return {"access_key_id": self.key_id, "secret_access_key": self.secret, "session_token": self.token,
                "expires": self.expires, "denied": self.denied}


class KeyStore:
    def __init__(self, clock):
        self._clock = clock
        self._lock = threading.Lock()
        self._keys = {}
        self.reset()

    def reset(self):
        with self._lock:
            self._keys = {
                ROOT_KEY: AccessKey(ROOT_KEY, ROOT_SECRET),
                OBSERVER_KEY: AccessKey(OBSERVER_KEY, OBSERVER_SECRET),
                DENIED_KEY: AccessKey(DENIED_KEY, DENIED_SECRET, denied=["*"],
                                      arn="arn:aws:iam::%s:user/denied" % ACCOUNT),
            }

    def find(self, key_id):
        with self._lock:
            return self._keys.get(key_id)

    def put(self, key):
        with self._lock:
            self._keys[key.key_id] = key
        return key

    def issue_temporary(self, lifetime, denied=(), arn=None, policy=None):
        """A fresh set of keys that lives `lifetime` seconds."""
        return self.put(AccessKey(
            "ASIALOCAL" + secrets.token_hex(6).upper()[:11].ljust(11, "0"), secrets.token_urlsafe(30)[:40],
            token="FwoGZXIvYXdz" + secrets.token_urlsafe(120) + "==", expires=self._clock.now() + lifetime,
            denied=denied, arn=arn or "arn:aws:sts::%s:assumed-role/local/session" % ACCOUNT, policy=policy))

    def change(self, key_id, **fields):
        """Sets attributes of a known key (`expires`, `denied`, `secret`); KeyError when unknown."""
        with self._lock:
            key = self._keys[key_id]
            for name, value in fields.items():
                setattr(key, name, value)
            return key

    def forget(self, key_id):
        with self._lock:
            self._keys.pop(key_id, None)
