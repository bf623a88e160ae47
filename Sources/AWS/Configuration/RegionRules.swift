// Which region is in force, and whether a text can be one. A region becomes part of a host name, so anything that is
// not a DNS label is refused: `us-east-1.evil.example/` must not choose where credentials are sent.

package enum RegionRules {
    /// The first that is set: `explicit`, AWS_REGION, AWS_DEFAULT_REGION, the profile's `region`.
    package static func region(
        explicit: String?, environment: AWSEnvironment, configuration: SharedConfiguration
    ) throws(AWSConfigurationError) -> String {
        let found: (text: String, origin: String)? =
            if let explicit, !explicit.isEmpty {
                (explicit, "the job file")
            } else if let text = environment.variable("AWS_REGION") {
                (text, "AWS_REGION")
            } else if let text = environment.variable("AWS_DEFAULT_REGION") {
                (text, "AWS_DEFAULT_REGION")
            } else if let value = configuration.currentProfile.values["region"], !value.text.isEmpty {
                (value.text, "\(value.file):\(value.line)")
            } else {
                nil
            }
        guard let found else {
            throw AWSConfigurationError(
                "find the AWS region", "", "no region is set",
                hint: "set `region` in the job file, or AWS_REGION, or `region` in the profile "
                    + "\(configuration.profileName) of \(configuration.configPath)")
        }
        try validate(found.text, origin: found.origin)
        return found.text
    }

    /// Throws unless `region` is one DNS label and not one of the pseudo regions of older tools.
    package static func validate(_ region: String, origin: String) throws(AWSConfigurationError) {
        guard isDNSLabel(region) else {
            throw AWSConfigurationError(
                "use the AWS region of", origin, "the text is not a region: a region is one DNS label",
                hint: "write it like us-east-1")
        }
        if region.hasPrefix("fips-") || region.hasSuffix("-fips") {
            throw AWSConfigurationError(
                "use the AWS region of", origin, "\(region) is a pseudo region",
                hint: "write the plain region and set AWS_USE_FIPS_ENDPOINT=true")
        }
        if region.hasSuffix("-global") {
            throw AWSConfigurationError(
                "use the AWS region of", origin, "\(region) is a pseudo region",
                hint: "write a real one, like us-east-1")
        }
    }

    /// RFC 1123 section 2.1, lower case: letters, digits and inner hyphens, at most 63.
    static func isDNSLabel(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard (1...63).contains(bytes.count), bytes.first != 0x2D, bytes.last != 0x2D else { return false }
        return bytes.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
    }
}
