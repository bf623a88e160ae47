"""Pacing of one shard, on the monotonic clock: what may be read and written in a second."""

import collections
import time

READ_CALLS = 5
READ_BYTES = 2 * 1024 * 1024
ITERATOR_CALLS = 5
WRITE_RECORDS = 1000
WRITE_BYTES = 1024 * 1024


class Window:
    """At most `calls` accepted in any one second."""

    def __init__(self, calls):
        self._calls = calls
        self._accepted = collections.deque()

    def allow(self):
        now = time.monotonic()
        while self._accepted and self._accepted[0] <= now - 1:
            self._accepted.popleft()
        if len(self._accepted) >= self._calls:
            return False
        self._accepted.append(now)
        return True


class ReadPace:
    """5 calls and 2 MiB a second. A page above 2 MiB shuts the shard for as long as it used up: 10 MiB, 5 seconds."""

    def __init__(self):
        self._window = Window(READ_CALLS)
        self._tokens = float(READ_BYTES)
        self._filled = time.monotonic()
        self._shut_until = 0.0

    def allow(self):
        now = time.monotonic()
        self._tokens = min(READ_BYTES, self._tokens + (now - self._filled) * READ_BYTES)
        self._filled = now
        if now < self._shut_until or self._tokens <= 0:
            return False
        return self._window.allow()

    def served(self, byte_count):
        self._tokens -= byte_count
        if byte_count > READ_BYTES:
            self._shut_until = time.monotonic() + byte_count / READ_BYTES
            self._tokens = float(READ_BYTES)


class WritePace:
    """1,000 records and 1 MiB a second, with one second's worth of burst."""

    def __init__(self):
        self._records = float(WRITE_RECORDS)
        self._bytes = float(WRITE_BYTES)
        self._filled = time.monotonic()

    def allow(self, byte_count):
        now = time.monotonic()
        passed, self._filled = now - self._filled, now
        self._records = min(WRITE_RECORDS, self._records + passed * WRITE_RECORDS)
        self._bytes = min(WRITE_BYTES, self._bytes + passed * WRITE_BYTES)
        if self._records < 1 or self._bytes <= 0:
            return False
        self._records -= 1
        self._bytes -= byte_count
        return True


class CallRate:
    """The most calls seen in any one second, refused ones included: what a test asserts pacing by."""

    def __init__(self):
        self._recent = collections.deque()
        self.calls = 0
        self.most_in_a_second = 0

    def note(self):
        now = time.monotonic()
        self.calls += 1
        self._recent.append(now)
        while self._recent[0] <= now - 1:
            self._recent.popleft()
        self.most_in_a_second = max(self.most_in_a_second, len(self._recent))
