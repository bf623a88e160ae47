// The values that Drupal's syslog module knows (modules/syslog/syslog.module of Drupal 7; `!severity` since Drupal 8),
// and which of them can be told by their form alone.

/// One token of a `syslog_format`.
enum DrupalField: Int, CaseIterable {
    case baseURL, timestamp, type, ip, requestURI, referer, uid, link, message, severity

    var token: StaticString {
        switch self {
        case .baseURL: "!base_url"
        case .timestamp: "!timestamp"
        case .type: "!type"
        case .ip: "!ip"
        case .requestURI: "!request_uri"
        case .referer: "!referer"
        case .uid: "!uid"
        case .link: "!link"
        case .message: "!message"
        case .severity: "!severity"
        }
    }

    /// A value of this field has a form that other text hardly has.
    var isAnchor: Bool {
        switch self {
        case .baseURL, .timestamp, .uid, .requestURI: true
        case .type, .ip, .referer, .link, .message, .severity: false
        }
    }

    /// The client of the site chooses the value, or much of it.
    var isHostile: Bool {
        switch self {
        case .ip, .requestURI, .referer: true
        case .baseURL, .timestamp, .type, .uid, .link, .message, .severity: false
        }
    }

    var isDigits: Bool { self == .timestamp || self == .uid || self == .severity }

    /// Header values and what Drupal computes hold no line feed; a text that the site's code writes may.
    var mayHoldLineFeed: Bool { self == .type || self == .link || self == .message }

    /// How many separators a value may hold before the search for readings gives it up.
    var separatorCountMax: Int {
        switch self {
        case .baseURL, .timestamp, .uid, .severity: 0
        case .type, .ip: 8
        case .link: 3
        case .requestURI, .referer, .message: .max
        }
    }
}

/// What a message says in Drupal's own fields: slices of it, valid as long as its bytes. Empty is absent.
package struct DrupalFields {
    package internal(set) var baseURL: UnsafeRawBufferPointer
    package internal(set) var type: UnsafeRawBufferPointer
    package internal(set) var ip: UnsafeRawBufferPointer
    package internal(set) var requestURI: UnsafeRawBufferPointer
    package internal(set) var referer: UnsafeRawBufferPointer
    package internal(set) var link: UnsafeRawBufferPointer
    package internal(set) var message: UnsafeRawBufferPointer
    /// Seconds since 1970, as the web server's clock had it.
    package internal(set) var timestamp: Int64?
    package internal(set) var uid: Int64?
    /// 0...7
    package internal(set) var severity: Int?
}

/// What a message is, seen as one that Drupal wrote.
package enum DrupalVerdict {
    /// Nothing of the format is in it: another program's message, or a further line of a Drupal message. Only the
    /// program's name can tell the two apart.
    case notDrupal
    /// There is one reading that is much more plausible than all others.
    case ok(DrupalFields)
    /// There are several plausible readings; the fields are those of the most probable one.
    case ambiguous(DrupalFields)
    /// The text ends before the last field: the fields that are there.
    case partial(DrupalFields)
    /// A line known to belong to the message before it.
    case continuation
}
