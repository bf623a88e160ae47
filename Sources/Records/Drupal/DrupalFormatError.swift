// What can be wrong with a `drupal_format`.

package import Diagnostics

/// A `drupal_format` that no text can be split by.
package struct DrupalFormatError: DiagnosticError, Equatable {
    package enum Kind: Sendable, Equatable {
        case empty
        case tooLong
        /// No token that Drupal knows is in it.
        case noToken
        case repeatedToken(String)
        /// Nothing stands between two tokens, so nothing says where one value ends.
        case adjacentTokens(String, String)
        /// syslog ends a message at a line feed.
        case lineFeed
    }

    package let kind: Kind
    private let template: String

    init(_ kind: Kind, template: String) {
        self.kind = kind
        self.template = template
    }

    package var exitCode: ExitCode { .jobFileInvalid }
    package var isTransient: Bool { false }

    package var diagnostic: Diagnostic {
        Diagnostic(operation: "read drupal_format", subject: template, cause: cause, hint: hint)
    }

    private var cause: String {
        switch kind {
        case .empty: "the format is empty"
        case .tooLong: "the format is longer than \(DrupalFormat.byteCountMax) bytes"
        case .noToken: "the format has none of Drupal's tokens"
        case .repeatedToken(let token): "\(token) stands in the format twice"
        case .adjacentTokens(let first, let second): "nothing stands between \(first) and \(second)"
        case .lineFeed: "the format has a line feed, at which syslog ends the message"
        }
    }

    private var hint: String {
        switch kind {
        case .noToken, .empty:
            "copy syslog_format from the site (admin/config/development/logging); tokens are "
                + DrupalField.allCases.map { "\($0.token)" }.joined(separator: " ")
        case .adjacentTokens: "put a character between them that neither value has, such as |"
        case .tooLong, .repeatedToken, .lineFeed:
            "copy syslog_format from the site (admin/config/development/logging)"
        }
    }
}
