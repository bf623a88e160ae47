// Where a manifest was lost its objects may still stand. They are taken over by cutting a batch as they were cut, so that
// none is left over; anything else under a key of ours is a conflict, found before anything is claimed.

import Batching
import Diagnostics

struct LeftObjects {
    let run: RunContext

    /// - Returns: where the batch must end instead; nil when it can be stored as it is.
    /// - Throws: exit 73 when something stands there that is of no batch which begins with the same record.
    func cut(beside intent: BatchIntent) async throws -> SequenceNumber? {
        let upload = run.committer.upload
        for object in intent.objects {
            let standing = try await run.dependencies.patiently { try await upload.standing(object, of: intent) }
            switch standing {
            case .nothing: continue
            case .same(_, let last):
                // Equal rows in this partition, but other objects of that batch may hold more.
                if let last, last != intent.last, last >= intent.first { return last }
            case .other(let last):
                guard let last, last != intent.last, last >= intent.first else { throw upload.conflict(object.key) }
                return last
            }
        }
        return nil
    }

    /// They can only be taken over whole.
    func conflict(on shard: String, through last: SequenceNumber) -> ArchiveError {
        ArchiveError(
            "backfill shard", shard,
            "objects of a lost manifest hold its records up to \(last.text), more than the range or other rows",
            hint: "widen the range until it holds that record; if that does not help, move those objects away",
            exitCode: .destinationConflict)
    }
}
