// How payloads become rows, as the `transform` part of a job file says it. Rows are a pure function of the record
// and these settings, so a batch's settings are stored with it and used again when it is replayed.

package import Diagnostics

/// The `transform` part of a job file. Coded with the job file's key names; absent keys have their default.
package struct TransformSettings: Codable, Sendable, Equatable {
    /// Which header is expected. `auto` tells them apart line by line.
    package enum Format: String, Codable, CaseIterable, Sendable {
        case auto, rfc3164, rfc5424, fluentd, json, lines
    }

    /// When the line as it came is kept beside the columns.
    package enum RawLine: String, Codable, CaseIterable, Sendable {
        /// When the columns do not say all of it: every status but `ok`, and lines with bytes that had to be replaced.
        case failed
        case always
        case never
    }

    package static let defaultDrupalFormat =
        "!base_url|!timestamp|!type|!ip|!request_uri|!referer|!uid|!link|!message"

    package var format: Format
    /// IANA zone of timestamps that carry none.
    package var timezone: String
    /// Drupal's `syslog_format` as the sites have it.
    package var drupalFormat: String
    /// Site id by host of the base URL; see `SiteTable` for the forms a key may have.
    package var sites: [String: String]
    package var rawLine: RawLine

    package init(
        format: Format = .auto, timezone: String = "UTC", drupalFormat: String = Self.defaultDrupalFormat,
        sites: [String: String] = [:], rawLine: RawLine = .failed
    ) {
        self.format = format
        self.timezone = timezone
        self.drupalFormat = drupalFormat
        self.sites = sites
        self.rawLine = rawLine
    }

    private enum CodingKeys: String, CodingKey {
        case format, timezone, sites
        case drupalFormat = "drupal_format"
        case rawLine = "raw_line"
    }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init()
        format = try values.decodeIfPresent(Format.self, forKey: .format) ?? format
        timezone = try values.decodeIfPresent(String.self, forKey: .timezone) ?? timezone
        drupalFormat = try values.decodeIfPresent(String.self, forKey: .drupalFormat) ?? drupalFormat
        sites = try values.decodeIfPresent([String: String].self, forKey: .sites) ?? sites
        rawLine = try values.decodeIfPresent(RawLine.self, forKey: .rawLine) ?? rawLine
    }
}

/// Settings that no transformer can be made of.
package enum TransformSettingsError: DiagnosticError, Equatable {
    case unknownTimeZone(String)
    case drupalFormat(String, problem: String)

    package var diagnostic: Diagnostic {
        switch self {
        case .unknownTimeZone(let name):
            Diagnostic(
                operation: "read transform settings", subject: "timezone", cause: "no time zone is named '\(name)'",
                hint: "use an IANA name such as UTC or Europe/Berlin")
        case .drupalFormat(let template, let problem):
            Diagnostic(
                operation: "read transform settings", subject: "drupal_format '\(template)'", cause: problem,
                hint: "copy the value of Drupal's syslog_format, with its !placeholders")
        }
    }

    package var exitCode: ExitCode { .jobFileInvalid }
    package var isTransient: Bool { false }
}
