// What `sluice` tells cron, systemd and scripts. The numbers are part of the contract with operators
// (README, "Exit codes"); sysexits(3) where one fits.

/// The exit status of a run. When several shards end differently the most urgent wins: see `urgency`.
package enum ExitCode: Int32, Sendable, CaseIterable {
    case done = 0
    case internalFault = 1
    case usage = 64
    /// `verify` or `check` found damage.
    case damage = 65
    /// Records expired on the stream before they were read.
    case sourceGap = 69
    /// An object or manifest with other content stands where ours belongs.
    case destinationConflict = 73
    /// The state store is corrupt, belongs to another job or host, or the stream is not the one it was.
    case stateOrIdentity = 74
    /// Temporary failure or partial progress: run again.
    case temporary = 75
    case permission = 77
    case jobFileInvalid = 78
    /// Another run holds the job's lock.
    case jobLocked = 79

    /// Higher is reported first when several shards of one run end differently.
    package var urgency: Int {
        switch self {
        case .done: 0
        case .temporary: 1
        case .sourceGap: 2
        case .permission: 3
        case .destinationConflict: 4
        case .stateOrIdentity: 5
        case .damage, .usage, .jobFileInvalid, .jobLocked: 6
        case .internalFault: 7
        }
    }

    package static func mostUrgent(_ codes: some Sequence<ExitCode>) -> ExitCode {
        codes.max { $0.urgency < $1.urgency } ?? .done
    }
}
