"""The emulator's wall clock, which tests may move.

Signature dates, token lifetimes, arrival times, retention and iterator ages are read from here. Pacing (calls and
bytes a second) is not: it runs on the monotonic clock, so that moving this one never opens a throttle.
"""

import threading
import time
from email.utils import formatdate


class Clock:
    def __init__(self):
        self._lock = threading.Lock()
        self._offset = 0.0
        self._frozen_at = None

    def now(self):
        """Seconds since 1970 as the emulated AWS sees them."""
        with self._lock:
            base = time.time() if self._frozen_at is None else self._frozen_at
            return base + self._offset

    def now_ms(self):
        return int(self.now() * 1000)

    def http_date(self):
        return formatdate(self.now(), usegmt=True)

    def change(self, offset=None, advance=None, freeze=None):
        """Sets the offset to the real time, moves it on, or stops and restarts the clock (seconds)."""
        with self._lock:
            if freeze is True and self._frozen_at is None:
                self._frozen_at = time.time()
            if freeze is False:
                self._frozen_at = None
            if offset is not None:
                self._offset = float(offset)
            if advance is not None:
                self._offset += float(advance)
        return self.describe()

    def describe(self):
        with self._lock:
            frozen, offset = self._frozen_at is not None, self._offset
        return {"now": self.now(), "offset": offset, "frozen": frozen}
