// Places where tests make the process die, fail or wait: one before and one after every effect of the commit order.
// They exist in debug builds only; in release builds `hit` is empty and the specification is not read.

package import Diagnostics
import Glibc
import Synchronization

/// The named places. The raw value is what `SLUICE_FAILPOINT` says.
package enum Failpoint: String, CaseIterable, Sendable {
    case claimBefore = "claim.before"
    case claimAfter = "claim.after"
    case spoolWriteBefore = "spool-write.before"
    case spoolWriteAfter = "spool-write.after"
    case spoolSyncBefore = "spool-sync.before"
    case spoolSyncAfter = "spool-sync.after"
    case intentBefore = "intent.before"
    case intentAfter = "intent.after"
    case objectBefore = "object.before"
    case objectAfter = "object.after"
    case manifestBefore = "manifest.before"
    case manifestAfter = "manifest.after"
    case commitBefore = "commit.before"
    case commitAfter = "commit.after"
    case spoolRemoveBefore = "spool-remove.before"
    case spoolRemoveAfter = "spool-remove.after"
    case shardEndBefore = "shard-end.before"
    case shardEndAfter = "shard-end.after"
    case horizonBefore = "horizon.before"
    case horizonAfter = "horizon.after"
    case shipPositionsWriteBefore = "ship-positions-write.before"
    case shipPositionsWriteAfter = "ship-positions-write.after"
    case shipPositionsKeepBefore = "ship-positions-keep.before"
    case shipPositionsKeepAfter = "ship-positions-keep.after"
    case shipPositionsRenameBefore = "ship-positions-rename.before"
    case shipPositionsRenameAfter = "ship-positions-rename.after"
    case shipPositionsSyncAfter = "ship-positions-sync.after"
    case shipSendBefore = "ship-send.before"
    case shipSendAfter = "ship-send.after"
    case shipDeadLetterBefore = "ship-dead-letter.before"
    case shipDeadLetterAfter = "ship-dead-letter.after"
    case loadLedgerAfter = "load-ledger.after"
    case loadFilesBefore = "load-files.before"
    case loadFilesAfter = "load-files.after"
    case loadSubmitBefore = "load-submit.before"
    case loadSubmitAfter = "load-submit.after"
    case loadEndAfter = "load-end.after"
    case loadConfirmAfter = "load-confirm.after"
}

/// Which failpoints act, and how: `name[:n]=kill|error|sleep:MILLISECONDS`, comma separated; `n` is the hit that
/// acts (default 1).
package final class Failpoints: Sendable {
    private enum Action: Sendable {
        case kill, error
        case sleep(milliseconds: UInt32)
    }
    private struct Rule: Sendable {
        var point: Failpoint
        var hit: Int
        var action: Action
    }

    private let rules: [Rule]
    private let hits = Mutex<[Failpoint: Int]>([:])

    /// No failpoint acts.
    package init() { rules = [] }

    /// Reads a specification; nil or empty for none. In release builds every specification is ignored.
    /// - Throws: `InjectedFault` naming the part that is not understood.
    package init(specification: String?) throws(InjectedFault) {
        var parsed: [Rule] = []
        #if SLUICE_FAILPOINTS
            for part in (specification ?? "").split(separator: ",") {
                guard let rule = Self.parse(part) else { throw InjectedFault(point: String(part)) }
                parsed.append(rule)
            }
        #endif
        rules = parsed
    }

    /// Marks that execution has come to `point`; acts when a rule says so.
    package func hit(_ point: Failpoint) throws(InjectedFault) {
        #if SLUICE_FAILPOINTS
            if rules.isEmpty { return }
            let count = hits.withLock { table in
                table[point, default: 0] += 1
                return table[point, default: 0]
            }
            for rule in rules where rule.point == point && rule.hit == count {
                switch rule.action {
                case .kill: _ = Glibc.kill(getpid(), SIGKILL)
                case .error: throw InjectedFault(point: point.rawValue)
                case .sleep(let milliseconds): usleep(milliseconds * 1_000)
                }
            }
        #endif
    }

    private static func parse(_ part: Substring) -> Rule? {
        let sides = part.split(separator: "=", maxSplits: 1)
        guard sides.count == 2 else { return nil }
        let name = sides[0].split(separator: ":", maxSplits: 1)
        guard let first = name.first, let point = Failpoint(rawValue: String(first)) else { return nil }
        let hit = name.count == 2 ? Int(name[1]) : 1
        guard let hit, hit >= 1 else { return nil }
        switch sides[1] {
        case "kill": return Rule(point: point, hit: hit, action: .kill)
        case "error": return Rule(point: point, hit: hit, action: .error)
        default:
            let words = sides[1].split(separator: ":")
            guard words.count == 2, words[0] == "sleep", let ms = UInt32(words[1]), ms <= 60_000 else { return nil }
            return Rule(point: point, hit: hit, action: .sleep(milliseconds: ms))
        }
    }
}

/// The fault that a test asked for at a failpoint.
package struct InjectedFault: DiagnosticError {
    package var point: String
    package var exitCode: ExitCode { .temporary }
    package var isTransient: Bool { false }
    package var diagnostic: Diagnostic {
        Diagnostic(operation: "pass failpoint", subject: point, cause: "a test asked for a fault here")
    }
}
