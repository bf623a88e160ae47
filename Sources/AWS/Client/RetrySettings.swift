// The numbers of the AWS SDKs' standard retry mode in its 2026 form, and the pure arithmetic on them.
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html

/// How often and how patiently one call is tried. Longer patience (a throttled shard, an outage) is the job's part.
package struct RetrySettings: Sendable, Equatable {
    /// Tries in all, the first one included.
    package var attemptsMax: Int
    package var baseDelay: Duration
    package var throttlingBaseDelay: Duration
    package var delayMax: Duration
    /// `x-amz-retry-after` may lengthen a delay by at most this.
    package var serverHintMax: Duration
    /// Tokens that all calls of one client share; a retry takes some, success gives them back.
    package var quota: Int
    package var transientCost: Int
    package var throttlingCost: Int
    /// What a call that needed no retry gives back.
    package var successRefund: Int

    package init(
        attemptsMax: Int = 3, baseDelay: Duration = .milliseconds(50), throttlingBaseDelay: Duration = .seconds(1),
        delayMax: Duration = .seconds(20), serverHintMax: Duration = .seconds(5), quota: Int = 500,
        transientCost: Int = 14, throttlingCost: Int = 5, successRefund: Int = 1
    ) {
        self.attemptsMax = attemptsMax
        self.baseDelay = baseDelay
        self.throttlingBaseDelay = throttlingBaseDelay
        self.delayMax = delayMax
        self.serverHintMax = serverHintMax
        self.quota = quota
        self.transientCost = transientCost
        self.throttlingCost = throttlingCost
        self.successRefund = successRefund
    }

    package static let standard = RetrySettings()
    package static let dynamodb = RetrySettings(attemptsMax: 4, baseDelay: .milliseconds(25))

    /// Most that AWS_MAX_ATTEMPTS may ask for.
    package static let attemptsLimit = 20

    /// These settings with what AWS_MAX_ATTEMPTS and AWS_RETRY_MODE (or `max_attempts` and `retry_mode` of a profile)
    /// say. All three modes are run as the standard one: `legacy` differs in its numbers only, and `adaptive` adds a
    /// rate limit that the pacing of each shard makes needless.
    package func overridden(attempts: String?, mode: String?) throws(AWSConfigurationError) -> RetrySettings {
        var settings = self
        if let attempts, !attempts.isEmpty {
            guard let count = Int(attempts), (1...Self.attemptsLimit).contains(count) else {
                throw AWSConfigurationError(
                    "read setting", "AWS_MAX_ATTEMPTS", "not a whole number from 1 to \(Self.attemptsLimit)",
                    hint: "3 is the default")
            }
            settings.attemptsMax = count
        }
        if let mode, !mode.isEmpty, !["standard", "legacy", "adaptive"].contains(mode.lowercased()) {
            throw AWSConfigurationError(
                "read setting", "AWS_RETRY_MODE", "unknown mode", hint: "standard, legacy or adaptive")
        }
        return settings
    }

    /// The wait before the next try: exponential, with full jitter, capped; a server's hint can only lengthen it.
    /// - Parameters:
    ///   - attempt: tries made so far, from 1.
    ///   - random: in 0...1.
    ///   - serverHint: the value of `x-amz-retry-after` in milliseconds; nil when absent or unusable.
    package func delay(attempt: Int, isThrottling: Bool, random: Double, serverHint: Int?) -> Duration {
        var ceiling = isThrottling ? throttlingBaseDelay : baseDelay
        for _ in 1..<max(attempt, 1) where ceiling < delayMax { ceiling *= 2 }
        let jittered = min(ceiling, delayMax) * random
        guard let serverHint else { return jittered }
        return max(jittered, min(.milliseconds(serverHint), jittered + serverHintMax))
    }

    package func cost(isThrottling: Bool) -> Int { isThrottling ? throttlingCost : transientCost }

    /// A usable value of `x-amz-retry-after`: whole milliseconds, not negative.
    package static func serverHint(_ header: String?) -> Int? {
        guard let header, let value = Int(header), value >= 0, value <= Int(Int32.max) else { return nil }
        return value
    }
}
