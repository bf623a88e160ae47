// From the process's environment to clients of AWS: configuration files, endpoints, credentials, transport. Everything
// below takes what it is given here and reads nothing by itself.

import AWS
import CivilTime
import CurlTransport
import Foundation
import HTTP
import Jobs
import Logging

struct AWSAccess {
    private let environment: AWSEnvironment
    private let configuration: SharedConfiguration
    private let endpoints: EndpointResolver
    private let transport: any HTTPTransport
    private let credentials: CredentialChain
    private let retry: RetrySettings
    private let time: any TimeSource
    private let logger: Logger

    /// - Parameters:
    ///   - region: the job's, for STS when nothing else names one.
    ///   - callsMax: requests that the job has under way at once.
    init(_ surroundings: Surroundings, region: String, callsMax: Int) throws {
        let home = surroundings.environment["HOME"] ?? FileManager.default.homeDirectoryForCurrentUser.path
        environment = AWSEnvironment.system(variables: surroundings.environment, homeDirectory: home)
        configuration = try SharedConfiguration.load(environment)
        endpoints = EndpointResolver(environment: environment, configuration: configuration)
        let profile = configuration.currentProfile
        retry = try RetrySettings.standard.overridden(
            attempts: environment.variable("AWS_MAX_ATTEMPTS") ?? profile.text("max_attempts"),
            mode: environment.variable("AWS_RETRY_MODE") ?? profile.text("retry_mode"))
        (time, logger) = (surroundings.time, surroundings.logger)
        transport = try CurlTransport(
            settings: CurlTransportSettings(
                caBundle: environment.variable("AWS_CA_BUNDLE") ?? profile.text("ca_bundle"),
                httpsProxy: environment.variable("https_proxy") ?? environment.variable("HTTPS_PROXY"),
                noProxy: environment.variable("no_proxy") ?? environment.variable("NO_PROXY"),
                userAgent: "sluice/\(programVersion)", connectionsMax: callsMax))
        credentials = CredentialChain(
            environment: environment, configuration: configuration, transport: transport, time: time,
            random: Self.random, fallbackRegion: region, log: { [logger] in logger.warning("\($0)") })
        if let warning = EndpointResolver.warning(region: region) { logger.warning("\(warning)") }
    }

    /// - Parameter attemptsMax: tries of one call, for callers that try again by themselves; nil as configured.
    func kinesis(region: String, attemptsMax: Int? = nil) throws -> KinesisClient {
        KinesisClient(client: try client(.kinesis, region: region, attemptsMax: attemptsMax))
    }

    func s3(_ destination: S3Destination) throws -> S3Client {
        S3Client(
            client: try client(.s3, region: destination.region), destination: destination,
            log: { [logger] in logger.warning("\($0)") })
    }

    func redshiftData(region: String) throws -> RedshiftDataClient {
        RedshiftDataClient(client: try client(.redshiftData, region: region))
    }

    /// In 0..<1, from the system's generator.
    static let random: @Sendable () -> Double = { Double.random(in: 0..<1) }

    private func client(_ service: AWSService, region: String, attemptsMax: Int? = nil) throws -> AWSClient {
        var retry = retry
        if let attemptsMax { retry.attemptsMax = attemptsMax }
        return AWSClient(
            transport: transport, credentials: credentials,
            endpoint: try endpoints.endpoint(service: service, region: region), retry: retry, time: time,
            random: Self.random, log: { [logger] in logger.debug("\($0)") })
    }
}

extension ArchiveJobFile.Destination {
    var s3: S3Destination {
        S3Destination(
            bucket: bucket, region: region, pathStyle: pathStyle, expectedBucketOwner: expectedBucketOwner)
    }
}
