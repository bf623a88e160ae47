"""What was asked and answered: the request log and the counters that tests assert on."""

import collections
import threading
import time

ENTRIES_MAX = 200_000


class Journal:
    def __init__(self, clock):
        self._clock = clock
        self._lock = threading.Lock()
        self.reset()

    def reset(self):
        with self._lock:
            self._entries = collections.deque(maxlen=ENTRIES_MAX)
            self._total = 0
            self._counts = collections.Counter()
            self._failures = collections.Counter()
            self._verified = 0
            self._signature_refusals = 0

    def add(self, call, response, code, started, rule):
        request = call.request
        entry = {
            "time": self._clock.now(), "seconds": round(time.monotonic() - started, 6),
            "connection": request.connection, "service": call.service, "operation": call.operation,
            "method": request.method, "target": request.target[:2048], "bucket": call.bucket, "key": call.key,
            "stream": call.stream, "shard": call.shard, "access_key": call.access_key, "region": call.region,
            "status": None if response.cut else response.status, "code": code, "request_bytes": len(request.body),
            "response_bytes": len(response.body), "fault": rule.number if rule else None,
            "retry": request.header("amz-sdk-request"),
        }
        with self._lock:
            self._total += 1
            entry["number"] = self._total
            self._entries.append(entry)
            self._counts["%s:%s" % (call.service, call.operation)] += 1
            if code:
                self._failures[code] += 1
            if call.verified:
                self._verified += 1
            if call.signature_refused:
                self._signature_refusals += 1

    def entries(self, since=0, **wanted):
        """Entries numbered above `since` whose fields equal `wanted`."""
        with self._lock:
            chosen = list(self._entries)
        return [e for e in chosen if e["number"] > since and all(str(e[k]) == v for k, v in wanted.items())]

    def stats(self):
        with self._lock:
            return {"requests": self._total, "operations": dict(self._counts), "codes": dict(self._failures),
                    "verified": self._verified, "signature_refusals": self._signature_refusals}
