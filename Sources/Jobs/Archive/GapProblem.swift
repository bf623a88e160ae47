import Batching
import CivilTime
import Diagnostics

/// How a gap is told to the operator.
enum GapProblem {
    static func error(_ gap: GapRecord, shard: String) -> ArchiveError {
        let from = gap.from.map(RFC3339.text) ?? "an unknown time"
        let to = gap.to.map { "and \(RFC3339.text($0))" } ?? "and now"
        return ArchiveError(
            "read shard", shard, "records that arrived between \(from) \(to) expired before they were read",
            hint: "with source.on_gap: continue the job goes on and writes the gap into the next manifest; "
                + "run more often, or raise the stream's retention",
            exitCode: .sourceGap)
    }
}
