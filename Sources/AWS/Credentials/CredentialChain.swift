// The credentials of a run: the first source that has any, kept until they are close to their end, and fetched anew
// by one caller for all. One actor owns what is kept; the sources have no memory.
package import CivilTime
import Diagnostics
package import HTTP

package actor CredentialChain: CredentialProvider {
    /// Credentials that end sooner are refreshed when that is possible; the old ones serve when it is not.
    static let advisoryWindow = Duration.seconds(15 * 60)
    /// Credentials that end sooner are not given out while fresh ones can be had: a request signed with them may
    /// have to wait or be sent again.
    static let mandatoryWindow = Duration.seconds(10 * 60)
    /// After an attempt that brought nothing better, the next one waits this long.
    static let retryInterval = Duration.seconds(60)

    private struct Kept {
        var credentials: Credentials
        /// No refresh is tried before this.
        var nextAttempt: Timestamp
    }

    private let environment: AWSEnvironment
    private var configuration: SharedConfiguration
    private let fallbackRegion: String?
    private let http: SourceHTTP
    private let log: @Sendable (String) -> Void
    private var kept: Kept?
    private var fetch: Task<Credentials, any Error>?

    /// `fallbackRegion` is where STS is asked when neither the environment nor the profile names a region: the job's.
    /// `random` gives numbers in 0..<1. `log` gets warnings, one line each, without secrets.
    package init(
        environment: AWSEnvironment, configuration: SharedConfiguration, transport: any HTTPTransport,
        time: any TimeSource, random: @escaping @Sendable () -> Double, fallbackRegion: String? = nil,
        log: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.environment = environment
        self.configuration = configuration
        self.fallbackRegion = fallbackRegion
        self.log = log
        http = SourceHTTP(transport: transport, time: time, random: random)
    }

    package func credentials() async throws -> Credentials {
        guard let kept else { return try await fetched() }
        guard let expiration = kept.credentials.expiration else { return kept.credentials }
        let now = http.time.now()
        let left = expiration.since(now)
        if left >= Self.advisoryWindow || now < kept.nextAttempt { return kept.credentials }
        if left >= Self.mandatoryWindow, fetch != nil { return kept.credentials }
        do {
            return try await fetched()
        } catch {
            guard let usable = keptAfterFailure(kept.credentials, left: left, error) else { throw error }
            return usable
        }
    }

    /// Forgets `rejected`, if it is still what is kept. The next call fetches.
    package func invalidate(_ rejected: Credentials) {
        if kept?.credentials == rejected { kept = nil }
    }

    // MARK: Fetching

    /// One fetch at a time: whoever comes while one runs waits for it. It belongs to no caller, so a caller that is
    /// cancelled does not end it for the others; the sources bound its time.
    private func fetched() async throws -> Credentials {
        if let fetch { return try await fetch.value }
        let task = Task { try await self.fetchAndKeep() }
        fetch = task
        return try await task.value
    }

    private func fetchAndKeep() async throws -> Credentials {
        defer { fetch = nil }
        // A file that was changed since (keys rotated, a login) counts from now on.
        if !configuration.isCurrent(environment) { configuration = try SharedConfiguration.load(environment) }
        let context = SourceContext(
            environment: environment, configuration: configuration, http: http, fallbackRegion: fallbackRegion,
            log: log)
        let found = try await CredentialOrder.resolve(context)
        kept = try admit(found)
        return found
    }

    /// What was found, unless it is of no use any more.
    private func admit(_ found: Credentials) throws -> Kept {
        let parts = [found.accessKeyID, found.secretAccessKey.revealed, found.sessionToken?.revealed ?? ""]
        // They go into headers and signatures; a line break is a pasting accident, or worse.
        guard parts.allSatisfy({ $0.utf8.allSatisfy { (0x21...0x7E).contains($0) } }) else {
            throw CredentialsError(
                source: found.source, cause: "a key or the token holds a space, a line break or a non-ASCII character",
                hint: "set it again, without what stands around it")
        }
        let now = http.time.now()
        guard let expiration = found.expiration else { return Kept(credentials: found, nextAttempt: now) }
        let left = expiration.since(now)
        if found.source == InstanceMetadataSource.name {
            return Kept(credentials: found, nextAttempt: now.adding(metadataPause(left: left)))
        }
        guard left > .zero else {
            throw CredentialsError(
                source: found.source, cause: "it gave credentials that have expired",
                hint: "renew them, and check this machine's clock")
        }
        return Kept(credentials: found, nextAttempt: min(now.adding(Self.retryInterval), expiration))
    }

    /// Static stability: when the metadata service hands out keys that are at their end, it has trouble of its own.
    /// They are used on, expired or not (services say no if they must), and it is left in peace for a random 2 to 10
    /// minutes, so that a fleet does not come back at once; less when that would outlast keys that are still good.
    private func metadataPause(left: Duration) -> Duration {
        guard left < Self.advisoryWindow else { return .zero }
        let pause = Duration.seconds(120) + .seconds(480) * http.random()
        log("the instance metadata gave credentials that end soon or have ended; they are used on")
        return left > .zero ? min(pause, max(Self.retryInterval, left / 2)) : pause
    }

    /// The kept credentials when a failed refresh may be passed over; nil when it must be told.
    private func keptAfterFailure(_ old: Credentials, left: Duration, _ error: any Error) -> Credentials? {
        let isMetadata = old.source == InstanceMetadataSource.name
        guard left >= Self.mandatoryWindow || isMetadata, kept?.credentials == old else { return nil }
        kept?.nextAttempt = http.time.now().adding(Self.retryInterval)
        let cause = (error as? any DiagnosticError)?.diagnostic.summary ?? "unexpected error"
        log("credentials were not refreshed, the old ones are used on: \(cause)")
        return old
    }
}

extension CredentialChain: CustomReflectable {
    package nonisolated var customMirror: Mirror { Mirror(self, children: [:]) }
}
