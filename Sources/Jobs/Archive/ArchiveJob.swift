// `sluice archive`, from the lock to the report. Reads top to bottom; each step is one file in this folder.

import AWS
import Batching
import CivilTime
import Diagnostics
import State

package struct ArchiveJob: Sendable {
    private let file: ArchiveJobFile
    private let until: UntilRule
    private let dependencies: ArchiveDependencies

    package init(file: ArchiveJobFile, until: UntilRule, dependencies: ArchiveDependencies) {
        self.file = file
        self.until = until
        self.dependencies = dependencies
    }

    /// Runs the job once. Never throws: what went wrong is in the report, and so is the exit status.
    package func run() async -> RunReport {
        let clock = RunClock(
            until: until, runTime: file.limits.runTime, time: dependencies.time, stop: dependencies.stop)
        var report = RunReport(
            job: file.name, stream: file.source.stream.reference,
            destination: "s3://\(file.destination.bucket)/\(file.destination.prefix.text)", started: clock.started)
        do {
            let directory = StateDirectory(file.stateDirectory)
            try directory.prepare()
            // Held until this function returns: one run of a job at a time on this host.
            let lock = try JobLock(directory: directory)
            defer { lock.release() }
            var notes = ArchiveNotes(file: file, directory: directory, dependencies: dependencies)
            notes.begin(at: clock.started)
            do {
                try await archive(clock: clock, directory: directory, notes: &notes, report: &report)
            } catch {
                note(error, in: &report)
            }
            finish(&report, clock)
            notes.end(report)
        } catch {
            note(error, in: &report)
            finish(&report, clock)
        }
        return report
    }

    private func note(_ error: any Error, in report: inout RunReport) {
        let (diagnostic, code) = describe(error, during: "archive", of: file.name)
        report.problem = diagnostic
        report.exitCode = code
    }

    private func finish(_ report: inout RunReport, _ clock: RunClock) {
        report.elapsed = clock.elapsed
        conclude(&report)
    }

    private func archive(
        clock: RunClock, directory: StateDirectory, notes: inout ArchiveNotes, report: inout RunReport
    ) async throws {
        let asked = dependencies.time.now()
        let summary = try await dependencies.kinesis.describeStreamSummary(stream: file.source.stream.reference)
        let contact = StreamContact(summary, asked: asked, answered: dependencies.time.now())
        report.contact = contact
        let store: any StateStore = try SQLiteStateStore.open(
            directory: directory, identity: file.identity(of: summary), newStateID: dependencies.newID())
        let owner = OwnerGuard(
            objects: S3ControlStore(dependencies.s3, attributes: file.destination.attributes), store: store,
            identity: file.identity(of: summary), controlPrefix: file.destination.controlPrefix)
        try await owner.verify()
        let run = try RunContext(
            file: file, dependencies: dependencies, clock: clock, summary: summary, store: store, guardian: owner,
            directory: directory, live: notes.live(contact, store: store))
        let runID = try await store.beginRun(started: clock.started)
        do {
            try await run.removeLeftovers()
            try await replay(run, into: &report)
            let schedule = try await schedule(run, owner, started: clock.started.adding(contact.clockSkew))
            merge(try await schedule.archive(), into: &report)
            try await run.horizons.write()
        } catch {
            let (_, code) = describe(error, during: "archive", of: file.name)
            try? await store.endRun(runID, ended: dependencies.time.now(), exitCode: code.rawValue, summary: nil)
            throw error
        }
        conclude(&report)
        try await store.endRun(
            runID, ended: dependencies.time.now(), exitCode: report.exitCode.rawValue, summary: nil)
    }

    /// The first run of a job fixes where each shard begins, once and for all, before anything is read.
    /// - Parameter started: the start of the run by the server's clock.
    private func schedule(_ run: RunContext, _ owner: OwnerGuard, started: Timestamp) async throws -> ShardSchedule {
        let known = try await run.store.owner()
        if let start = known.start {
            if known.claim == nil { try await publish(start, owner) }
            return ShardSchedule(run: run, start: start, startsAtTip: [])
        }
        let start = try await FirstRun(
            kinesis: dependencies.kinesis, stream: run.streamReference, start: file.source.start,
            started: started
        ).startSet()
        try await run.store.begin(start: start, shards: [])
        try await publish(start, owner)
        guard case .latest = file.source.start else { return ShardSchedule(run: run, start: start, startsAtTip: []) }
        let tips = start.positions.filter { $0.value != .ended }.keys
        return ShardSchedule(run: run, start: start, startsAtTip: Set(tips))
    }

    /// Others must know what this job leaves out, even when it finds nothing to store for a while.
    private func publish(_ start: StartSet, _ owner: OwnerGuard) async throws {
        if start != .trimHorizon { try await owner.claim() }
    }

    /// Finishes what an earlier run planned. A shard whose batch cannot be finished is left out of this run.
    private func replay(_ run: RunContext, into report: inout RunReport) async throws {
        for intent in try await run.store.openIntents() where run.dependencies.stop.requested == nil {
            var shard = ShardReport(shard: intent.shard)
            do {
                shard.add(try await IntentReplay(run: run).finish(intent), recordBytes: 0)
                run.dependencies.events.event(
                    .info, "finished the batch that an earlier run began",
                    [("shard", intent.shard), ("first", intent.first.text)])
            } catch {
                let (diagnostic, code) = describe(error, during: "finish batch", of: intent.shard)
                shard.problem = diagnostic
                shard.exitCode = code
                run.dependencies.events.event(.error, diagnostic.summary, [("shard", intent.shard)])
            }
            report.shards.append(shard)
        }
    }

    private func merge(_ outcomes: [ShardOutcome], into report: inout RunReport) {
        for outcome in outcomes {
            if let index = report.shards.firstIndex(where: { $0.shard == outcome.report.shard }) {
                report.shards[index].merge(outcome.report)
            } else {
                report.shards.append(outcome.report)
            }
            if outcome.moreWaiting { report.moreWaiting = true }
        }
        report.shards.sort { $0.shard < $1.shard }
    }

    /// The exit status: a signal first, then the most urgent problem, then "more is waiting".
    private func conclude(_ report: inout RunReport) {
        report.signal = dependencies.stop.requested
        if report.problem == nil {
            report.exitCode = ExitCode.mostUrgent(report.shards.map(\.exitCode))
            if report.exitCode == .done, report.moreWaiting { report.exitCode = .temporary }
        }
    }
}
