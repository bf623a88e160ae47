// The line that a person at a terminal watches. Pure: snapshots in, text out.

import Jobs

/// Remembers where the lag began, to tell how long the rest will take.
struct ProgressLine {
    /// Terminals are at least this wide; a longer line would wrap and stay.
    static let widthMax = 79

    private var first: (lag: Duration, elapsed: Duration)?

    /// `2/4 shards  1,204,331 records  38.2 MB/s  lag 4m10s  ETA 25s`.
    mutating func text(_ snapshot: ProgressSnapshot) -> String {
        var parts = [
            "\(snapshot.shardsDone)/\(snapshot.shardsTotal) shards", "\(grouped(snapshot.records)) records",
            "\(rate(snapshot)) MB/s",
        ]
        if let lag = snapshot.lag {
            parts.append("lag \(durationText(lag))")
            if let eta = eta(lag: lag, elapsed: snapshot.elapsed) { parts.append("ETA \(durationText(eta))") }
        }
        return String(parts.joined(separator: "  ").prefix(Self.widthMax))
    }

    private func rate(_ snapshot: ProgressSnapshot) -> String {
        let seconds = snapshot.elapsed.seconds
        return fixed(seconds > 0 ? Double(snapshot.recordBytes) / 1e6 / seconds : 0, decimals: 1)
    }

    /// The lag shrinks as it has since the first snapshot; nil while it does not.
    private mutating func eta(lag: Duration, elapsed: Duration) -> Duration? {
        guard let first else {
            self.first = (lag, elapsed)
            return nil
        }
        let (gained, spent) = ((first.lag - lag).seconds, (elapsed - first.elapsed).seconds)
        guard gained > 0, spent >= 1 else { return nil }
        let rest = lag.seconds / gained * spent
        // Beyond some days it is no forecast.
        return rest < 1_000_000 ? .seconds(Int64(rest)) : nil
    }
}

extension Duration {
    var seconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) / 1e18
    }
}
