// How far a server's clock is from ours, as far as one answer can tell.

import CivilTime

enum ClockSkew {
    /// A Date header is cut to whole seconds, and NTP keeps clocks closer than this.
    static let tolerance = Duration.seconds(2)

    /// Positive when the server is ahead; zero when its Date lies within the call, give or take the tolerance. A long
    /// answer is no skew: the Date is that of its first byte.
    static func between(sent: Timestamp, received: Timestamp, serverDate: Timestamp) -> Duration {
        if serverDate.since(received) > tolerance { return serverDate.since(received) }
        if sent.since(serverDate) > tolerance { return serverDate.since(sent) }
        return .zero
    }
}
