// `sluice redshift load`: what the manifests name and the ledger does not, into the table, each batch once. Reads top to
// bottom: ledger, survey, groups, and for each group files, transaction, confirmation. Nothing is kept on this host: the
// ledger says what is done, and it is written in the transaction that loads. So a run may be killed anywhere, started
// again, and started twice.

package import AWS
package import Batching
import CivilTime
import Diagnostics
package import Redshift

package struct RedshiftLoadJob: Sendable {
    /// Calls at a time.
    package static let callsMax = BatchReader.readsMax
    /// Client tokens that are tried for one load: more than the tries that the service can remember of a timer that runs
    /// every quarter of an hour. Behind them a token takes the time into account and is no longer known to others.
    static let attemptsMax = 40
    /// Times that one run begins a load anew after it lost against another transaction or its connection.
    static let unluckyMax = 5
    /// Loads of one run that may fail before it ends: then it is not the rows' fault.
    static let failuresMax = 10

    private let file: ArchiveJobFile
    private let settings: RedshiftSettings
    private let range: TimeRange?
    private let isDryRun: Bool
    private let limits: LoadLimits
    private let dependencies: ArchiveDependencies
    private let database: LoadDatabase
    private let clock: RunClock

    /// - Parameter range: of the arrival of a batch's last record; nil for everything that is not loaded.
    package init(
        file: ArchiveJobFile, settings: RedshiftSettings, range: TimeRange?, isDryRun: Bool,
        client: RedshiftDataClient, limits: LoadLimits = .standard, dependencies: ArchiveDependencies
    ) {
        self.file = file
        self.settings = settings
        self.range = range
        self.isDryRun = isDryRun
        self.limits = limits
        self.dependencies = dependencies
        clock = RunClock(
            until: .now, runTime: file.limits.runTime, time: dependencies.time, stop: dependencies.stop)
        database = LoadDatabase(
            client: client, settings: settings, bucket: file.destination.bucket, dependencies: dependencies,
            clock: clock)
    }

    /// - Throws: `CancellationError` when it was asked to end before the first load; other errors are in the report.
    package func run() async throws -> RedshiftLoadReport {
        var report = RedshiftLoadReport(
            job: file.name, target: database.target.text, table: settings.name.sql, isDryRun: isDryRun)
        do {
            try await run(&report)
        } catch let error as CancellationError {
            throw error
        } catch {
            (report.problem, report.problemExitCode) = describe(error, during: "load", of: file.name)
        }
        return report
    }

    private func run(_ report: inout RedshiftLoadReport) async throws {
        let commits = ManifestPlace.prefix(controlPrefix: file.destination.controlPrefix)
        var known = try await database.loaded(below: commits)
        if known == nil, !isDryRun {
            try await database.makeLedger()
            known = try await database.loaded(below: commits)
        }
        try dependencies.failpoints.hit(.loadLedgerAfter)
        let loaded = Set(known?.entries.map(\.manifest) ?? [])
        report.knownBatches = loaded.count
        let survey = LoadSurvey(file: file, dependencies: dependencies, calls: database.calls)
        let batches = try await survey.batches(range, without: loaded)
        var queue = LoadGroups.loads(batches, ledger: database.ledger, limits: limits)
        for warning in CopyAdvice.warnings(of: queue.flatMap(\.objects)) { event(.warning, warning) }
        guard !isDryRun else {
            report.loads = queue.map { RedshiftLoadReport.Load(load: $0, outcome: .planned) }
            return
        }
        guard !queue.isEmpty, let askedAt = known?.askedAt else { return }
        let files = CopyFiles(file.destination, s3: dependencies.s3)
        try await database.calls.patiently { try await files.put(jsonPaths: settings.jsonPaths) }
        var failures = 0
        while !queue.isEmpty {
            let load = queue.removeFirst()
            report.batchesLeft = load.batches.count + queue.reduce(0) { $0 + $1.batches.count }
            guard !clock.isOver else { throw timeIsOver() }
            let (outcome, ending) = try await run(load, files: files, since: askedAt)
            report.batchesLeft -= load.batches.count
            switch outcome {
            case .loaded:
                report.loads.append(.init(load: load, outcome: .loaded, statement: ending.id))
                event(.info, "loaded \(load.rows) rows of \(load.objects.count) objects (\(load.id.prefix(12)))")
            case .loadedElsewhere(let manifests):
                report.batchesLoadedElsewhere += manifests.count
                queue.insert(contentsOf: rest(of: load, without: manifests), at: 0)
            case .failed(let failure):
                failures += 1
                let (failed, rest) = try await fail(load, failure, ending)
                report.loads.append(failed)
                guard failures < Self.failuresMax, failure.kind == .rows || failure.kind == .other else {
                    report.batchesLeft += rest.reduce(0) { $0 + $1.batches.count }
                    return
                }
                queue.insert(contentsOf: rest, at: 0)
            }
        }
    }

    private func timeIsOver() -> RedshiftError {
        RedshiftError(
            "load", file.name, "limits.run_time of \(Quantities.text(clock.runTime)) is over",
            hint: "run again: the next run loads what is left", exitCode: .temporary)
    }

    /// One load, until the ledger or the database has said the last word on it.
    private func run(
        _ load: CopyManifest, files: CopyFiles, since askedAt: Timestamp
    ) async throws -> (LoadOutcome, StatementDescription) {
        let key = "\(file.destination.controlPrefix)redshift/load/\(load.id).manifest"
        try dependencies.failpoints.hit(.loadFilesBefore)
        try await database.calls.patiently { try await files.put(load, key: key) }
        try dependencies.failpoints.hit(.loadFilesAfter)
        let transaction = LoadTransaction(
            load: load, ledger: database.ledger, copy: file.copyStatement(settings, manifest: key))
        var unlucky = 0
        var attempt = 0
        while true {
            if dependencies.stop.requested != nil { throw CancellationError() }
            attempt += 1
            let ending = try await submit(transaction, of: load, attempt: attempt)
            try dependencies.failpoints.hit(.loadEndAfter)
            let entries = try await database.entries(of: load.batches.map(\.manifest))
            try dependencies.failpoints.hit(.loadConfirmAfter)
            switch LoadJudge.judge(load, Self.loadEnding(ending, since: askedAt), entries: entries) {
            case .settled(let outcome): return (outcome, ending)
            case .old: continue
            case .unlucky:
                unlucky += 1
                guard unlucky < Self.unluckyMax else {
                    return (.failed(LoadFailure(kind: .other, step: nil, error: ending.error ?? "")), ending)
                }
                event(.warning, "load \(load.id.prefix(12)): \(ending.error ?? ""); trying again")
                try await dependencies.pause(
                    for: .milliseconds(Int(100 * Double(unlucky) * (1 + dependencies.random()))))
            }
        }
    }

    private func submit(
        _ transaction: LoadTransaction, of load: CopyManifest, attempt: Int
    ) async throws -> StatementDescription {
        let now = attempt > Self.attemptsMax ? Int(dependencies.time.now().microseconds) : 0
        let token = transaction.token(target: database.target.text, attempt: attempt + now)
        try dependencies.failpoints.hit(.loadSubmitBefore)
        let statement = try await database.calls.patiently {
            try await database.client.batchExecuteStatement(
                transaction.statements, on: database.target, name: "sluice load", clientToken: token)
        }
        try dependencies.failpoints.hit(.loadSubmitAfter)
        var ending = try await database.wait(
            for: statement.id,
            of: "load \(load.id.prefix(12)) of \(load.rows) rows in \(load.objects.count) objects")
        ending.createdAt = statement.createdAt
        return ending
    }

    private static func loadEnding(_ ending: StatementDescription, since askedAt: Timestamp) -> LoadEnding {
        let index = ending.parts.firstIndex { $0.status == .failed }
        let status: LoadEnding.Status =
            switch ending.status {
            case .finished: .finished
            case .aborted: .aborted
            case .failed, .submitted, .picked, .started: .failed
            }
        return LoadEnding(
            status: status, step: index.flatMap(LoadTransaction.Step.init(rawValue:)),
            error: index.flatMap { ending.parts[$0].error } ?? ending.error ?? "",
            isOld: (ending.createdAt ?? askedAt) < askedAt)
    }

    /// Leaves the batches to blame and gives the others as new loads: without blame, none.
    private func fail(
        _ load: CopyManifest, _ failure: LoadFailure, _ ending: StatementDescription
    ) async throws -> (RedshiftLoadReport.Load, [CopyManifest]) {
        var rows: [RefusedRow] = []
        if failure.kind == .rows, failure.step == .copy {
            rows = try await RefusedRows(
                database: database, s3: dependencies.s3, controlPrefix: file.destination.controlPrefix
            ).read(load, ending)
        }
        let refused = Set(rows.map(\.object))
        let blamed = load.batches.filter { $0.objects.contains { refused.contains($0.key) } }
        let failed = RedshiftLoadReport.Load(
            load: blamed.isEmpty ? load : CopyManifest(blamed), outcome: .failed(failure, rows: rows),
            statement: ending.id)
        event(.error, "load \(load.id.prefix(12)) failed: \(failure.error)")
        return (failed, blamed.isEmpty ? [] : rest(of: load, without: Set(blamed.map(\.manifest))))
    }

    private func rest(of load: CopyManifest, without manifests: Set<String>) -> [CopyManifest] {
        LoadGroups.loads(
            load.batches.filter { !manifests.contains($0.manifest) }, ledger: database.ledger, limits: limits)
    }

    private func event(_ level: EventLevel, _ message: String) { dependencies.events.event(level, message, []) }
}
