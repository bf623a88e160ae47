package import AWS
package import CivilTime

/// Where records go. `KinesisClient` is the real one.
package protocol RecordSink: Sendable {
    func putRecords(
        stream: String, batch: PutRecordsBatch, freshConnection: Bool
    ) async throws(AWSError) -> PutRecordsAnswer
}

extension KinesisClient: RecordSink {}

/// What a ship run touches of the world besides files.
package struct ShipDependencies: Sendable {
    package var kinesis: any RecordSink
    package var time: any TimeSource
    package var events: any JobEvents
    package var stop: StopSignal
    /// In 0..<1, for jitter and random partition keys.
    package var random: @Sendable () -> Double
    /// This machine's name, for partition keys.
    package var hostName: String

    package init(
        kinesis: any RecordSink, time: any TimeSource, events: any JobEvents, stop: StopSignal,
        random: @escaping @Sendable () -> Double, hostName: String
    ) {
        self.kinesis = kinesis
        self.time = time
        self.events = events
        self.stop = stop
        self.random = random
        self.hostName = hostName
    }
}
