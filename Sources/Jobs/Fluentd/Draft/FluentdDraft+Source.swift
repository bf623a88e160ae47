// What the settings of `in_tail` become (docs.fluentd.org, "tail").

extension FluentdDraft {
    mutating func read(source: FluentdSection, _ ledger: inout FluentdLedger) {
        ledger.add(source, as: .source)
        let parsers = source.sections(named: "parse")
        for parser in parsers { ledger.add(parser, as: .parse) }
        for section in source.sections where section.name != "parse" {
            ledger.add(
                FluentdNote(
                    .refused, section.place, section.title, "every line is shipped: nothing is held back by groups"))
        }
        readPaths(&ledger)
        readStart(&ledger)
        readRescan(&ledger)
        readRotateWait(&ledger)
        if let setting = ledger.take(.source, "encoding") {
            ledger.note(.ignored, .source, setting, "lines are sent with the bytes that they have")
        }
    }

    private mutating func readPaths(_ ledger: inout FluentdLedger) {
        let globs = (ledger.peek(.source, "glob_policy")?.value.text ?? "backward_compatible") != "backward_compatible"
        let delimiter = ledger.peek(.source, "path_delimiter")?.value.text ?? ","
        if let setting = ledger.take(.source, "path") {
            readPath(setting, globs: globs, delimiter: delimiter.isEmpty ? "," : delimiter, &ledger)
        } else {
            block("the source has no path")
        }
        guard let setting = ledger.take(.source, "exclude_path") else { return }
        let excluded = setting.value.list ?? []
        let isCompressed = { (path: String) in Self.compressedSuffixes.contains(where: path.hasSuffix) }
        if !excluded.isEmpty, excluded.allSatisfy(isCompressed),
            !files.contains(where: { $0.hasSuffix("*") || isCompressed($0) })
        {
            ledger.note(.ignored, .source, setting, "no pattern of `files` matches compressed files")
        } else {
            ledger.note(.refused, .source, setting, "there is no such key: narrow `files` so that these stay out")
        }
    }

    private mutating func readPath(
        _ setting: FluentdSetting, globs: Bool, delimiter: String, _ ledger: inout FluentdLedger
    ) {
        guard let text = setting.value.jobFileText else {
            ledger.note(.refused, .source, setting, "only Fluentd can tell it: write it into the job file")
            return block("the path at \(setting.place) is made while Fluentd runs")
        }
        var isDated = false
        for part in text.split(separator: delimiter) {
            let path = FluentdPath(String(part).trimmingBlanks, globs: globs)
            files += path.patterns
            isDated = isDated || path.isDated
            if let problem = path.problem { block("path at \(setting.place): \(problem)") }
        }
        ledger.note(
            isDated ? .mapped : .taken, .source, setting, jobFile: "files",
            isDated ? "the date in it became a pattern, so that files of other days match as well" : "")
        comment("files", setting)
        if files.isEmpty { block("the path at \(setting.place) is empty") }
    }

    private static let compressedSuffixes = [".gz", ".bz2", ".xz", ".zst", ".zip", ".lz4"]

    private mutating func readStart(_ ledger: inout FluentdLedger) {
        guard let setting = ledger.take(.source, "read_from_head") else {
            comments["start"] = "read_from_head is not set"
            return ledger.noteUnset(
                "source read_from_head", jobFile: "start: tail",
                "Fluentd begins at the end of a file that it sees for the first time; Sluice's own default is `head`")
        }
        startsAtHead = setting.value.flag == true
        comment("start", setting)
        ledger.note(.taken, .source, setting, jobFile: "start: \(startsAtHead ? "head" : "tail")", "")
    }

    private mutating func readRescan(_ ledger: inout FluentdLedger) {
        guard let setting = ledger.take(.source, "refresh_interval") else {
            return ledger.noteUnset(
                "source refresh_interval", jobFile: "rescan: 10s", "Fluentd looks for new files every 60s")
        }
        guard let asked = setting.value.seconds.flatMap(Duration.fluentd(seconds:)) else {
            return ledger.note(
                .refused, .source, setting, "is not a time that can be read; Sluice looks for new files every 10s")
        }
        rescan = asked.limited(to: Self.rescanRange)
        comment("rescan", setting)
        ledger.note(
            .mapped, .source, setting, jobFile: "rescan: \(Quantities.text(rescan))",
            "new files are noticed at once where the system tells, and at the latest after this")
    }

    private mutating func readRotateWait(_ ledger: inout FluentdLedger) {
        guard let setting = ledger.take(.source, "rotate_wait") else { return }
        guard let asked = setting.value.seconds.flatMap(Duration.fluentd(seconds:)) else {
            return ledger.note(
                .refused, .source, setting, "is not a time that can be read; Sluice waits for 5s of quiet")
        }
        rotateWait = asked.limited(to: Self.rotateWaitRange)
        comment("rotate_wait", setting)
        ledger.note(
            .mapped, .source, setting, jobFile: "rotate_wait: \(Quantities.text(rotateWait))",
            "a rotated file is read to its end, and left when it was quiet for this long: never with lines unread")
    }
}
