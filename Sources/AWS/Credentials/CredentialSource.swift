// What one place to look for credentials is, and what every place may use. A source is a value without memory: it is
// asked again for each refresh, and the chain above it decides when.
import CivilTime
import HTTP

/// What a source says when it did not fail.
enum SourceOutcome {
    case found(Credentials)
    /// Nothing is configured here, and why: the next source is asked. A source that is configured but broken throws.
    case absent(String)
}

protocol CredentialSource: Sendable {
    func load() async throws -> SourceOutcome
}

/// What the sources share.
struct SourceContext: Sendable {
    var environment: AWSEnvironment
    var configuration: SharedConfiguration
    var http: SourceHTTP
    /// For STS when neither the environment nor the profile names a region.
    var fallbackRegion: String?
    var log: @Sendable (String) -> Void

    var time: any TimeSource { http.time }

    /// Where a service that gives credentials answers.
    func endpoint(_ service: AWSService, region: String) throws(AWSConfigurationError) -> ServiceEndpoint {
        try EndpointResolver(environment: environment, configuration: configuration)
            .endpoint(service: service, region: region)
    }

    /// The region whose STS is asked: the environment's or the profile's, else the job's.
    func stsRegion() throws(AWSConfigurationError) -> String {
        do {
            return try RegionRules.region(explicit: nil, environment: environment, configuration: configuration)
        } catch {
            guard environment.variable("AWS_REGION") == nil, environment.variable("AWS_DEFAULT_REGION") == nil,
                configuration.currentProfile.text("region") == nil, let fallbackRegion
            else { throw error }
            return fallbackRegion
        }
    }
}
