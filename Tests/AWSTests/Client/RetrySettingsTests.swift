import AWS
import Testing

/// The vectors of botocore's tests for the 2026 numbers (tests/unit/retries/test_standard_retry_v2_1.py).
struct RetrySettingsTests {
    @Test func delaysDoubleFrom50MillisecondsTo20Seconds() {
        let delays = (1...11).map {
            RetrySettings.standard.delay(attempt: $0, isThrottling: false, random: 1, serverHint: nil)
        }
        let expected = [50, 100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 20_000, 20_000]
        #expect(delays == expected.map { .milliseconds($0) })
    }

    @Test func throttlingDelaysStartAtOneSecond() {
        let delays = (1...7).map {
            RetrySettings.standard.delay(attempt: $0, isThrottling: true, random: 1, serverHint: nil)
        }
        #expect(delays == [1, 2, 4, 8, 16, 20, 20].map { .seconds($0) })
    }

    @Test func dynamodbStartsAt25Milliseconds() {
        let delays = (1...3).map {
            RetrySettings.dynamodb.delay(attempt: $0, isThrottling: false, random: 1, serverHint: nil)
        }
        #expect(delays == [25, 50, 100].map { .milliseconds($0) })
        #expect(RetrySettings.dynamodb.attemptsMax == 4)
    }

    @Test(arguments: [0, 0.25, 0.5, 0.999]) func jitterScalesTheWholeDelay(random: Double) {
        let delay = RetrySettings.standard.delay(attempt: 3, isThrottling: false, random: random, serverHint: nil)
        #expect(delay == .milliseconds(200) * random)
    }

    @Test(
        arguments: [
            ("1500", 1_500), ("0", 50), ("10000", 5_050), ("invalid", 50), ("-5", 50), ("1.5", 50), ("", 50),
            ("99999999999999999999", 50), (nil, 50),
        ] as [(String?, Int)])
    func serverHintLengthensTheDelayByAtMostFiveSeconds(header: String?, milliseconds: Int) {
        let hint = RetrySettings.serverHint(header)
        let delay = RetrySettings.standard.delay(attempt: 1, isThrottling: false, random: 1, serverHint: hint)
        #expect(delay == .milliseconds(milliseconds))
    }

    @Test func quotaFallsBy14ATransientRetryAndBy5AThrottledOne() {
        let settings = RetrySettings.standard
        let quota = RetryQuota(capacity: settings.quota)
        for expected in [486, 472, 458] {
            #expect(quota.acquire(settings.cost(isThrottling: false)))
            #expect(quota.available == expected)
        }
        #expect(quota.acquire(settings.cost(isThrottling: true)))
        #expect(quota.available == 453)
    }

    @Test func quotaRefusesWhatItDoesNotHoldAndNeverOverfills() {
        let quota = RetryQuota(capacity: 14)
        #expect(quota.acquire(14))
        #expect(!quota.acquire(1))
        quota.release(13)
        #expect(!quota.acquire(14))
        quota.release(500)
        #expect(quota.available == 14)
    }

    @Test func environmentOverridesAttemptsWithinLimits() throws {
        #expect(try RetrySettings.standard.overridden(attempts: "1", mode: nil).attemptsMax == 1)
        #expect(try RetrySettings.standard.overridden(attempts: "20", mode: "standard").attemptsMax == 20)
        #expect(try RetrySettings.standard.overridden(attempts: nil, mode: "legacy").attemptsMax == 3)
        #expect(try RetrySettings.standard.overridden(attempts: "", mode: "").attemptsMax == 3)
        for bad in ["0", "21", "-1", "three", "3.0"] {
            #expect(throws: AWSConfigurationError.self) {
                try RetrySettings.standard.overridden(attempts: bad, mode: nil)
            }
        }
        #expect(throws: AWSConfigurationError.self) {
            try RetrySettings.standard.overridden(attempts: nil, mode: "eager")
        }
    }
}
