/// Gives credentials that are good now. Implementations cache and refresh; calls may come from many tasks at once.
package protocol CredentialProvider: Sendable {
    /// Credentials that outlive a request sent now. Throws an error that names the source that failed and why.
    func credentials() async throws -> Credentials
    /// The service refused `rejected` as expired or unknown: the next call must fetch anew, unless that has
    /// already happened.
    func invalidate(_ rejected: Credentials) async
}
