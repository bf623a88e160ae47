// The `destination:` of an archive job: bucket, prefixes, and what S3 is told about each object.

import Batching
import Diagnostics

extension ArchiveJobFile.Destination {
    /// Nil only when something was reported.
    init?(_ top: Section, jobName: String, sourceRegion: String, known: [String: [String]]) {
        let example = "destination: {bucket: acme-logs, prefix: \"drupal/dt={date}/\"}"
        let section = top.section("destination", known: known, example: example)
        bucket =
            section.checked(
                section.requiredScalar("bucket", example: "bucket: acme-logs"), isNot: "a bucket name",
                remedy: "3 to 63 characters of a-z, 0-9, - and ., without s3:// and without a path",
                accepts: Names.isBucket) ?? ""
        region = section.region(fallback: sourceRegion) ?? ""
        let prefix = Self.prefix(section)
        controlPrefix =
            section.checked(
                section.scalar("control_prefix"), isNot: "a fixed prefix that ends with /",
                remedy: "letters, digits, - _ . = and single /, no placeholders: _sluice/\(jobName)/",
                accepts: Names.isKeyPrefix) ?? "_sluice/\(jobName)/"
        partitionTime = section.choice("partition_time", default: .arrival)
        storageClass = section.choice("storage_class", accepted: Self.storageClasses)
        sse = section.choice("sse", accepted: ["AES256", "aws:kms", "aws:kms:dsse"])
        kmsKeyID = section.scalar("kms_key_id").map(\.text)
        tags = Self.tags(section)
        expectedBucketOwner = section.checked(
            section.scalar("expected_bucket_owner"), isNot: "an account number",
            remedy: "give the 12 digits of the account that owns the bucket", accepts: Names.isAccount)
        pathStyle = section.flag("path_style")
        guard let prefix else { return nil }
        self.prefix = prefix
        checkTogether(section)
    }

    /// S3 API, PutObject, x-amz-storage-class: the classes that a bucket in a region takes.
    private static let storageClasses = [
        "STANDARD", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE",
        "REDUCED_REDUNDANCY",
    ]

    private static func prefix(_ section: Section) -> PrefixTemplate? {
        guard let value = section.requiredScalar("prefix", example: "prefix: \"drupal/dt={date}/hour={hour}/\"") else {
            return nil
        }
        do throws(PrefixTemplateError) {
            return try PrefixTemplate(value.text)
        } catch {
            section.reader.add(value, error.diagnostic.cause, remedy: error.diagnostic.hint)
            return nil
        }
    }

    /// At most 10 tags, keys of 128 and values of 256 characters (Amazon S3 User Guide, object tagging).
    private static func tags(_ section: Section) -> [String: String] {
        var tags: [String: String] = [:]
        for (key, value) in section.textMap("tags", example: "tags: {team: web}", countMax: 10) {
            let isKeyGood = (1...128).contains(key.text.utf16.count) && !key.text.lowercased().hasPrefix("aws:")
            if !isKeyGood || value.text.utf16.count > 256 {
                section.reader.add(
                    key, "is not a tag that S3 takes",
                    remedy: "keys have 1 to 128 characters and do not begin with aws:, values at most 256")
            }
            tags[key.text] = value.text
        }
        return tags
    }

    /// Rules that involve two keys.
    private func checkTogether(_ section: Section) {
        if kmsKeyID != nil, sse == nil || sse == "AES256" {
            section.reader.add(
                section.place(of: "kms_key_id"), key: section.key("kms_key_id"),
                "is of no use without KMS encryption", remedy: "add `sse: aws:kms`, or take kms_key_id out")
        }
        let literal = prefix.literalPrefix
        if literal.hasPrefix(controlPrefix) {
            section.reader.add(
                section.place(of: "prefix"), key: section.key("prefix"),
                "lies inside the control prefix \(controlPrefix)",
                remedy: "keep rows and manifests apart: give another prefix or control_prefix")
        }
    }
}
