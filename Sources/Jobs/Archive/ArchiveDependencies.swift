package import AWS
package import CivilTime

/// What an archive run touches of the world. Everything it knows besides comes from the job file and the state.
package struct ArchiveDependencies: Sendable {
    package var kinesis: KinesisClient
    package var s3: S3Client
    package var time: any TimeSource
    package var events: any JobEvents
    package var stop: StopSignal
    /// In 0..<1, for jitter.
    package var random: @Sendable () -> Double
    package var failpoints: Failpoints
    /// Goes into manifests: `sluice 0.1.0`.
    package var programVersion: String
    /// A new random identity, for a state store that is made now.
    package var newID: @Sendable () -> String

    package init(
        kinesis: KinesisClient, s3: S3Client, time: any TimeSource, events: any JobEvents, stop: StopSignal,
        random: @escaping @Sendable () -> Double, failpoints: Failpoints, programVersion: String,
        newID: @escaping @Sendable () -> String
    ) {
        self.kinesis = kinesis
        self.s3 = s3
        self.time = time
        self.events = events
        self.stop = stop
        self.random = random
        self.failpoints = failpoints
        self.programVersion = programVersion
        self.newID = newID
    }
}
