// The job file that comes out, as values with the reason of each. Its text is made by FluentdDraft+YAML.swift.

/// One job: the files of one source, shipped to the stream of one output.
struct FluentdDraft {
    enum Record { case fluentd, line }

    var name = ""
    /// As a job file writes them: patterns, with `${NAME}` for variables.
    var files: [String] = []
    var startsAtHead = false
    var record = Record.fluentd
    var keepsTimeKey = false
    var endsWithNewline = true
    var stream = ""
    var region: String?
    var aggregatesKPL = false
    /// Nil where Sluice's default stands.
    var requestBytes: Int?
    var linger = Duration.seconds(1)
    var maxInFlight = 4
    var rescan = Duration.seconds(10)
    var rotateWait = Duration.seconds(5)
    /// Why a key has its value, by the key's dotted path; without one the key is left out if it may be.
    var comments: [String: String] = [:]
    /// Why no job file can be made of it.
    var obstacle: String?

    /// What a job file accepts.
    static let lingerMax = Duration.seconds(60)
    static let maxInFlightMax = 64
    static let requestBytesRange = (1 << 20)...(10 << 20)
    static let rescanRange = Duration.seconds(1)...Duration.seconds(3_600)
    static let rotateWaitRange = Duration.seconds(1)...Duration.seconds(3_600)

    /// The first obstacle is the one that is told.
    mutating func block(_ reason: String) { obstacle = obstacle ?? reason }

    /// From a place to the comment beside the key.
    mutating func comment(_ key: String, _ setting: FluentdSetting) {
        comments[key] = "\(printable(setting.key)) (\(setting.place))"
    }
}

extension Duration {
    /// Whole milliseconds; nil when it is more than a job file could ever say.
    static func fluentd(seconds: Double) -> Duration? {
        seconds <= 1_000_000_000 ? .milliseconds(Int64((seconds * 1_000).rounded())) : nil
    }

    func limited(to range: ClosedRange<Duration>) -> Duration {
        Swift.min(Swift.max(self, range.lowerBound), range.upperBound)
    }
}
