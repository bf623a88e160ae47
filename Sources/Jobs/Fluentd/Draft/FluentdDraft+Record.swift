// What a record holds: the parser of the source and the formatter of the output, taken together. `record: fluentd` is
// chosen only where its bytes are those that consumers get now.

extension FluentdDraft {
    /// What the source makes of a line.
    private enum Parsed { case syslog, raw, json, other }

    mutating func readRecord(_ flow: FluentdFlow, _ ledger: inout FluentdLedger) {
        let parsed = readParser(flow.source, &ledger)
        let formatSections = flow.output.sections(named: "format")
        for section in formatSections { ledger.add(section, as: .format) }
        for section in flow.output.sections(named: "inject") { ledger.add(section, as: .inject) }
        readCompression(&ledger)
        let sendsLine = readFormatter(parsed, hasSection: !formatSections.isEmpty, &ledger)
        readKeepTime(parsed, hasSection: !flow.source.sections(named: "parse").isEmpty, &ledger)
        switch parsed {
        case .syslog:
            if !sendsLine { return }
            block("the record is one field of the parsed line, which Sluice does not cut out; see `record: line`")
        case .raw where sendsLine:
            record = .line
            comments["record"] = "the line as it is, as before"
        case .raw:
            record = .line
            comments["record"] = "the line as it is; Fluentd sent {\"message\":\"<line>\"}: change the consumer"
        case .json:
            record = .line
            comments["record"] = "the lines are JSON already"
        case .other: break
        }
    }

    private mutating func readParser(_ source: FluentdSection, _ ledger: inout FluentdLedger) -> Parsed {
        let inside = ledger.take(.parse, "@type", "type")
        let flat = ledger.take(.source, "format")
        guard let setting = inside ?? flat else {
            block("the source has no format: Fluentd does not start with it")
            return .other
        }
        let scope: FluentdLedger.Scope = inside == nil ? .source : .parse
        if inside != nil, let flat { ledger.note(.ignored, .source, flat, "the <parse> section counts") }
        let type = setting.value.text ?? ""
        switch type {
        case "syslog":
            readSyslogSettings(scope, setting, &ledger)
            return .syslog
        case "none":
            ledger.note(
                .mapped, scope, setting, jobFile: "record: line",
                "the raw line is sent; where the output writes JSON, Fluentd sends {\"message\":\"…\"}")
            return .raw
        case "json":
            ledger.note(
                .mapped, scope, setting, jobFile: "record: line",
                "the line is sent as it is; Fluentd takes its `time` out, unless keep_time_key is set")
            return .json
        default:
            let shown = type.hasPrefix("/") ? "a regular expression" : printable(type)
            ledger.add(
                FluentdNote(
                    .refused, setting.place, "\(scope.rawValue) \(setting.key)", "\(shown) is not read by Sluice"))
            block("lines are parsed with \(shown), which Sluice does not do: ship the raw lines with `record: line`")
            return .other
        }
    }

    /// Settings under which `format syslog` gives other records than `record: fluentd`.
    private mutating func readSyslogSettings(
        _ scope: FluentdLedger.Scope, _ format: FluentdSetting, _ ledger: inout FluentdLedger
    ) {
        var reasons: [String] = []
        for key in ["with_priority", "message_format", "time_format"] {
            guard let setting = ledger.peek(scope, key) else { continue }
            let text = setting.value.text ?? ""
            let isUsual =
                switch key {
                case "with_priority": setting.value.flag != true
                case "message_format": text == "rfc3164"
                default: text == "%b %d %H:%M:%S"
                }
            guard !isUsual, let taken = ledger.take(scope, key) else { continue }
            reasons.append(key)
            ledger.note(.mapped, scope, taken, jobFile: "record: line", "such headers are left to the consumer to read")
        }
        for key in ["message_format", "time_format"] where reasons.isEmpty {
            guard let setting = ledger.take(scope, key) else { continue }
            ledger.note(.taken, scope, setting, jobFile: "record: fluentd", "")
        }
        if let setting = ledger.take(scope, "parser_engine", "parser_type") {
            let isUsual = setting.value.text == "regexp"
            ledger.note(
                isUsual ? .taken : .mapped, scope, setting, jobFile: "record: fluentd",
                isUsual ? "" : "records are those of the `regexp` engine: headers without a colon differ")
        }
        if reasons.isEmpty {
            comments["record"] = "the JSON that consumers get now; `record: line` sends the raw line"
            ledger.note(
                .taken, scope, format, jobFile: "record: fluentd",
                "a line that Fluentd drops (\"pattern not matched\") is sent as {\"message\":\"…\"}")
        } else {
            record = .line
            comments["record"] = "the raw line; Fluentd sent JSON: change the consumer"
            ledger.note(
                .mapped, scope, format, jobFile: "record: line",
                "`record: fluentd` knows the default header only, not \(reasons.joined(separator: ", ")): "
                    + "the raw line is sent, and the consumer parses it")
        }
    }

    private mutating func readKeepTime(_ parsed: Parsed, hasSection: Bool, _ ledger: inout FluentdLedger) {
        for scope in [FluentdLedger.Scope.parse, .source] {
            guard let setting = ledger.take(scope, "keep_time_key") else { continue }
            guard parsed == .syslog, record == .fluentd, scope == .parse || !hasSection else {
                ledger.note(.ignored, scope, setting, "the line is sent as it is")
                continue
            }
            keepsTimeKey = setting.value.flag == true
            comment("fluentd.keep_time_key", setting)
            ledger.note(
                .taken, scope, setting, jobFile: "fluentd.keep_time_key: \(keepsTimeKey)",
                keepsTimeKey
                    ? "blanks as Fluentd 1.12 and newer write them: `Nov 2`, where older ones keep `Nov  2`" : "")
        }
    }

    private mutating func readCompression(_ ledger: inout FluentdLedger) {
        if let setting = ledger.take(.match, "compression", "zlib_compression") {
            let isOn =
                setting.key == "compression" ? !["", "none"].contains(setting.value.text) : setting.value.flag == true
            ledger.note(isOn ? .refused : .ignored, .match, setting, isOn ? "records are not compressed" : "off")
            if isOn { block("consumers of this stream expect compressed records, which Sluice does not write") }
        }
    }

    /// - Returns: true when the record is the text of one field and not JSON.
    private mutating func readFormatter(
        _ parsed: Parsed, hasSection: Bool, _ ledger: inout FluentdLedger
    ) -> Bool {
        var sendsField = false
        if let setting = ledger.take(.match, "data_key") {
            sendsField = true
            ledger.note(
                parsed == .raw ? .mapped : .refused, .match, setting, jobFile: parsed == .raw ? "record: line" : nil,
                "the record is the text of one field")
        }
        let scope: FluentdLedger.Scope = hasSection ? .format : .match
        if let setting = hasSection ? ledger.take(.format, "@type", "type") : ledger.take(.match, "formatter", "format")
        {
            switch setting.value.text {
            case "json": ledger.note(.taken, scope, setting, jobFile: "record", "")
            case "single_value" where parsed == .raw:
                sendsField = true
                ledger.note(.taken, scope, setting, jobFile: "record: line", "")
            default:
                let type = printable(setting.value.shown)
                ledger.note(.refused, scope, setting, "Sluice writes JSON or the raw line")
                block("records are written as \(type), which Sluice does not do")
            }
        }
        if let setting = ledger.take(.format, "add_newline") {
            if setting.value.flag == false { endsWithNewline = false }
            comment("fluentd.newline", setting)
            ledger.note(.taken, .format, setting, jobFile: "fluentd.newline: \(endsWithNewline)", "")
        }
        if let setting = ledger.take(.format, "newline") {
            let isUsual = setting.value.text == "lf"
            ledger.note(isUsual ? .taken : .refused, .format, setting, isUsual ? "" : "records end with LF or nothing")
        }
        return sendsField
    }
}
