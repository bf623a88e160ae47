// Every IAM action that this program can need, and what a call needs besides its own. An operation names its action in
// `AWSCall.permission`; what follows from its headers stands here, in `Companion`. A test compares this list with the
// operations, so that a new call cannot be left out of `sluice policy`.

/// https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
package enum Permission: String, Sendable, CaseIterable, Comparable {
    case describeStreamSummary = "kinesis:DescribeStreamSummary"
    case getRecords = "kinesis:GetRecords"
    case getShardIterator = "kinesis:GetShardIterator"
    case listShards = "kinesis:ListShards"
    case putRecords = "kinesis:PutRecords"
    /// Reading what a KMS key encrypted: records of a stream, objects.
    case decrypt = "kms:Decrypt"
    /// Storing under a KMS key.
    case generateDataKey = "kms:GenerateDataKey"
    /// GET and HEAD of an object.
    case getObject = "s3:GetObject"
    /// Listing; also what lets S3 say 404 instead of 403 of a key that does not exist.
    case listBucket = "s3:ListBucket"
    case putObject = "s3:PutObject"
    /// A PUT that brings tags.
    case putObjectTagging = "s3:PutObjectTagging"
    /// Temporary credentials of a database user of a cluster, which the Data API fetches for its caller.
    case clusterCredentials = "redshift:GetClusterCredentials"
    case batchExecuteStatement = "redshift-data:BatchExecuteStatement"
    case describeStatement = "redshift-data:DescribeStatement"
    case executeStatement = "redshift-data:ExecuteStatement"
    case getStatementResult = "redshift-data:GetStatementResult"
    /// The same for a serverless workgroup.
    case workgroupCredentials = "redshift-serverless:GetCredentials"
    /// Name and password of a database user.
    case secretValue = "secretsmanager:GetSecretValue"

    package static func < (a: Permission, b: Permission) -> Bool { a.rawValue < b.rawValue }
}

/// An action that a call needs besides its own.
package struct Companion: Sendable, Equatable {
    package var permission: Permission
    /// Completes "allow ACTION …".
    package var reason: String

    /// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html, "Permissions"
    static let listBucket = Companion(
        permission: .listBucket, reason: "on the bucket, as S3 says 403 of a missing key without it")
    static let tagging = Companion(permission: .putObjectTagging, reason: "for its tags")
    /// https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
    static let compareETag = Companion(permission: .getObject, reason: "to compare the ETag")
    /// https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
    static let encrypt = Companion(permission: .generateDataKey, reason: "on its KMS key")
    /// https://docs.aws.amazon.com/redshift/latest/mgmt/data-api-access.html
    static let clusterCredentials = Companion(permission: .clusterCredentials, reason: "on the database user")
    static let workgroupCredentials = Companion(permission: .workgroupCredentials, reason: "on the workgroup")
    static let secretValue = Companion(permission: .secretValue, reason: "on the secret")
}
