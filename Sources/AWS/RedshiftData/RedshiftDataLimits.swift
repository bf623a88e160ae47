/// Documented limits of the Data API.
/// https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html, "Considerations when calling the Amazon Redshift
/// Data API"; members: https://docs.aws.amazon.com/redshift-data/latest/APIReference/
package enum RedshiftDataLimits {
    /// Bytes of one statement's text.
    package static let statementBytesMax = 100_000
    /// Statements of one batch, which is one transaction.
    package static let statementsMax = 40
    /// Bytes of one whole result; a larger one makes its statement fail.
    package static let resultBytesMax = 500 << 20
    /// Characters of a client token.
    package static let clientTokenLengthMax = 64
    /// A statement that runs longer is ended by the service.
    package static let statementLife = Duration.seconds(24 * 3_600)
    /// Characters of a statement's name.
    package static let statementNameLengthMax = 2_048

    /// One page of a result: fits an answer of the service several times over.
    static let pageBytesMax = 128 << 20
    /// Pages that are read of one result.
    package static let pagesMax = 1_000
}
