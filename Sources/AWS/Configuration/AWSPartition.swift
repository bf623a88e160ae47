// The partitions of AWS: groups of regions with their own accounts and DNS suffixes. The list is botocore's
// partitions.json; a region that no partition claims is treated as one of `aws`, as botocore does.

package struct AWSPartition: Sendable, Equatable {
    package let name: String
    package let dnsSuffix: String
    package let dualStackSuffix: String
    /// What stands before the last two parts of a region's name: `us` in us-east-1, `us-gov` in us-gov-west-1.
    private let regionPrefixes: [String]

    private init(_ name: String, _ regionPrefixes: [String], _ dnsSuffix: String, _ dualStackSuffix: String) {
        self.name = name
        self.regionPrefixes = regionPrefixes
        self.dnsSuffix = dnsSuffix
        self.dualStackSuffix = dualStackSuffix
    }

    package static let standard = AWSPartition(
        "aws", ["us", "eu", "ap", "sa", "ca", "me", "af", "il", "mx"], "amazonaws.com", "api.aws")

    static let all: [AWSPartition] = [
        standard,
        AWSPartition("aws-cn", ["cn"], "amazonaws.com.cn", "api.amazonwebservices.com.cn"),
        AWSPartition("aws-us-gov", ["us-gov"], "amazonaws.com", "api.aws"),
        AWSPartition("aws-eusc", ["eusc-de"], "amazonaws.eu", "api.amazonwebservices.eu"),
        AWSPartition("aws-iso", ["us-iso"], "c2s.ic.gov", "api.aws.ic.gov"),
        AWSPartition("aws-iso-b", ["us-isob"], "sc2s.sgov.gov", "api.aws.scloud"),
        AWSPartition("aws-iso-e", ["eu-isoe"], "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"),
        AWSPartition("aws-iso-f", ["us-isof"], "csp.hci.ic.gov", "api.aws.hci.ic.gov"),
    ]

    /// The partition whose naming rule `region` follows; nil when none does.
    package static func claiming(region: String) -> AWSPartition? {
        let parts = region.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count >= 3, let number = parts.last, let direction = parts.dropLast().last,
            !number.isEmpty, number.utf8.allSatisfy({ (48...57).contains($0) }), !direction.isEmpty
        else { return nil }
        let prefix = parts.dropLast(2).joined(separator: "-")
        return all.first { $0.regionPrefixes.contains(prefix) }
    }
}
