// What has become of a load. The ledger decides whether the rows are there: a statement that is said to have failed may
// have been committed when its connection broke, and one that is said to have finished may have been undone since.

/// How a statement ended, as the Data API tells it.
package struct LoadEnding: Sendable, Equatable {
    package enum Status: Sendable, Equatable { case finished, failed, aborted }

    package var status: Status
    /// The first statement of the transaction that failed; nil when none is named.
    package var step: LoadTransaction.Step?
    /// The database's words.
    package var error: String
    /// It was handed in before this run began: somebody else's try, which a known token gave back.
    package var isOld: Bool

    package init(status: Status, step: LoadTransaction.Step? = nil, error: String = "", isOld: Bool = false) {
        self.status = status
        self.step = step
        self.error = error
        self.isOld = isOld
    }
}

/// The last word on a load: more tries of this run change nothing.
package enum LoadOutcome: Sendable, Equatable {
    /// All its rows are in the table, from this load.
    case loaded
    /// These batches came with another load: those that are left make a new one.
    case loadedElsewhere(Set<String>)
    /// Trying again helps when somebody has changed something.
    case failed(LoadFailure)
}

package enum LoadVerdict: Sendable, Equatable {
    case settled(LoadOutcome)
    /// The ending says nothing of what holds now: try under the next token.
    case old
    /// It lost against another transaction or its connection: try again in a while.
    case unlucky
}

package struct LoadFailure: Sendable, Equatable {
    package enum Kind: String, Sendable, Equatable {
        /// COPY refused a row, or loaded another number of rows than the manifests say.
        case rows
        /// A table, column or object is not there.
        case missing
        case permission
        /// Ended by somebody, or for a reason of the database's own.
        case other
    }

    package var kind: Kind
    package var step: LoadTransaction.Step?
    package var error: String

    package init(kind: Kind, step: LoadTransaction.Step?, error: String) {
        self.kind = kind
        self.step = step
        self.error = error
    }
}

package enum LoadJudge {
    /// - Parameters:
    ///   - entries: manifest to load, as the ledger has them after the ending, of the load's own batches.
    package static func judge(_ load: CopyManifest, _ ending: LoadEnding, entries: [String: String]) -> LoadVerdict {
        let known = load.batches.map(\.manifest).filter { entries[$0] != nil }
        if known.count == load.batches.count, known.allSatisfy({ entries[$0] == load.id }) {
            return .settled(.loaded)
        }
        if !known.isEmpty { return .settled(.loadedElsewhere(Set(known))) }
        if ending.isOld { return .old }
        switch ending.status {
        case .finished:
            return failed(.other, nil, "the transaction finished, and the ledger does not show the load")
        case .aborted: return failed(.other, ending.step, "the statement was cancelled")
        case .failed: break
        }
        if ending.step == .refuseSecondTime || isBadLuck(ending.error) { return .unlucky }
        return failed(kind(ending), ending.step, ending.error)
    }

    private static func failed(_ kind: LoadFailure.Kind, _ step: LoadTransaction.Step?, _ error: String) -> LoadVerdict
    {
        .settled(.failed(LoadFailure(kind: kind, step: step, error: error)))
    }

    /// The Data API has texts and no codes; this is the one place that reads them.
    private static func isBadLuck(_ text: String) -> Bool {
        let text = text.lowercased()
        return [
            // https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation-serializable-isolation-troubleshooting.html
            "1023", "serializable isolation violation", "deadlock", "connection", "could not serialize",
            "restarted", "communication", "internalerror", "slowdown", "service unavailable", "too many requests",
        ].contains { text.contains($0) }
    }

    private static func kind(_ ending: LoadEnding) -> LoadFailure.Kind {
        if ending.step == .count { return .rows }
        let text = ending.error.lowercased()
        func says(_ words: String...) -> Bool { words.contains { text.contains($0) } }
        if says("permission denied", "accessdenied", "access denied", "not authorized", "must be owner") {
            return .permission
        }
        if says("sys_load_error_detail", "stl_load_errors") { return .rows }
        if says("does not exist", "nonexistent", "nosuchkey", "nosuchbucket") { return .missing }
        return .other
    }
}
