// What an archive job tells Prometheus: counts of what is committed, and how far each shard is behind.
// Pure: the state, the ledger and the time in, families out. Names and labels are a contract with dashboards.

import Batching
package import CivilTime
package import State

package struct ArchiveMetrics {
    /// Shards that have ended are left out beyond this many: a stream that is resharded for years keeps its file small.
    package static let endedShardsMax = 1_000

    private let job: String
    private let stream: String
    private let snapshot: StateSnapshot?
    private let ledger: RunLedger
    private let now: Timestamp

    /// - Parameters:
    ///   - stream: its name, for before any run has reached it.
    ///   - now: by the stream's clock.
    package init(job: String, stream: String, snapshot: StateSnapshot?, ledger: RunLedger, now: Timestamp) {
        self.job = job
        self.stream = ledger.stream ?? stream
        self.snapshot = snapshot
        self.ledger = ledger
        self.now = now
    }

    package func families() -> [MetricFamily] {
        counters() + gauges() + RunMetrics.families(ledger, command: "archive", labels: labels())
    }

    private func labels(shard: String? = nil) -> [(name: String, value: String)] {
        [("job", job), ("stream", stream)] + (shard.map { [("shard", $0)] } ?? [])
    }

    private func counters() -> [MetricFamily] {
        var records = MetricFamily("sluice_archive_records_total", .counter, help: "Kinesis records archived.")
        var rows = MetricFamily("sluice_archive_rows_total", .counter, help: "Rows archived, by parse status.")
        var batches = MetricFamily("sluice_archive_batches_total", .counter, help: "Batches committed.")
        var objects = MetricFamily("sluice_archive_objects_total", .counter, help: "Objects stored.")
        var recordBytes = MetricFamily(
            "sluice_archive_record_bytes_total", .counter, help: "Bytes of record data archived.")
        var objectBytes = MetricFamily(
            "sluice_archive_object_bytes_total", .counter, help: "Compressed bytes stored.")
        for (shard, tally) in counted() {
            let labels = labels(shard: shard)
            records.add(tally.records, labels)
            for status in Self.statuses { rows.add(tally.statusCounts[status] ?? 0, labels + [("status", status)]) }
            batches.add(tally.batches, labels)
            objects.add(tally.objects, labels)
            recordBytes.add(tally.recordBytes, labels)
            objectBytes.add(tally.objectBytes, labels)
        }
        return [records, rows, batches, objects, recordBytes, objectBytes]
    }

    /// Every status has its series from the start: an increase from nothing is seen by `increase()` only then.
    private static let statuses = ["ok", "ambiguous", "continuation", "partial", "unparsed"]

    /// Shards that are read, known to the state, with the newest of those that have ended; sorted by id.
    private func counted() -> [(String, ShardTally)] {
        guard let snapshot else { return [] }
        let ended = snapshot.shards.filter { $0.position == .ended }.map(\.id)
        let leftOut = Set(ended.dropLast(Self.endedShardsMax))
        return snapshot.shards.map(\.id).filter { !leftOut.contains($0) }
            .map { ($0, snapshot.tallies[$0] ?? ShardTally()) }
    }

    private func gauges() -> [MetricFamily] {
        var horizon = MetricFamily(
            "sluice_archive_horizon_timestamp_seconds", .gauge,
            help: "Everything that arrived on the shard before this instant is archived.")
        var last = MetricFamily(
            "sluice_archive_last_record_timestamp_seconds", .gauge, help: "Arrival of the last archived record.")
        var lag = MetricFamily(
            "sluice_archive_lag_seconds", .gauge, help: "Age of the horizon when this file was written.")
        var lagBytes = MetricFamily(
            "sluice_archive_lag_bytes", .gauge,
            help: "Record data that may wait, estimated from the shard's recent rate.")
        var used = MetricFamily(
            "sluice_archive_retention_used_ratio", .gauge,
            help: "Lag as a share of the stream's retention: at 1 records begin to expire unread.")
        var retention = MetricFamily(
            "sluice_archive_retention_seconds", .gauge, help: "How long the stream keeps a record.")
        for shard in snapshot?.shards ?? [] where shard.position != .ended {
            let labels = labels(shard: shard.id)
            let tally = snapshot?.tallies[shard.id]
            if let time = tally?.lastArrival { last.add(RunMetrics.seconds(time), labels) }
            if let seconds = ledger.retentionSeconds { retention.add(seconds, labels) }
            guard let reached = shard.horizon else { continue }
            horizon.add(RunMetrics.seconds(reached), labels)
            let behind = Backlog(since: reached, now: now, rate: tally?.rate)
            lag.add(behind.seconds, labels)
            if let bytes = behind.bytes { lagBytes.add(bytes, labels) }
            if let seconds = ledger.retentionSeconds {
                used.add(behind.share(ofRetention: .seconds(seconds)), labels)
            }
        }
        var intents = MetricFamily(
            "sluice_archive_open_intents", .gauge, help: "Batches that are planned and not committed.")
        if let snapshot { intents.add(snapshot.intents.count, labels()) }
        return [horizon, last, lag, lagBytes, used, retention, intents]
    }
}
