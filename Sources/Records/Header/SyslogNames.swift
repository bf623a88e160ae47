// The names that stand for syslog's numbers, in rows and in JSON records.

/// The names of facilities and severities (RFC 5424 tables 1 and 2, with the short names of syslog.conf).
enum SyslogNames {
    static let severities: [StaticString] = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"]

    private static let facilities: [StaticString] = [
        "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp",
        "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
    ]

    /// A code as number or name; nil for anything else.
    static func severity(_ text: Bytes) -> Int? {
        if let code = code(text, severities) { return code }
        for (name, code) in severityAliases where text.equals(name) { return code }
        return nil
    }

    static func facility(_ text: Bytes) -> Int? { code(text, facilities) }

    private static let severityAliases: [(StaticString, Int)] = [
        ("emergency", 0), ("panic", 0), ("critical", 2), ("error", 3), ("warn", 4), ("informational", 6),
    ]

    private static func code(_ text: Bytes, _ names: [StaticString]) -> Int? {
        if let (value, end) = text.number(at: 0, digitCountMax: 2), end == text.count {
            return value < names.count ? value : nil
        }
        return names.firstIndex { text.equals($0) }
    }
}
