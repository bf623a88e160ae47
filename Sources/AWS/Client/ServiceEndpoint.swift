/// Where a service answers and for which region and signing name requests to it are signed.
package struct ServiceEndpoint: Sendable, Equatable {
    /// `https`, or `http` for loopback.
    package var scheme: String
    package var host: String
    package var port: Int?
    package var region: String
    /// The name in the credential scope: `kinesis`, `s3`, `sts`, `dynamodb`.
    package var signingName: String
    /// True when it came from AWS_ENDPOINT_URL… or the configuration file, not from the partition rules.
    package var isCustom: Bool

    package init(
        scheme: String = "https", host: String, port: Int? = nil, region: String, signingName: String,
        isCustom: Bool = false
    ) {
        self.scheme = scheme
        self.host = host
        self.port = port
        self.region = region
        self.signingName = signingName
        self.isCustom = isCustom
    }
}
