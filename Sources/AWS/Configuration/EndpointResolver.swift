// Where a service answers: the first of AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL, the profile's services section
// and the profile's endpoint_url; else the host that the partition's rules give. The rules are those of botocore's
// endpoint rule sets for plain regional hosts (no account-id or stream-ARN hosts: firewalls know the plain ones).

package struct EndpointResolver: Sendable {
    private let environment: AWSEnvironment
    private let configuration: SharedConfiguration

    package init(environment: AWSEnvironment, configuration: SharedConfiguration) {
        self.environment = environment
        self.configuration = configuration
    }

    /// The endpoint of a service in a region. For S3 it is the host without a bucket; how a bucket joins it is the
    /// S3 client's decision.
    package func endpoint(
        service: AWSService, region: String
    ) throws(AWSConfigurationError) -> ServiceEndpoint {
        try RegionRules.validate(region, origin: "the endpoint of \(service.hostPrefix)")
        let usesFIPS = try flag("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint")
        let usesDualStack = try flag("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint")
        if let custom = try configuredURL(service) {
            return try endpoint(service, region, custom, usesFIPS: usesFIPS, usesDualStack: usesDualStack)
        }
        let partition = AWSPartition.claiming(region: region) ?? .standard
        let host = try Self.host(service, region, partition, usesFIPS: usesFIPS, usesDualStack: usesDualStack)
        return ServiceEndpoint(host: host, region: region, signingName: service.signingName)
    }

    /// A line for the log when no partition claims the region, so that a typing error is seen; nil when one does.
    package static func warning(region: String) -> String? {
        guard AWSPartition.claiming(region: region) == nil else { return nil }
        return "region \(region) follows no known naming rule; using \(AWSPartition.standard.dnsSuffix) hosts"
    }

    // MARK: The partition's rules

    static func host(
        _ service: AWSService, _ region: String, _ partition: AWSPartition, usesFIPS: Bool, usesDualStack: Bool
    ) throws(AWSConfigurationError) -> String {
        if service == .s3 {
            guard !(usesFIPS && partition.name == "aws-cn") else {
                throw AWSConfigurationError(
                    "find the endpoint of", "s3 in \(region)", "partition aws-cn has no FIPS endpoints for S3",
                    hint: "unset AWS_USE_FIPS_ENDPOINT")
            }
            let prefix = (usesFIPS ? "s3-fips" : "s3") + (usesDualStack ? ".dualstack" : "")
            return "\(prefix).\(region).\(partition.dnsSuffix)"
        }
        // In us-gov the plain hosts are the FIPS hosts, but for the Redshift Data API and dual stack.
        let isPlainFIPS = partition.name == "aws-us-gov" && !usesDualStack && service != .redshiftData
        let prefix = service.hostPrefix + (usesFIPS && !isPlainFIPS ? "-fips" : "")
        return "\(prefix).\(region).\(usesDualStack ? partition.dualStackSuffix : partition.dnsSuffix)"
    }

    // MARK: Configured endpoints

    /// A URL that somebody wrote down, and where.
    private struct ConfiguredURL {
        var text: String
        var origin: String
    }

    private func configuredURL(_ service: AWSService) throws(AWSConfigurationError) -> ConfiguredURL? {
        if try flag("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls") { return nil }
        for name in [service.endpointVariable, "AWS_ENDPOINT_URL"] {
            if let text = environment.variable(name) { return ConfiguredURL(text: text, origin: name) }
        }
        let profile = configuration.currentProfile
        if let name = profile.values["services"], !name.text.isEmpty {
            guard let section = configuration.services[name.text] else {
                throw AWSConfigurationError(
                    "find the endpoint of", service.hostPrefix,
                    "\(name.file):\(name.line) names services section \(name.text), which does not exist"
                        + configuration.unreadableNote,
                    hint: "add [services \(name.text)] to \(configuration.configPath)")
            }
            if let value = section.values[service.configurationKey]?.nested["endpoint_url"], !value.text.isEmpty {
                return ConfiguredURL(text: value.text, origin: "\(value.file):\(value.line)")
            }
        }
        if let value = profile.values["endpoint_url"], !value.text.isEmpty {
            return ConfiguredURL(text: value.text, origin: "\(value.file):\(value.line)")
        }
        return nil
    }

    private func endpoint(
        _ service: AWSService, _ region: String, _ custom: ConfiguredURL, usesFIPS: Bool, usesDualStack: Bool
    ) throws(AWSConfigurationError) -> ServiceEndpoint {
        func problem(_ cause: String, _ hint: String) -> AWSConfigurationError {
            AWSConfigurationError("use the endpoint URL of", custom.origin, cause, hint: hint)
        }
        guard !usesFIPS, !usesDualStack else {
            throw problem(
                "an endpoint URL and \(usesFIPS ? "FIPS" : "dual-stack") endpoints cannot both be asked for",
                "unset one of them, or set AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true")
        }
        let url: EndpointURL
        do {
            url = try EndpointURL(custom.text)
        } catch {
            throw problem(error.text, "write it like https://host:port")
        }
        guard url.path.isEmpty || url.path == "/", url.query == nil else {
            throw problem("an endpoint URL with a path or query is not supported", "write it like https://host:port")
        }
        guard url.scheme == "https" || EndpointURL.isLoopback(url.host) else {
            throw problem(
                "http is accepted for loopback hosts only (localhost, 127.0.0.0/8, ::1), not for \(url.host)",
                "use https: requests carry credentials and log data")
        }
        return ServiceEndpoint(
            scheme: url.scheme, host: url.host, port: url.port, region: region, signingName: service.signingName,
            isCustom: true)
    }

    /// A setting that is `true` or `false`: the variable, else the profile's key.
    private func flag(_ variable: String, _ key: String) throws(AWSConfigurationError) -> Bool {
        let found: (text: String, origin: String)? =
            if let text = environment.variable(variable) {
                (text, variable)
            } else if let value = configuration.currentProfile.values[key], !value.text.isEmpty {
                (value.text, "\(value.file):\(value.line)")
            } else {
                nil
            }
        switch found?.text.lowercased() {
        case nil, "false": return false
        case "true": return true
        default:
            throw AWSConfigurationError(
                "read the setting", found?.origin ?? variable, "it is neither true nor false",
                hint: "write true or false")
        }
    }
}
