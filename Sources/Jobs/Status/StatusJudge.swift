// From what the state, the ledger and the stream say to levels and the exit status. Pure.

package import Batching
package import CivilTime
package import Diagnostics
package import State

/// What a look at one shard of the stream showed.
package enum ShardSight: Sendable, Equatable {
    /// Nothing waits.
    case caughtUp
    /// The oldest record that waits arrived at this instant.
    case waiting(since: Timestamp)
    /// Records between the checkpoint and the oldest one left have expired.
    case gap(GapRecord)
    case unknown(Diagnostic, ExitCode)
}

/// What the stream told.
package struct StreamSight: Sendable {
    package var shards: [String: ShardSight]
    package var lineage: ShardLineage
    package var retention: Duration

    package init(shards: [String: ShardSight], lineage: ShardLineage, retention: Duration) {
        self.shards = shards
        self.lineage = lineage
        self.retention = retention
    }
}

package struct StatusJudge: Sendable {
    package var job: String
    package var stream: String
    package var destination: String
    /// Bytes a second that a shard is read with; nil for unlimited.
    package var readRate: Int?
    package var parallelShards: Int

    /// What Kinesis serves to all readers of a shard together (Kinesis Data Streams quotas).
    static let readRateMax = 2_000_000

    package init(job: String, stream: String, destination: String, readRate: Int?, parallelShards: Int) {
        self.job = job
        self.stream = stream
        self.destination = destination
        self.readRate = readRate
        self.parallelShards = parallelShards
    }

    /// - Parameters:
    ///   - sight: nil when the stream could not be asked; `offline` says why.
    package func report(
        now: Timestamp, snapshot: StateSnapshot?, ledger: RunLedger?, sight: StreamSight?,
        offline: (Diagnostic, ExitCode)?, runningProcess: Int?
    ) -> StatusReport {
        let retention = sight?.retention ?? ledger?.retentionSeconds.map { .seconds($0) }
        var shards = (sight.map(listed) ?? known(snapshot)).map { shard in
            judged(shard, now: now, tally: snapshot?.tallies[shard.id], sight: sight, retention: retention)
        }
        shards.sort { $0.id < $1.id }
        let hasRun = snapshot?.owner.start != nil
        let level = shards.map(\.level).max() ?? .ok
        let behind = shards.filter { $0.condition == .reading || $0.condition == .waiting }
        return StatusReport(
            job: job, stream: snapshot?.identity.stream ?? stream, destination: destination, now: now,
            offline: offline?.0, retention: retention, hasRun: hasRun, ledger: ledger,
            runningProcess: runningProcess, shards: shards,
            openBatches: (snapshot?.intents ?? []).map {
                StatusReport.OpenBatch(
                    shard: $0.shard, first: $0.first, last: $0.last, records: $0.records, objects: $0.objects.count)
            },
            totals: (snapshot?.tallies ?? [:]).values.reduce(into: ShardTally()) { $0.addTotals(of: $1) },
            level: level,
            catchUpSeconds: Backlog.catchUpSeconds(behind.map(\.catchUpSeconds), parallel: parallelShards),
            exitCode: exitCode(level, hasRun: hasRun, ledger: ledger, offline: offline, shards: sight?.shards))
    }

    /// 69 for a gap, 75 when records may be lost if nothing is done, or when that cannot be told.
    private func exitCode(
        _ level: LagLevel, hasRun: Bool, ledger: RunLedger?, offline: (Diagnostic, ExitCode)?,
        shards: [String: ShardSight]?
    ) -> ExitCode {
        if level == .gap || ledger?.lastEnded?.exitCode == ExitCode.sourceGap.rawValue { return .sourceGap }
        var codes: [ExitCode] = [offline?.1 ?? .done, hasRun && level == .ok ? .done : .temporary]
        for case .unknown(_, let code) in (shards ?? [:]).values { codes.append(code) }
        return ExitCode.mostUrgent(codes)
    }

    private func listed(_ sight: StreamSight) -> [StatusReport.Shard] {
        let lineage = sight.lineage
        return lineage.ready.map { shard($0, .reading) } + lineage.waiting.map { shard($0.shard, .waiting) }
            + lineage.vanished.map { vanished in
                var shard = shard(vanished.shard, .vanished)
                shard.gap = vanished.gap
                return shard
            } + lineage.ended.map { shard(ShardState(id: $0, position: .ended), .ended) }
    }

    private func known(_ snapshot: StateSnapshot?) -> [StatusReport.Shard] {
        let states = snapshot?.shards ?? []
        let unfinished = Set(states.filter { $0.position != .ended }.map(\.id))
        return states.map { state in
            if state.position == .ended { return shard(state, .ended) }
            return shard(state, state.parents.contains(where: unfinished.contains) ? .waiting : .reading)
        }
    }

    private func shard(_ state: ShardState, _ condition: StatusReport.Condition) -> StatusReport.Shard {
        StatusReport.Shard(
            id: state.id, condition: condition, position: state.position, horizon: state.horizon, level: .ok)
    }

    private func judged(
        _ shard: StatusReport.Shard, now: Timestamp, tally: ShardTally?, sight: StreamSight?, retention: Duration?
    ) -> StatusReport.Shard {
        var shard = shard
        shard.lastArrival = tally?.lastArrival
        if shard.condition == .ended { return shard }
        switch sight?.shards[shard.id] {
        case .caughtUp: shard.waitingSince = nil
        case .waiting(let since): shard.waitingSince = since
        case .gap(let gap):
            shard.gap = gap
            shard.waitingSince = gap.from ?? shard.horizon
        case .unknown(let problem, _):
            shard.problem = problem
            shard.waitingSince = shard.horizon
        // Not asked: whatever arrived after the horizon may wait.
        case nil: shard.waitingSince = shard.horizon
        }
        let isKnown = sight?.shards[shard.id] == .caughtUp || shard.waitingSince != nil
        guard isKnown || shard.gap != nil else { return shard }
        let backlog = Backlog(since: shard.waitingSince ?? now, now: now, rate: tally?.rate)
        shard.backlog = backlog
        let rate = min(readRate ?? Self.readRateMax, Self.readRateMax)
        shard.catchUpSeconds = backlog.catchUpSeconds(readRate: Double(rate))
        if let retention {
            let share = backlog.share(ofRetention: retention)
            shard.retentionUsed = share
            shard.level = LagLevel(share: share)
        }
        if shard.gap != nil { shard.level = .gap }
        return shard
    }
}
