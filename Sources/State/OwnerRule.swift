// May this state go on with the commits in this bucket? Pure: the marker as it stands and what the state remembers
// decide. Everything that does not fit exactly is refused, because going on wrongly doubles or loses records.

import Batching
import Diagnostics

enum OwnerRule {
    enum Verdict: Equatable {
        /// Neither the bucket nor the state has seen a run.
        case first
        /// The marker is the one of our last claim.
        case continues
        /// The marker is a claim of ours whose answer was lost, or the process died before it noted it.
        case recovered(OwnerClaim)
        case refused(StateError)
    }

    static func decide(
        marker: OwnerMarker?, owner: OwnerRecord, identity: StateIdentity, subject: String
    ) -> Verdict {
        func refuse(as kind: StateError.Kind = .ownership, _ cause: String, _ hint: String) -> Verdict {
            .refused(StateError(kind, "check owner marker", subject, cause, hint: hint))
        }
        guard let marker else {
            guard let claim = owner.claim else { return .first }
            return refuse(
                "the marker is gone, and this state has stored batches under it (generation \(claim.generation))",
                "look at bucket and control_prefix in the job file; if the marker was deleted, put it back, or "
                    + StateError.Kind.rebuild)
        }
        let stored = StateIdentity(
            job: marker.job, stream: marker.stream, streamARN: marker.streamARN,
            streamCreation: marker.streamCreation, bucket: identity.bucket, controlPrefix: identity.controlPrefix)
        if let mismatch = identity.mismatch(with: stored) {
            return refuse(as: .identity, mismatch.cause, mismatch.hint)
        }
        let claim = OwnerClaim(generation: marker.generation, id: marker.claimID)
        guard marker.stateID == owner.stateID else {
            guard owner.claim == nil, owner.pending == nil else {
                return refuse(
                    "the bucket belongs to another state of this job (\(marker.stateID), generation "
                        + "\(marker.generation)); this one is \(owner.stateID)",
                    "two hosts must not run one job: stop one of them, or give it another name; to move the job to "
                        + "this host for good, \(StateError.Kind.rebuild)")
            }
            return refuse(
                "this state is new, and the bucket already holds batches of this job (generation "
                    + "\(marker.generation))",
                "if the job moved to this host or its state was lost, \(StateError.Kind.rebuild); if the job still "
                    + "runs on another host, give this one another name")
        }
        if claim == owner.claim { return .continues }
        if claim == owner.pending { return .recovered(claim) }
        let known = owner.claim?.generation ?? 0
        if marker.generation < known {
            return refuse(
                "the marker is older than this state (generation \(marker.generation), the state remembers \(known))",
                "the bucket seems to be restored from an earlier time: restore the manifests too, then "
                    + StateError.Kind.rebuild)
        }
        return refuse(
            "a copy of this state went on without it (the marker has generation \(marker.generation), the state "
                + "remembers \(known))",
            "this looks like a state directory restored from a backup or a cloned host; "
                + StateError.Kind.rebuild)
    }
}
