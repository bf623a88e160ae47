import AWS
import Diagnostics
import Foundation
import Testing

struct EndpointResolverTests {
    private func resolver(_ variables: [String: String] = [:], config: String? = nil) throws -> EndpointResolver {
        let machine = FakeMachine(variables, config: config)
        return EndpointResolver(environment: machine.environment, configuration: try machine.configuration())
    }

    private struct Table: Decodable { var rows: [String] }
    private static let services: [String: AWSService] = [
        "kinesis": .kinesis, "s3": .s3, "sts": .sts, "sso": .sso, "sso-oidc": .ssoOIDC, "dynamodb": .dynamodb,
        "redshift-data": .redshiftData,
    ]

    /// Tests/Data/cases/endpoints.json was written by botocore; it says how.
    @Test func hostsAreThoseThatBotocoreFinds() throws {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../Data/cases/endpoints.json")
        let rows = try JSONDecoder().decode(Table.self, from: Data(contentsOf: path)).rows
        #expect(rows.count == 336)
        for row in rows {
            let columns = row.split(separator: " ").map(String.init)
            let service = try #require(Self.services[columns[0]])
            var variables: [String: String] = [:]
            if columns[2] == "fips" { variables["AWS_USE_FIPS_ENDPOINT"] = "true" }
            if columns[3] == "dualstack" { variables["AWS_USE_DUALSTACK_ENDPOINT"] = "TRUE" }
            let found = try? resolver(variables).endpoint(service: service, region: columns[1])
            #expect((found?.host ?? "error") == columns[4], "\(row)")
            if let found {
                #expect(found.scheme == "https" && found.port == nil && !found.isCustom)
                #expect(found.region == columns[1])
            }
        }
    }

    @Test func aRegionThatNoPartitionClaimsIsWarnedAbout() {
        #expect(EndpointResolver.warning(region: "us-esat-1") == nil)
        #expect(EndpointResolver.warning(region: "atlantis-1")?.contains("atlantis-1") == true)
        #expect(EndpointResolver.warning(region: "us-gov-west-x")?.contains("amazonaws.com") == true)
    }

    private let config = """
        [default]
        services = local
        endpoint_url = https://profile.example
        [services local]
        kinesis =
          endpoint_url = https://section.example:8443
        """

    @Test(arguments: [
        (
            ["AWS_ENDPOINT_URL_KINESIS": "https://one.example", "AWS_ENDPOINT_URL": "https://all.example"],
            "one.example"
        ),
        (["AWS_ENDPOINT_URL": "https://all.example", "AWS_ENDPOINT_URL_S3": "https://s3.example"], "all.example"),
        ([:], "section.example"),
        (["AWS_ENDPOINT_URL_KINESIS": ""], "section.example"),
        (["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"], "kinesis.us-east-1.amazonaws.com"),
        (["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false"], "section.example"),
    ])
    func configuredURLsComeInBotocoresOrder(_ variables: [String: String], _ host: String) throws {
        let found = try resolver(variables, config: config).endpoint(service: .kinesis, region: "us-east-1")
        #expect(found.host == host)
        #expect(found.isCustom == !host.hasSuffix("amazonaws.com"))
        #expect(found.region == "us-east-1" && found.signingName == "kinesis")
    }

    @Test func aServiceThatTheSectionDoesNotNameGetsTheProfilesURL() throws {
        #expect(try resolver(config: config).endpoint(service: .s3, region: "us-east-1").host == "profile.example")
        let ignoring = config.replacing("services = local", with: "ignore_configured_endpoint_urls = true")
        #expect(
            try resolver(config: ignoring).endpoint(service: .s3, region: "us-east-1").host
                == "s3.us-east-1.amazonaws.com")
    }

    @Test func everyServiceHasItsVariable() throws {
        let names = [
            "AWS_ENDPOINT_URL_KINESIS", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL_SSO",
            "AWS_ENDPOINT_URL_SSO_OIDC", "AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_REDSHIFT_DATA",
        ]
        #expect(AWSService.allCases.map(\.endpointVariable) == names)
    }

    @Test(arguments: ["http://localhost:4566", "http://127.0.0.1", "http://127.9.8.7:1/", "http://[::1]:4566"])
    func httpIsAcceptedForLoopback(_ url: String) throws {
        let found = try resolver(["AWS_ENDPOINT_URL": url]).endpoint(service: .s3, region: "us-east-1")
        #expect(found.scheme == "http" && found.isCustom)
    }

    @Test(arguments: [
        ("http://minio.example:9000", "loopback"), ("http://127.0.0.1.evil.example", "loopback"),
        ("http://0x7f.0.0.1", "loopback"), ("http://127.1", "loopback"), ("http://127.0.0.256", "loopback"),
        ("http://169.254.169.254", "loopback"), ("http://localhost.evil", "loopback"), ("ftp://x", "scheme"),
        ("minio:9000", "https://"), ("https://user:PLANTED@x", "user name"), ("https://x/path", "path"),
        ("https://x?q=PLANTED", "query"), ("https://x#PLANTED", "fragment"), ("https://x:0", "port"),
        ("https://x:65536", "port"), ("https://x:", "port"), ("https://", "no host"), ("https://a b", "spaces"),
        ("https://x\r\nHost: y", "spaces"), ("https://[::1", "closing"), ("https://[x]", "IPv6"),
    ])
    func badEndpointURLsAreRefused(_ url: String, _ says: String) throws {
        let resolver = try resolver(["AWS_ENDPOINT_URL": url])
        let error = try #require(throws: AWSConfigurationError.self) {
            _ = try resolver.endpoint(service: .s3, region: "us-east-1")
        }
        #expect(error.diagnostic.subject == "AWS_ENDPOINT_URL")
        #expect(error.diagnostic.cause.contains(says), "\(error.diagnostic.cause)")
        #expect(!printable(error).contains(plant))
    }

    @Test(arguments: ["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"])
    func aCustomURLTogetherWithFIPSOrDualStackIsAnError(_ name: String) throws {
        let resolver = try resolver([name: "true", "AWS_ENDPOINT_URL": "https://x.example"])
        #expect(throws: AWSConfigurationError.self) { _ = try resolver.endpoint(service: .s3, region: "us-east-1") }
    }

    @Test func profileSettingsTurnFIPSAndDualStackOn() throws {
        let text = "[default]\nuse_fips_endpoint = true\nuse_dualstack_endpoint = true"
        #expect(
            try resolver(config: text).endpoint(service: .s3, region: "us-east-1").host
                == "s3-fips.dualstack.us-east-1.amazonaws.com")
        #expect(
            try resolver(["AWS_USE_FIPS_ENDPOINT": "false"], config: text).endpoint(service: .s3, region: "us-east-1")
                .host == "s3.dualstack.us-east-1.amazonaws.com")
    }

    @Test(arguments: [
        (["AWS_USE_FIPS_ENDPOINT": "yes"], "[default]", "AWS_USE_FIPS_ENDPOINT"),
        ([:], "[default]\nuse_dualstack_endpoint = 1", "/home/op/.aws/config:2"),
        ([:], "[default]\nservices = gone", "kinesis"),
        ([:], "[default]\nendpoint_url = nonsense", "/home/op/.aws/config:2"),
    ])
    func badSettingsAreToldByPlace(_ variables: [String: String], _ config: String, _ subject: String) throws {
        let resolver = try resolver(variables, config: config)
        let error = try #require(throws: AWSConfigurationError.self) {
            _ = try resolver.endpoint(service: .kinesis, region: "us-east-1")
        }
        #expect(error.diagnostic.subject == subject)
    }

    @Test func aRegionThatWouldMoveTheHostIsRefused() throws {
        let resolver = try resolver()
        #expect(throws: AWSConfigurationError.self) {
            _ = try resolver.endpoint(service: .s3, region: "x.evil.example/")
        }
    }
}
