package import CivilTime

/// Text that must never be printed: it has no description, no debug text and no mirror children.
package struct Secret: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The text itself: for signing and for the wire only.
    package let revealed: String
    package init(_ text: String) { revealed = text }
    package var description: String { "<secret>" }
    package var debugDescription: String { "<secret>" }
    package var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// One set of keys, frozen: a request is signed with all three parts from the same set.
package struct Credentials: Sendable, Equatable {
    package var accessKeyID: String
    package var secretAccessKey: Secret
    package var sessionToken: Secret?
    /// Nil for keys that do not expire.
    package var expiration: Timestamp?
    /// Where they came from, for messages: `environment`, `profile web`, `instance metadata`.
    package var source: String

    package init(
        accessKeyID: String, secretAccessKey: Secret, sessionToken: Secret? = nil, expiration: Timestamp? = nil,
        source: String
    ) {
        self.accessKeyID = accessKeyID
        self.secretAccessKey = secretAccessKey
        self.sessionToken = sessionToken
        self.expiration = expiration
        self.source = source
    }
}
