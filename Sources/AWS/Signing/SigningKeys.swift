// The signing key is the same for a day: it is derived from secret key, date, region and service by four HMACs, which is
// half of what signing a small request costs. Kept in memory only, like the secret key itself.

import Crypto
import Synchronization

/// What a signing key is derived from.
struct SigningKeyScope: Equatable {
    var secret: Secret
    /// `20150830`.
    var date: String
    var region: String
    var service: String

    fileprivate func derive() -> SymmetricKey {
        var key = SymmetricKey(data: Array("AWS4\(secret.revealed)".utf8))
        for part in [date, region, service, "aws4_request"] {
            key = SymmetricKey(data: HMAC<SHA256>.authenticationCode(for: Array(part.utf8), using: key))
        }
        return key
    }
}

/// Remembers the key that was derived last.
package final class SigningKeys: Sendable {
    private let last = Mutex<(scope: SigningKeyScope, key: SymmetricKey)?>(nil)

    package init() {}

    func key(_ scope: SigningKeyScope) -> SymmetricKey {
        last.withLock { last in
            if let last, last.scope == scope { return last.key }
            let key = scope.derive()
            last = (scope, key)
            return key
        }
    }
}
