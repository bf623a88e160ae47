// Small exchanges with the services that give credentials: bounded in size, time and number of attempts.
import CivilTime
import Diagnostics
import HTTP

struct SourceHTTP: Sendable {
    /// Longest answer that is read. Credentials are some 2 KB, and session tokens have no stated limit.
    static let responseBytesMax = 256 << 10

    var transport: any HTTPTransport
    var time: any TimeSource
    /// Uniform in 0..<1, for jitter.
    var random: @Sendable () -> Double

    /// How often an exchange is tried, and how long is waited in between.
    struct Attempts: Sendable {
        var max: Int
        /// The pause after attempt `i` (from 0) failed.
        var pause: @Sendable (_ i: Int, _ random: Double) -> Duration

        /// The standard retry mode: full jitter over 50 ms, doubled each time.
        static let standard = Attempts(max: 3) { i, random in .milliseconds(50 * (1 << i)) * random }
        static func fixed(_ max: Int, pause: Duration) -> Attempts { Attempts(max: max) { _, _ in pause } }
    }

    /// Sends until an answer needs no other try, or the attempts are used up; then the last answer or error stands.
    func send(
        _ request: HTTPRequest, attempts: Attempts,
        shouldRetry: (HTTPResponse) -> Bool = { isTemporary(status: $0.status) }
    ) async throws -> HTTPResponse {
        var request = request
        for attempt in 0..<attempts.max {
            if attempt > 0 {
                try await time.sleep(for: attempts.pause(attempt - 1, random()))
                request.wantsFreshConnection = true
            }
            let isLast = attempt == attempts.max - 1
            do {
                let response = try await transport.perform(request)
                if isLast || !shouldRetry(response) { return response }
            } catch {
                if isLast || !error.isTransient { throw error }
            }
        }
        preconditionFailure("a request needs at least one attempt")
    }

    /// The same, with a missing answer told as an error of `source`; `peer` is who was asked.
    func answer(
        to request: HTTPRequest, from peer: String, source: String, attempts: Attempts = .standard,
        shouldRetry: (HTTPResponse) -> Bool = { isTemporary(status: $0.status) }
    ) async throws -> HTTPResponse {
        do {
            return try await send(request, attempts: attempts, shouldRetry: shouldRetry)
        } catch let failure as HTTPTransportError {
            throw CredentialsError(
                source: source,
                cause: "\(peer) at \(failure.host) gave no answer: \(failure.kind.rawValue): \(failure.message)",
                hint: failure.diagnostic.hint, isTransient: failure.isTransient)
        }
    }

    static func isTemporary(status: Int) -> Bool { status == 429 || (500...599).contains(status) }

    static func limits(connect: Duration, total: Duration) -> HTTPLimits {
        HTTPLimits(connectTimeout: connect, totalTimeout: total, responseBytesMax: responseBytesMax)
    }

    /// `expiration` as this machine's clock will show it. A clock that is an hour fast would otherwise take fresh
    /// credentials for expired ones. Differences below the limit are network delay and are ignored.
    func localExpiration(_ expiration: Timestamp, answeredBy response: HTTPResponse) -> Timestamp {
        guard let skew = clockSkew(response) else { return expiration }
        return expiration.adding(.zero - skew)
    }

    /// Server time minus local time when it is at least `skewMin`; nil when the clocks agree or no Date is given.
    func clockSkew(_ response: HTTPResponse) -> Duration? {
        guard let date = response.header("Date").flatMap({ HTTPDate.parse($0) }) else { return nil }
        let skew = date.since(time.now())
        return skew >= Self.skewMin || skew <= .zero - Self.skewMin ? skew : nil
    }

    /// The AWS SDKs correct the clock from four minutes on.
    static let skewMin = Duration.seconds(240)
}
