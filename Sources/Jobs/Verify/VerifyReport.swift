package import CivilTime
package import Diagnostics

/// What was compared with Redshift.
package struct WarehouseReport: Sendable, Equatable {
    /// Cluster or workgroup, and database.
    package var target: String
    /// `"schema"."table"`.
    package var table: String
    package var ledger: String
    /// Batches that the ledger names.
    package var ledgerBatches = 0
    /// Batches whose rows were counted in the table, those included that are not loaded.
    package var batchesCompared = 0
    package var rowsCompared = 0
    package var batchesNotLoaded = 0
    package var rowsNotLoaded = 0
    /// Batches whose rows could not be told apart from those of others.
    package var batchesNotCompared = 0

    package init(target: String, table: String, ledger: String) {
        self.target = target
        self.table = table
        self.ledger = ledger
    }
}

/// The account of one verification: what the summary prints, `--json` writes and the exit status comes from.
package struct VerifyReport: Sendable {
    /// More are counted and not kept.
    package static let findingsMax = 2_000
    package static let notesMax = 1_000
    /// After this many the walk ends: the other side is not to be reached.
    package static let problemsMax = 20

    package var job: String
    package var stream: String
    package var destination: String
    /// What the verification was confined to; nil for everything.
    package var window: Window?
    package var started: Timestamp
    package var elapsed: Duration = .zero

    package var shards = 0
    package var manifests = 0
    package var records = 0
    package var objects = 0
    /// Objects that were downloaded and read.
    package var objectsRead = 0
    package var bytesRead = 0
    package var rowsRead = 0
    /// Objects that could not be read because they lie in an archive storage class.
    package var objectsArchived = 0
    /// Objects of batches that are planned and not committed: a run is under way or was killed.
    package var objectsOpen = 0
    /// Objects below the prefix that belong to other streams.
    package var objectsForeign = 0
    /// Nil unless Redshift was to be compared.
    package var warehouse: WarehouseReport?

    package private(set) var findings: [Finding] = []
    package private(set) var counts: [FindingKind: Int] = [:]
    package private(set) var notes: [VerifyNote] = []
    /// What kept the verification from telling. It is no damage.
    package private(set) var problems: [Diagnostic] = []
    private var problemCodes: [ExitCode] = []
    /// True when everything that was asked for has been looked at.
    package var isComplete = false
    /// The signal that ended it: the exit status is 128 + this.
    package var signal: Int32?

    package init(job: String, stream: String, destination: String, window: Window?, started: Timestamp) {
        self.job = job
        self.stream = stream
        self.destination = destination
        self.window = window
        self.started = started
    }

    package mutating func add(_ finding: Finding) {
        counts[finding.kind, default: 0] += 1
        if findings.count < Self.findingsMax { findings.append(finding) }
    }

    package mutating func add(_ note: VerifyNote) {
        if notes.count < Self.notesMax { notes.append(note) }
    }

    package mutating func add(problem: Diagnostic, _ code: ExitCode) {
        problems.append(problem)
        problemCodes.append(code)
    }

    package var damageCount: Int { counts.values.reduce(0, +) }
    package var hasTooManyProblems: Bool { problems.count >= Self.problemsMax }

    /// Damage first; then what kept the verification from telling.
    package var exitCode: ExitCode {
        if damageCount > 0 { return .damage }
        return isComplete ? ExitCode.mostUrgent(problemCodes) : ExitCode.mostUrgent(problemCodes + [.temporary])
    }

    /// The status that the process ends with.
    package var status: Int32 { signal.map { 128 + $0 } ?? exitCode.rawValue }
}
