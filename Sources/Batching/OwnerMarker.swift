// The document that says whose state continues the commits in a bucket: `<control prefix>owner.json`. Every run that
// has something to store replaces it by compare-and-swap, so a second host or an old copy of the state is found out.

package import CivilTime

package struct OwnerMarker: Codable, Sendable, Equatable {
    package static let formatVersion = 1
    /// No marker is longer: a stream has at most some ten thousand shards within its retention.
    package static let bytesMax = 4 << 20

    package var version = OwnerMarker.formatVersion
    package var job: String
    package var stream: String
    package var streamARN: String
    package var streamCreation: Timestamp
    /// The state store that owns the commits: a random identity made with it.
    package var stateID: String
    /// Goes up by one with each run that stores something, and with each rebuild of the state.
    package var generation: Int64
    /// A random identity of the write that made this generation: two copies of one state store cannot take each
    /// other's claim for their own.
    package var claimID: String
    /// Where the first run began; missing while no run has decided it.
    package var start: StartSet?

    package init(
        job: String, stream: String, streamARN: String, streamCreation: Timestamp, stateID: String, generation: Int64,
        claimID: String, start: StartSet?
    ) {
        self.job = job
        self.stream = stream
        self.streamARN = streamARN
        self.streamCreation = streamCreation
        self.stateID = stateID
        self.generation = generation
        self.claimID = claimID
        self.start = start
    }

    package static func key(controlPrefix: String) -> String { "\(controlPrefix)owner.json" }

    package func canonicalBytes() throws(DocumentError) -> [UInt8] {
        try CanonicalJSON.encode(self, as: "owner marker")
    }

    package static func decode(_ bytes: [UInt8]) throws(DocumentError) -> OwnerMarker {
        try CanonicalJSON.decode(OwnerMarker.self, from: bytes, versionMax: formatVersion, as: "owner marker")
    }

    enum CodingKeys: String, CodingKey {
        case version = "format_version"
        case job, stream, generation, start
        case streamARN = "stream_arn"
        case streamCreation = "stream_creation"
        case stateID = "state_id"
        case claimID = "claim_id"
    }
}
