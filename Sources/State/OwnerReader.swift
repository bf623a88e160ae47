package import Batching

/// Looks at the owner marker without taking part in ownership: for commands that work beside the job.
package struct OwnerReader: Sendable {
    private let objects: any ControlStore
    private let identity: StateIdentity

    package init(objects: any ControlStore, identity: StateIdentity) {
        self.objects = objects
        self.identity = identity
    }

    /// The marker as it stands; nil when no run of the job has stored anything yet.
    /// - Throws: `StateError` (exit 74) when it belongs to another job, stream or stream creation.
    package func marker() async throws -> OwnerMarker? {
        let key = OwnerMarker.key(controlPrefix: identity.controlPrefix)
        guard let document = try await objects.get(key: key, bytesMax: OwnerMarker.bytesMax) else { return nil }
        let marker = try OwnerMarker.decode(document.bytes)
        let stored = StateIdentity(
            job: marker.job, stream: marker.stream, streamARN: marker.streamARN,
            streamCreation: marker.streamCreation, bucket: identity.bucket, controlPrefix: identity.controlPrefix)
        if let mismatch = identity.mismatch(with: stored) {
            throw StateError(
                .identity, "check owner marker", "s3://\(identity.bucket)/\(key)", mismatch.cause, hint: mismatch.hint)
        }
        return marker
    }
}
