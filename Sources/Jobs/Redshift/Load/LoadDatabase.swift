// The database as a load or a verification sees it: statements handed in, waited for, and the ledger read. Every call
// may be repeated.

import AWS
import Batching
import CivilTime
import Diagnostics
import Redshift

struct LoadDatabase: Sendable {
    /// Waits between two questions after a statement: the first, and the longest.
    static let firstWait = Duration.milliseconds(50)
    static let waitMax = Duration.seconds(5)
    /// Longer than the service lets a statement live.
    static let waitsMax = 20_000
    /// Tries to make the ledger table, when two hosts make it at once.
    static let makeTriesMax = 3
    let client: RedshiftDataClient
    let target: RedshiftDataTarget
    let ledger: LoadLedger
    let dependencies: ArchiveDependencies
    let calls: PatientCalls
    /// Ends the waiting; nil where nothing but a signal does.
    let clock: RunClock?

    init(
        client: RedshiftDataClient, settings: RedshiftSettings, bucket: String, dependencies: ArchiveDependencies,
        clock: RunClock? = nil
    ) {
        self.client = client
        target = settings.dataTarget
        ledger = LoadLedger(table: settings.ledgerName, bucket: bucket)
        self.dependencies = dependencies
        calls = PatientCalls(dependencies: dependencies)
        self.clock = clock
    }

    /// Waits until the statement has ended, and tells of it now and then. A request to end the run, or the end of its
    /// time, ends the waiting and leaves the statement: the next run meets it again.
    /// - Parameter what: runs there, in the words of the operator.
    func wait(for id: String, of what: String) async throws -> StatementDescription {
        var delay = Self.firstWait
        var news = WaitNews()
        let started = dependencies.time.monotonicNanoseconds()
        for _ in 0..<Self.waitsMax {
            let found = try await calls.patiently { try await client.describeStatement(id, on: target) }
            if found.status.hasEnded { return found }
            let waited = Duration.nanoseconds(Int64(dependencies.time.monotonicNanoseconds() &- started))
            if let text = news.text(what, id, found.status, waited) { dependencies.events.event(.info, text, []) }
            if let clock, clock.isOver { throw timeIsOver(clock, "\(what): statement \(id) of \(target.text)") }
            try await dependencies.pause(for: clock.map { min(delay, max($0.left, .zero)) } ?? delay)
            if dependencies.stop.requested != nil { throw CancellationError() }
            delay = min(delay * 3 / 2, Self.waitMax)
        }
        throw RedshiftError(
            "wait for statement", "\(id) of \(target.text)", "it has not ended within a day",
            hint: "look at it in the query editor of Redshift", exitCode: .temporary)
    }

    private func timeIsOver(_ clock: RunClock, _ subject: String) -> RedshiftError {
        RedshiftError(
            "wait for", subject, "limits.run_time of \(Quantities.text(clock.runTime)) is over",
            hint:
                "the statement goes on in Redshift, and the next run finds it or what it did: run again, or allow more "
                + "with limits.run_time",
            exitCode: .temporary)
    }

    /// Runs one statement that changes nothing, or nothing the second time, and gives its rows.
    func query(_ sql: String, name: String) async throws -> (statement: SubmittedStatement, rows: [[StatementField]]) {
        let statement = try await calls.patiently { try await client.executeStatement(sql, on: target, name: name) }
        let ending = try await wait(for: statement.id, of: name)
        guard ending.status == .finished else { throw RedshiftError(ending, during: name, of: target) }
        guard ending.hasResult else { return (statement, []) }
        let rows = try await calls.patiently {
            var rows: [[StatementField]] = []
            try await client.getStatementResult(statement.id, on: target) { row throws(AWSError) in
                rows.append(row)
            }
            return rows
        }
        return (statement, rows)
    }

    /// The ledger's rows of manifests below a prefix, and when the question was taken, by the service's clock. Nil when
    /// there is no such table.
    func loaded(below prefix: String) async throws -> (entries: [LedgerEntry], askedAt: Timestamp)? {
        do {
            let (statement, rows) = try await query(ledger.loaded(below: prefix), name: "sluice read ledger")
            return (try rows.map(entry), statement.createdAt)
        } catch let error as RedshiftError where error.isMissingRelation {
            return nil
        }
    }

    /// Makes the ledger table if it is not there.
    func makeLedger() async throws {
        for tried in 1...Self.makeTriesMax {
            do {
                _ = try await query(ledger.create, name: "sluice make ledger")
                return
            } catch let error as RedshiftError where tried < Self.makeTriesMax && error.exitCode == .temporary {
                try await dependencies.pause(for: Self.waitMax)
            }
        }
    }

    /// Manifest to load, of some batches that are told by their manifests.
    func entries(of manifests: [String]) async throws -> [String: String] {
        let (_, rows) = try await query(ledger.loaded(of: manifests), name: "sluice confirm load")
        return try rows.map(entry).reduce(into: [:]) { $0[$1.manifest] = $1.load }
    }

    private func entry(_ row: [StatementField]) throws -> LedgerEntry {
        guard row.count == 4, let url = row[0].text, let load = row[1].text, let objects = row[2].integer,
            let rows = row[3].integer, let manifest = ledger.key(url)
        else {
            throw RedshiftError(
                "read the ledger", ledger.table.sql, "a row is not one that sluice writes",
                hint: "give `redshift.ledger_table` a table of its own", exitCode: .stateOrIdentity)
        }
        return LedgerEntry(manifest: manifest, load: load, objects: Int(objects), rows: Int(rows))
    }
}

extension RedshiftError {
    /// A table, schema or database that is not there.
    fileprivate var isMissingRelation: Bool {
        let cause = diagnostic.cause.lowercased()
        return cause.contains("relation") && cause.contains("does not exist")
    }
}

extension RedshiftSettings {
    var ledgerName: TableName { TableName(schema: schema, table: ledgerTable) }

    var dataTarget: RedshiftDataTarget {
        switch target {
        case .cluster(let name, .databaseUser(let user)):
            RedshiftDataTarget(.cluster(name, databaseUser: user), database: database)
        case .cluster(let name, .secret(let arn)):
            RedshiftDataTarget(.clusterWithSecret(name, secretARN: arn), database: database)
        case .workgroup(let name, let secret):
            RedshiftDataTarget(.workgroup(name, secretARN: secret), database: database)
        }
    }
}
