import CivilTime
import Logging

/// swift-log's way to the console.
struct ConsoleLogHandler: LogHandler {
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]
    let format: LogFormat
    let console: Console
    let time: any TimeSource

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { _, new in new }
        let fields = all.sorted { $0.key < $1.key }.map { ($0.key, "\($0.value)") }
        let write = format == .json ? LogLine.json : LogLine.text
        console.line(write(time.now(), event.level.rawValue, "\(event.message)", fields))
    }
}
