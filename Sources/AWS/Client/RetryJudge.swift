// Decides what happens after a failed try. Pure but for the shared token bucket: the clock's reading and the random
// number come in. Bound on the tries of one call: `attemptsMax` + one each for clock, credentials and damage.

import CivilTime
import Diagnostics

/// A failed try, as far as the decision needs it.
struct FailedTry {
    var error: AWSError
    var serverHint: Int?
    /// The answer's Date header.
    var serverDate: Timestamp?
    /// This machine's clock when the answer came, uncorrected, and the instant that the request was signed with.
    var localDate: Timestamp
    var signedAt: Timestamp
    var usesSessionToken: Bool
    var isHead: Bool
}

enum RetryVerdict: Equatable {
    case giveUp
    case again(after: Duration)
    /// Sign with this offset to the local clock from now on.
    case correctClock(offset: Duration)
    case refreshCredentials
}

struct RetryJudge {
    /// A smaller difference cannot be why a signature is refused (services allow 5 to 15 minutes).
    static let skewMin = Duration.seconds(240)

    let settings: RetrySettings
    let quota: RetryQuota
    private(set) var attempt = 1
    private var lastCost: Int?
    private var hasCorrectedClock = false
    private var hasRefreshed = false
    private var hasRetriedDamage = false

    init(settings: RetrySettings, quota: RetryQuota) {
        self.settings = settings
        self.quota = quota
    }

    /// The call worked: its last retry's tokens, or one, go back.
    func succeeded() { quota.release(lastCost ?? settings.successRefund) }

    mutating func judge(_ failure: FailedTry, random: Double) -> RetryVerdict {
        let error = failure.error
        if !hasCorrectedClock, let offset = clockOffset(failure) {
            hasCorrectedClock = true
            return .correctClock(offset: offset)
        }
        if !hasRefreshed, isExpiry(failure) {
            hasRefreshed = true
            return .refreshCredentials
        }
        if ErrorCatalog.damagedOnTheWay.contains(error.code) {
            guard !hasRetriedDamage else { return .giveUp }
            hasRetriedDamage = true
            attempt += 1
            return .again(after: settings.baseDelay * random)
        }
        guard error.isTransient, attempt < settings.attemptsMax else { return .giveUp }
        let cost = settings.cost(isThrottling: error.isThrottling)
        guard quota.acquire(cost) else { return .giveUp }
        lastCost = cost
        let delay = settings.delay(
            attempt: attempt, isThrottling: error.isThrottling, random: random, serverHint: failure.serverHint)
        attempt += 1
        return .again(after: delay)
    }

    private func clockOffset(_ failure: FailedTry) -> Duration? {
        guard let serverDate = failure.serverDate else { return nil }
        let isSure = ErrorCatalog.clockSkew.contains(failure.error.code)
        let isPossible = ErrorCatalog.maybeClockSkew.contains(failure.error.code)
        let difference = serverDate.since(failure.signedAt)
        guard isSure || (isPossible && (difference >= Self.skewMin || difference <= .zero - Self.skewMin)) else {
            return nil
        }
        return serverDate.since(failure.localDate)
    }

    /// S3 answers a HEAD that was signed with an expired token with a bare 400.
    private func isExpiry(_ failure: FailedTry) -> Bool {
        if ErrorCatalog.expiredCredentials.contains(failure.error.code) { return true }
        return failure.isHead && failure.usesSessionToken && failure.error.status == 400
            && failure.error.bucketRegion == nil
    }
}
