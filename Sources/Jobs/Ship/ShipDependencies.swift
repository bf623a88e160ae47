package import AWS
package import CivilTime

/// Where records go. `KinesisClient` is the real one.
package protocol RecordSink: Sendable {
    /// One try: the run decides what is sent again, and when.
    func putRecords(
        stream: String, batch: PutRecordsBatch, freshConnection: Bool
    ) async throws(AWSError) -> PutRecordsAnswer
}

extension KinesisClient: RecordSink {}

/// The service manager that started the program, as far as it wants to know (sd_notify(3)).
package protocol ServiceNotifier: Sendable {
    /// Sends one message, such as `READY=1`. Nobody may be listening.
    func notify(_ message: String)
    /// Without a sign of life for this long the service counts as hung; nil when nobody watches.
    var watchdog: Duration? { get }
}

/// Nobody wants to know.
package struct NoServiceManager: ServiceNotifier {
    package init() {}
    package func notify(_ message: String) {}
    package var watchdog: Duration? { nil }
}

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
    package var notifier: any ServiceNotifier
    package var failpoints: Failpoints

    package init(
        kinesis: any RecordSink, time: any TimeSource, events: any JobEvents, stop: StopSignal,
        random: @escaping @Sendable () -> Double, hostName: String,
        notifier: any ServiceNotifier = NoServiceManager(), failpoints: Failpoints = Failpoints()
    ) {
        self.kinesis = kinesis
        self.time = time
        self.events = events
        self.stop = stop
        self.random = random
        self.hostName = hostName
        self.notifier = notifier
        self.failpoints = failpoints
    }
}
