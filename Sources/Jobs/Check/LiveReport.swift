// What `sluice check --live` found: one line for each action, and what kept it from trying the others.

package import AWS
package import Diagnostics

package enum ProbeVerdict: String, Sendable, Equatable {
    case ok
    /// AWS refused the action to this identity.
    case missing
    /// Not tried, or tried and not told; the note says why.
    case untried
}

package struct ProbeResult: Sendable, Equatable {
    package var permission: Permission
    /// An ARN, with `*` for the rest of a key; in words where the ARN is not known.
    package var resource: String
    package var verdict: ProbeVerdict
    package var note: String?
    package var hint: String?
}

package struct LiveReport: Sendable, Equatable {
    package struct Problem: Sendable, Equatable {
        package var diagnostic: Diagnostic
        package var exitCode: ExitCode
    }

    /// In the order of a run.
    package var results: [ProbeResult] = []
    /// What is wrong besides permissions: no credentials, no such bucket, no way there.
    package var problems: [Problem] = []
    /// What is worth knowing and ends nothing.
    package var notes: [String] = []

    package init() {}

    package var exitCode: ExitCode {
        let missing: [ExitCode] = results.contains { $0.verdict == .missing } ? [.permission] : []
        return ExitCode.mostUrgent(missing + problems.map(\.exitCode))
    }
}
