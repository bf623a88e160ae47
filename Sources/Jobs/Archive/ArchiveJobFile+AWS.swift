import AWS
import Batching
import State

extension ArchiveJobFile {
    /// What the state of this job belongs to, with the stream as it is now.
    func identity(of summary: StreamSummary) -> StateIdentity {
        StateIdentity(
            job: name, stream: summary.name, streamARN: summary.arn, streamCreation: summary.creation,
            bucket: destination.bucket, controlPrefix: destination.controlPrefix)
    }
}

extension ArchiveJobFile.Destination {
    /// How objects are kept.
    var attributes: ObjectAttributes {
        ObjectAttributes(
            storageClass: storageClass, sse: sse, kmsKeyID: kmsKeyID,
            tags: tags.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
    }
}
