/// The services that sluice talks to, with the names that AWS gives each in hosts, signatures and settings.
package enum AWSService: String, CaseIterable, Sendable {
    case kinesis, s3, sts, sso, ssoOIDC, dynamodb, redshiftData

    /// The name in the credential scope of a signature. `sso` and `ssoOIDC` are called unsigned.
    package var signingName: String {
        switch self {
        case .kinesis: "kinesis"
        case .s3: "s3"
        case .sts: "sts"
        case .sso: "awsssoportal"
        case .ssoOIDC: "sso-oauth"
        case .dynamodb: "dynamodb"
        case .redshiftData: "redshift-data"
        }
    }

    /// The first part of the regional host name.
    package var hostPrefix: String {
        switch self {
        case .kinesis: "kinesis"
        case .s3: "s3"
        case .sts: "sts"
        case .sso: "portal.sso"
        case .ssoOIDC: "oidc"
        case .dynamodb: "dynamodb"
        case .redshiftData: "redshift-data"
        }
    }

    /// The key in a `[services …]` section.
    package var configurationKey: String {
        switch self {
        case .kinesis: "kinesis"
        case .s3: "s3"
        case .sts: "sts"
        case .sso: "sso"
        case .ssoOIDC: "sso_oidc"
        case .dynamodb: "dynamodb"
        case .redshiftData: "redshift_data"
        }
    }

    /// `AWS_ENDPOINT_URL_KINESIS` and its kind.
    package var endpointVariable: String { "AWS_ENDPOINT_URL_" + configurationKey.uppercased() }
}
