// What a ship job tells Prometheus. Pure: the ledger in, families out. A ship job has no state store; its totals are in
// the ledger and grow as its file is written, so a killed run loses what it counted in the last seconds.

package struct ShipMetrics {
    /// What is counted: the name in the ledger, the metric, and its help.
    package enum Counter: String, CaseIterable, Sendable {
        case records, bytes, requests, recordsResent = "records_resent", linesCut = "lines_cut"
        case deadLetters = "dead_letters", bytesLost = "bytes_lost"

        var help: String {
            switch self {
            case .records: "Kinesis records that the stream has stored."
            case .bytes: "Bytes of log files that the stream has stored, line feeds included."
            case .requests: "Requests sent."
            case .recordsResent: "Records that were sent again."
            case .linesCut: "Lines that lost what was longer than a record."
            case .deadLetters: "Records that the stream refused: they are in the dead-letter file."
            case .bytesLost: "Bytes that were seen in a file and were gone before they could be read."
            }
        }
    }

    private let ledger: RunLedger
    private let labels: [(name: String, value: String)]

    private let unreadBytes: Int?

    /// - Parameter unreadBytes: of all files; nil when nobody has looked.
    package init(job: String, stream: String, ledger: RunLedger, unreadBytes: Int? = nil) {
        self.ledger = ledger
        self.unreadBytes = unreadBytes
        labels = [("job", job), ("stream", ledger.stream ?? stream)]
    }

    package func families() -> [MetricFamily] {
        var unread = MetricFamily(
            "sluice_ship_unread_bytes", .gauge, help: "Bytes of log files that were not read yet.")
        if let unreadBytes { unread.add(unreadBytes, labels) }
        return Counter.allCases.map { counter in
            var family = MetricFamily("sluice_ship_\(counter.rawValue)_total", .counter, help: counter.help)
            family.add(ledger.counters[counter.rawValue] ?? 0, labels)
            return family
        } + [unread] + RunMetrics.families(ledger, command: "ship", labels: labels)
    }
}
