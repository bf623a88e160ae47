// From the keys of `job: ship` to values. Ranges and defaults stand here and in schemas/job.schema.json.

extension ShipJobFile {
    /// Complete only when nothing was reported.
    init(_ top: Section, path: String, known: [String: [String]]) {
        let jobName = top.jobName()
        let section = top.section("destination", known: known, example: "destination: {stream: my_kinesis_stream}")
        self.init(
            path: path, name: jobName, files: Self.paths(top, "files", example: "files: [\"/var/log/drupal.log\"]"),
            destination: Destination(section),
            stateDirectory: top.stateDirectory(jobName: jobName, known: known))
        if top.has("rotated") {
            rotated = Self.paths(top, "rotated", example: "rotated: [\"/var/log/old/drupal*\"]")
        }
        start = top.choice("start", default: start)
        record = top.choice("record", default: record)
        let form = top.section("fluentd", known: known)
        fluentd.keepTimeKey = form.flag("keep_time_key") ?? fluentd.keepTimeKey
        fluentd.newline = form.flag("newline") ?? fluentd.newline
        multiline = top.choice("multiline", default: multiline)
        longLines = top.choice("long_lines", default: longLines)
        linger = top.duration("linger", in: .zero...(.seconds(60)), default: linger)
        maxInFlight = top.integer("max_in_flight", in: 1...64, default: maxInFlight)
        rescan = top.duration("rescan", in: .seconds(1)...(.seconds(3_600)), default: rescan)
        rotateWait = top.duration("rotate_wait", in: .zero...(.seconds(3_600)), default: rotateWait)
        grace = top.duration("grace", in: .zero...(.seconds(3_600)), default: grace)
        limits = Limits(top.section("limits", known: known), recordBytes: destination.recordBytes)
        metrics = top.metrics(known: known)
        checkRecord(top, section)
    }

    private static func paths(_ top: Section, _ key: String, example: String) -> [String] {
        top.list(key, example: example, countMax: 1_000).compactMap { value in
            top.checked(
                value, isNot: "an absolute path", remedy: "give a path or pattern such as /var/log/drupal*.log"
            ) { $0.hasPrefix("/") && !$0.hasSuffix("/") && $0.utf8.count <= 4_096 }
        }
    }

    /// What does not go together.
    private func checkRecord(_ top: Section, _ section: Section) {
        if record == .fluentd, destination.aggregate == .lines {
            top.reader.add(
                section.place(of: "aggregate"), key: section.key("aggregate"),
                "`lines` does not go with `record: fluentd`: the offset of a line could not be told",
                remedy: "set aggregate to kpl or none, or record to line")
        }
        if record != .fluentd, top.has("fluentd") {
            top.reader.add(
                top.place(of: "fluentd"), key: "fluentd", "needs `record: fluentd`",
                remedy: "set record to fluentd, or take the section out")
        }
    }
}

extension ShipJobFile.Destination {
    fileprivate init(_ section: Section) {
        self.init(
            stream: section.stream(), partitionKey: section.choice("partition_key", default: .source),
            aggregate: section.choice("aggregate", default: .none))
        // Amazon Kinesis quotas: a record of 1 MiB, or up to 10 MiB on streams that allow it; a request of 10 MiB.
        recordBytes = section.size("record_bytes", in: (1 << 10)...(10 << 20), default: recordBytes)
        requestBytes = section.size(
            "request_bytes", in: (64 << 10)...(10 << 20), default: max(requestBytes, recordBytes))
        aggregateBytes = section.size(
            "aggregate_bytes", in: (1 << 10)...(1 << 20), default: min(aggregateBytes, recordBytes))
        if requestBytes < recordBytes {
            section.reader.add(
                section.place(of: "request_bytes"), key: section.key("request_bytes"),
                "is smaller than record_bytes", remedy: "a request must hold at least one record")
        }
    }
}

extension ShipJobFile.Limits {
    fileprivate init(_ section: Section, recordBytes: Int) {
        self.init()
        let needed = MemoryBudget.memoryMin(recordBytesMax: recordBytes)
        memory = section.size("memory", in: (50 << 20)...(1 << 40), default: max(memory, needed))
        if memory < needed {
            section.reader.add(
                section.place(of: "memory"), key: section.key("memory"),
                "\(Quantities.text(bytes: memory)) is too little for records of "
                    + "\(Quantities.text(bytes: recordBytes))",
                remedy: "set memory to \((needed + (1 << 20) - 1) >> 20)MiB or more, or destination.record_bytes lower")
        }
        if let value = section.scalar("run_time"), value.text != "unlimited" {
            runTime = section.duration("run_time", in: .seconds(1)...(.seconds(604_800)), default: .seconds(600))
        }
        deadLetter = section.size("dead_letter", in: (1 << 20)...(1 << 50), default: deadLetter)
    }
}
