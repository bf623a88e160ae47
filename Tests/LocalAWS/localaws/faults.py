"""Rules that make the gateway fail on command, each one deterministic.

A rule says which calls it meets (`match`), which of those it fires on (`after`, `nth`, `every`, `count`,
`probability` with `seed`) and what it does (`action`). Rules are tried in the order they were added; the first that
fires decides. All keys are checked when a rule is added, so a misspelt one never passes for a fault that did not fire.

match:  service, operation, method (exact, or a list of them); key, bucket, shard, stream, access_key, body (regex,
        searched); data (regex, searched in the decoded data of each record that a Kinesis call puts).
action: kind, one of
  error          answer `status`, `code`, `message` in the service's dialect; `body` replaces the body (base64 with
                 `body_base64`); `retry_after_ms` adds x-amz-retry-after; `headers` adds headers
  error_in_200   S3's 200 whose body is <Error>; with `after_call` the call is done first
  cut            close without an answer; nothing was done
  lose_answer    do the call, then close without an answer
  truncate       do the call, answer only `bytes` bytes of the body, then close
  delay          wait `seconds`, then do the call; with `after_call` wait before the answer
  flip_request   flip a bit of body byte `offset` before anything is checked (the line was bad)
  flip_response  flip a bit of body byte `offset` of the answer
  close          do the call, answer, then close the connection
  put_partial    PutRecords: `share` of the records fails with `code`; with `store` they are stored all the same
  replace_body   do the call, answer `body` (or `body_base64`) instead of the true one
`reset: true` closes with RST; `seconds` also delays any other kind.
"""

import base64
import itertools
import random
import re
import threading

MATCH_EXACT = {"service", "operation", "method"}
MATCH_REGEX = {"key", "bucket", "shard", "stream", "access_key", "body", "data"}
FIRING = {"after", "nth", "every", "count", "probability", "seed"}
ACTIONS = {
    "error": {"status", "code", "message", "body", "body_base64", "retry_after_ms", "headers"},
    "error_in_200": {"code", "message", "after_call"},
    "cut": set(), "lose_answer": set(), "truncate": {"bytes"}, "delay": {"after_call"},
    "flip_request": {"offset"}, "flip_response": {"offset"}, "close": set(),
    "put_partial": {"share", "code", "message", "store", "seed"},
    "replace_body": {"body", "body_base64", "status"},
}
COMMON_ACTION = {"kind", "reset", "seconds"}


class Rule:
    def __init__(self, number, text):
        reject_unknown("rule", text, {"match", "action", "note"} | FIRING)
        match, action = text.get("match", {}), text["action"]
        reject_unknown("match", match, MATCH_EXACT | MATCH_REGEX)
        if action.get("kind") not in ACTIONS:
            raise ValueError("action kind %r is none of %s" % (action.get("kind"), sorted(ACTIONS)))
        reject_unknown("action", action, COMMON_ACTION | ACTIONS[action["kind"]])
        self.number = number
        self.text = text
        self.action = action
        self.seen = 0
        self.fired = 0
        self._random = random.Random(text.get("seed", 0))
        self._exact = {k: v if isinstance(v, list) else [v] for k, v in match.items() if k in MATCH_EXACT}
        self._regex = {k: re.compile(v) for k, v in match.items() if k in MATCH_REGEX}

    def fires(self, call):
        for name, values in self._exact.items():
            if getattr(call, name) not in values:
                return False
        for name, pattern in self._regex.items():
            if not any(pattern.search(value) for value in values_of(call, name)):
                return False
        self.seen += 1
        if "nth" in self.text and self.seen != self.text["nth"]:
            return False
        if self.seen <= self.text.get("after", 0):
            return False
        if "every" in self.text and (self.seen - self.text.get("after", 0)) % self.text["every"] != 0:
            return False
        if "count" in self.text and self.fired >= self.text["count"]:
            return False
        if "probability" in self.text and self._random.random() >= self.text["probability"]:
            return False
        self.fired += 1
        return True

    def replacement_body(self):
        if "body_base64" in self.action:
            return base64.b64decode(self.action["body_base64"])
        return self.action["body"].encode() if "body" in self.action else None

    def describe(self):
        return dict(self.text, id=self.number, seen=self.seen, fired=self.fired)


def values_of(call, name):
    """The texts that a pattern for `name` is searched in; bytes as Latin-1."""
    if name == "data":
        return [data.decode("latin-1") for data in call.record_data()]
    value = call.request.body.decode("latin-1") if name == "body" else getattr(call, name)
    return [] if value is None else [value]


class Faults:
    def __init__(self):
        self._lock = threading.Lock()
        self._rules = []
        self._numbers = itertools.count(1)

    def add(self, texts):
        with self._lock:
            rules = [Rule(next(self._numbers), text) for text in texts]
            self._rules += rules
            return [rule.number for rule in rules]

    def clear(self, number=None):
        with self._lock:
            self._rules = [r for r in self._rules if number is not None and r.number != number]

    def choose(self, call):
        with self._lock:
            for rule in self._rules:
                if rule.fires(call):
                    return rule
        return None

    def describe(self):
        with self._lock:
            return [rule.describe() for rule in self._rules]


def reject_unknown(where, given, known):
    unknown = set(given) - known
    if unknown:
        raise ValueError("%s: unknown %s; known are %s" % (where, sorted(unknown), sorted(known)))


def flip(data, offset):
    """`data` with one bit of the byte at `offset` (counted from the end when negative) turned over."""
    if not data:
        return data
    changed = bytearray(data)
    changed[min(offset, len(changed) - 1) if offset >= 0 else max(offset, -len(changed))] ^= 0x01
    return bytes(changed)
