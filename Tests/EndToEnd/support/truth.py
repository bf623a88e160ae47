"""What `status` and the metrics should say, from the emulator's records and the manifests in S3 alone."""

import bisect

from .auditor import instant_ms


class Truth:
    """Looks again with each `look`; what it has seen of S3 it does not read twice."""

    def __init__(self, scenario):
        self._scenario = scenario
        self._prefix = scenario.control_prefix + "commits/"
        self._manifests = {}
        self.records = {}

    def look(self):
        self.records = {}
        for record in self._scenario.oracle():
            self.records.setdefault(record["shard"], []).append((int(record["sequence"]), record["arrival_ms"]))
        for found in self.records.values():
            found.sort()
        for key in self._scenario.keys(self._prefix):
            if key not in self._manifests:
                self._manifests[key] = self._scenario.json_object(key)
        return self

    @property
    def manifests(self):
        return self._manifests.values()

    def committed(self, shard=None, without=()):
        """Records in manifests. without: (shard, first) of batches that the job's state does not count yet."""
        return sum(m["records"] for m in self.manifests
                   if shard in (None, m["shard"]) and (m["shard"], m["first"]) not in without)

    def rows_by_status(self, without=()):
        counts = {}
        for m in self.manifests:
            if (m["shard"], m["first"]) not in without:
                for name, count in m["rows_by_status"].items():
                    counts[name] = counts.get(name, 0) + count
        return {name: count for name, count in counts.items() if count}

    def last(self, shard, without=()):
        """Sequence number of the last archived record; -1 when there is none."""
        return max([int(m["last"]) for m in self.manifests
                    if m["shard"] == shard and (m["shard"], m["first"]) not in without], default=-1)

    def last_arrival(self, shard, without=()):
        found = [instant_ms(m["last_arrival"]) for m in self.manifests
                 if m["shard"] == shard and (m["shard"], m["first"]) not in without]
        return max(found, default=None)

    def waiting_since(self, shard, without=()):
        """Arrival of the oldest record after the last archived one; None when none waits."""
        records = self.records.get(shard, [])
        index = bisect.bisect_right(records, (self.last(shard, without), float("inf")))
        return records[index][1] if index < len(records) else None
