package import CivilTime

/// What a state store belongs to. A store of another identity is refused: its checkpoints would be nonsense here.
package struct StateIdentity: Sendable, Equatable {
    /// The job file's `name`.
    package var job: String
    /// The stream's name.
    package var stream: String
    package var streamARN: String
    /// Tells a stream from an earlier one of the same name.
    package var streamCreation: Timestamp
    package var bucket: String
    /// Ends with `/`.
    package var controlPrefix: String

    package init(
        job: String, stream: String, streamARN: String, streamCreation: Timestamp, bucket: String,
        controlPrefix: String
    ) {
        self.job = job
        self.stream = stream
        self.streamARN = streamARN
        self.streamCreation = streamCreation
        self.bucket = bucket
        self.controlPrefix = controlPrefix
    }

    /// How `found`, an identity that was stored, differs from this one; nil when it does not.
    package func mismatch(with found: StateIdentity) -> (cause: String, hint: String)? {
        if found.job != job {
            return (
                "it belongs to the job \(found.job), this is the job \(job)",
                "give each job its own state.directory and control_prefix"
            )
        }
        if found.stream != stream || found.streamARN != streamARN {
            return (
                "it belongs to the stream \(found.streamARN), the job reads \(streamARN)",
                "for another stream use another job name, or set source.stream back"
            )
        }
        if found.streamCreation.milliseconds != streamCreation.milliseconds {
            return (
                "the stream \(stream) was deleted and created anew: the state knows the one created "
                    + "\(RFC3339.text(found.streamCreation)), now it is the one created \(RFC3339.text(streamCreation))",
                "give the job a new name for the new stream, or drop the old checkpoints with "
                    + "`sluice state rebuild JOB --force`"
            )
        }
        if found.bucket != bucket || found.controlPrefix != controlPrefix {
            return (
                "it belongs to the manifests in s3://\(found.bucket)/\(found.controlPrefix), the job names "
                    + "s3://\(bucket)/\(controlPrefix)",
                "set bucket and control_prefix back, or give the job a new name"
            )
        }
        return nil
    }
}
