// What the settings of the Kinesis outputs become, over their generations: `kinesis` (0.x), `kinesis_streams` with flat
// buffer settings (1 and 2), and with <buffer> (3).

extension FluentdDraft {
    mutating func read(output: FluentdSection, _ ledger: inout FluentdLedger) {
        ledger.add(output, as: .match)
        for section in output.sections(named: "buffer") { ledger.add(section, as: .buffer) }
        readSections(output, &ledger)
        let type = output.type ?? ""
        aggregatesKPL = type == "kinesis_streams_aggregated" || type == "kinesis_producer"
        if let setting = ledger.take(.match, "@type", "type") {
            if aggregatesKPL {
                comment("destination.aggregate", setting)
                ledger.note(
                    .mapped, .match, setting, jobFile: "destination.aggregate: kpl",
                    "several records in one, as the Kinesis Producer Library packs them")
            } else {
                ledger.note(.taken, .match, setting, jobFile: "job: ship", "")
            }
        }
    }

    mutating func readTarget(_ flow: FluentdFlow, _ ledger: inout FluentdLedger) {
        if let setting = ledger.take(.match, "stream_name") {
            if let text = resolved(setting.value, tag: flow.tag.text) {
                stream = text
                comment("destination.stream", setting)
                ledger.note(.taken, .match, setting, jobFile: "destination.stream", "")
            } else {
                ledger.note(.refused, .match, setting, "one job ships to one stream, whose name must be known")
                block("the name of the stream is made while Fluentd runs (\(setting.place))")
            }
        } else {
            block("the output has no stream_name")
        }
        if let setting = ledger.take(.match, "region") {
            region = setting.value.jobFileText
            comment("destination.region", setting)
            ledger.note(
                region == nil ? .refused : .taken, .match, setting, jobFile: "destination.region",
                region == nil ? "only Fluentd can tell it: write it into the job file" : "")
        } else {
            ledger.noteUnset(
                "match region", jobFile: "", "the region comes from AWS_REGION, as with Fluentd; a job file may name it"
            )
        }
    }

    /// `${tag}` is known; other placeholders are not.
    private func resolved(_ value: FluentdValue, tag: String) -> String? {
        if let text = value.text {
            let name = text.replacing("${tag}", with: tag)
            return name.contains("${") || name.contains("%") || !Names.isStreamName(name) ? nil : name
        }
        return value.jobFileText
    }

    private func readSections(_ output: FluentdSection, _ ledger: inout FluentdLedger) {
        for section in output.sections where !["buffer", "format", "inject"].contains(section.name) {
            if let advice = fluentdCredentialSections[section.name] {
                ledger.add(FluentdNote(.refused, section.place, section.title, advice))
            } else if section.name == "secondary" {
                ledger.add(
                    FluentdNote(
                        .ignored, section.place, section.title,
                        "records are sent until they are stored; one that the service refuses is kept in dead-letter.ndjson"
                    ))
            } else if section.name == "kinesis_producer" {
                ledger.add(
                    FluentdNote(
                        .ignored, section.place, section.title,
                        "tunes the library that sends; unlike it, Sluice drops no record after record_ttl"))
            } else {
                ledger.add(FluentdNote(.refused, section.place, section.title, "is not a section that Sluice knows"))
            }
        }
    }

    mutating func readPartitionKey(_ ledger: inout FluentdLedger) {
        comments["destination.partition_key"] = "even over the shards like a random one, and tells duplicates"
        let even = "spreads evenly as well, and is the same when a record is sent again: a duplicate can be told"
        var isGiven = false
        for key in ["partition_key", "partition_key_expr", "random_partition_key", "fixed_partition_key"] {
            guard let setting = ledger.take(.match, key) else { continue }
            isGiven = true
            if key == "random_partition_key", setting.value.flag == true {
                ledger.note(.mapped, .match, setting, jobFile: "destination.partition_key: source", even)
            } else {
                ledger.note(
                    .mapped, .match, setting, jobFile: "destination.partition_key: source",
                    "records are spread over all shards: those of one value no longer share a shard")
            }
        }
        if !isGiven {
            ledger.noteUnset(
                "match partition_key", jobFile: "destination.partition_key: source",
                "the plugin takes a random one; `source` \(even)")
        }
    }

    /// Whether records end with LF: it tells the generations of the plugin apart, which no setting names.
    mutating func readNewline(_ flow: FluentdFlow, _ ledger: inout FluentdLedger) {
        let chomp = ledger.take(.match, "chomp_record")
        if let chomp {
            if chomp.value.flag == true { endsWithNewline = false }
            comment("fluentd.newline", chomp)
            ledger.note(.taken, .match, chomp, jobFile: "fluentd.newline: \(endsWithNewline)", "")
        }
        if chomp != nil || comments["fluentd.newline"] != nil || record == .line { return }
        if flow.output.type == "kinesis" {
            endsWithNewline = false
            comments["fluentd.newline"] = "@type kinesis sends no LF"
            return
        }
        let older = flow.output.settings.first { Self.olderKeys.contains($0.key) }
        guard let older, flow.output.sections(named: "buffer").isEmpty else {
            comments["fluentd.newline"] = "plugin 3 ends a record with LF; plugins 1 and 2 do not"
            return
        }
        endsWithNewline = false
        comments["fluentd.newline"] = "plugins 1 and 2 send no LF; plugin 3 does"
        ledger.add(
            FluentdNote(
                .mapped, older.place, "match \(older.key)", jobFile: "fluentd.newline: false",
                "is a setting of plugin 1 and 2, which send no LF. With plugin 3, which ignores it there, set newline: true"
            ))
    }

    /// Written into <match> itself: plugin 3 reads none of these there.
    private static let olderKeys: Set<String> = [
        "buffer_type", "buffer_path", "buffer_chunk_limit", "buffer_queue_limit", "flush_interval",
        "try_flush_interval",
        "queued_chunk_flush_interval", "num_threads", "detach_process", "retry_wait", "retry_limit",
        "max_retry_wait", "disable_retry_limit", "formatter", "include_time_key", "include_tag_key",
    ]

    /// Fields that the output adds to each record.
    mutating func readAddedFields(_ flow: FluentdFlow, _ ledger: inout FluentdLedger) {
        for (key, field) in [("include_time_key", "time"), ("include_tag_key", "tag")] {
            let setting = ledger.take(.match, key)
            let isOn = setting.map { $0.value.flag == true } ?? (flow.output.type == "kinesis")
            if let setting {
                ledger.note(
                    isOn ? .refused : .ignored, .match, setting,
                    isOn ? "the record gets no field `\(field)` added" : "off")
            } else if isOn {
                ledger.add(
                    FluentdNote(
                        .refused, flow.output.place, flow.output.title,
                        "@type kinesis adds a field `\(field)` to each record; Sluice adds none"))
            }
        }
    }
}
