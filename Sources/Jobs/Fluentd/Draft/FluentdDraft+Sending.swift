// When and how much is sent at a time: Fluentd's buffer and flush settings.

extension FluentdDraft {
    mutating func readSending(_ ledger: inout FluentdLedger) {
        readLinger(&ledger)
        readRequestBytes(&ledger)
        readInFlight(&ledger)
    }

    private mutating func readLinger(_ ledger: inout FluentdLedger) {
        if let mode = ledger.peek(.buffer, "flush_mode"), mode.value.text == "immediate",
            let setting = ledger.take(.buffer, "flush_mode")
        {
            linger = .zero
            comment("linger", setting)
            ledger.note(.mapped, .buffer, setting, jobFile: "linger: 0s", "a request is sent with what is there")
            return
        }
        let inBuffer = ledger.take(.buffer, "flush_interval")
        let flat = ledger.take(.match, "flush_interval")
        if inBuffer != nil, let flat { ledger.note(.ignored, .match, flat, "the <buffer> section counts") }
        guard let setting = inBuffer ?? flat else {
            return ledger.noteUnset(
                "buffer flush_interval", jobFile: "linger: \(Quantities.text(linger))",
                "Fluentd waits 60s before it sends a chunk that is not full; with Sluice lines arrive within a second")
        }
        let scope: FluentdLedger.Scope = inBuffer == nil ? .match : .buffer
        guard let asked = setting.value.seconds.flatMap(Duration.fluentd(seconds:)) else {
            return ledger.note(.refused, scope, setting, "is not a time that can be read; Sluice waits at most 1s")
        }
        linger = asked.limited(to: .zero...Self.lingerMax)
        comment("linger", setting)
        ledger.note(
            .mapped, scope, setting, jobFile: "linger: \(Quantities.text(linger))",
            "the longest that a line waits for others before it is sent"
                + (asked > Self.lingerMax ? "; more than \(Quantities.text(Self.lingerMax)) is not possible" : ""))
    }

    private mutating func readRequestBytes(_ ledger: inout FluentdLedger) {
        let request = ledger.take(.match, "batch_request_max_size")
        let inBuffer = ledger.take(.buffer, "chunk_limit_size", "buffer_chunk_limit")
        let flat = ledger.take(.match, "buffer_chunk_limit", "chunk_limit_size")
        let used: (FluentdSetting, FluentdLedger.Scope)? =
            request.map { ($0, .match) } ?? inBuffer.map { ($0, .buffer) } ?? flat.map { ($0, .match) }
        let all: [(FluentdSetting?, FluentdLedger.Scope)] = [(request, .match), (inBuffer, .buffer), (flat, .match)]
        for case (let setting?, let scope) in all where setting != used?.0 {
            ledger.note(.ignored, scope, setting, "\(used?.0.key ?? "another setting") bounds the requests")
        }
        guard let (setting, scope) = used else {
            // 8 MiB chunks go out as requests of 5 MiB, as ours do.
            return
        }
        guard let asked = setting.value.bytes else {
            return ledger.note(.refused, scope, setting, "is not a size that can be read; requests hold at most 5MiB")
        }
        // The plugin never sends more than 5 MiB at a time, whatever the chunk.
        let sent = min(asked, Self.pluginRequestBytes)
        let bytes = max(Self.requestBytesRange.lowerBound, sent)
        requestBytes = bytes
        comment("destination.request_bytes", setting)
        var text = "the most bytes of one request; chunks are not needed, the log file is the buffer"
        if asked > sent {
            text += "; the plugin sends at most 5MiB at a time, and so does Sluice unless told otherwise"
        }
        if sent < bytes { text += "; a request must hold a record of 1MiB" }
        ledger.note(
            .mapped, scope, setting, jobFile: "destination.request_bytes: \(Quantities.text(bytes: bytes))", text)
    }

    private static let pluginRequestBytes = 5 << 20

    private mutating func readInFlight(_ ledger: inout FluentdLedger) {
        if let setting = ledger.take(.match, "order_events") {
            guard setting.value.flag == true else {
                ledger.note(.ignored, .match, setting, "off")
                return readThreads(&ledger, isOrdered: false)
            }
            maxInFlight = 1
            comment("max_in_flight", setting)
            ledger.note(
                .mapped, .match, setting, jobFile: "max_in_flight: 1",
                "requests go out one after the other; a record that is throttled still arrives after later ones")
            return readThreads(&ledger, isOrdered: true)
        }
        readThreads(&ledger, isOrdered: false)
    }

    private mutating func readThreads(_ ledger: inout FluentdLedger, isOrdered: Bool) {
        let inBuffer = ledger.take(.buffer, "flush_thread_count", "num_threads")
        let flat = ledger.take(.match, "num_threads", "flush_thread_count")
        if inBuffer != nil, let flat { ledger.note(.ignored, .match, flat, "the <buffer> section counts") }
        let scope: FluentdLedger.Scope = inBuffer == nil ? .match : .buffer
        guard let setting = inBuffer ?? flat else {
            if !isOrdered {
                ledger.noteUnset(
                    "buffer flush_thread_count", jobFile: "max_in_flight: \(maxInFlight)",
                    "Fluentd sends one request at a time; set max_in_flight: 1 for that")
            }
            return
        }
        if isOrdered { return ledger.note(.ignored, scope, setting, "order_events counts") }
        guard let asked = setting.value.integer, asked > 0 else {
            return ledger.note(
                .refused, scope, setting,
                "is not a number that can be read; Sluice has up to \(maxInFlight) requests under way")
        }
        maxInFlight = min(asked, Self.maxInFlightMax)
        comment("max_in_flight", setting)
        ledger.note(
            .mapped, scope, setting, jobFile: "max_in_flight: \(maxInFlight)",
            "requests under way at a time"
                + (asked > Self.maxInFlightMax ? "; more than \(Self.maxInFlightMax) are not possible" : ""))
    }
}
