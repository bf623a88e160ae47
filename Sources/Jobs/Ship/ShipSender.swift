// The sending half of a run: requests out, answers in, what is stored into the ledgers of the files. What must stay
// true: bytes count as done only when the stream has stored them, or when they lie in the dead-letter file.
import AWS
import CivilTime
import Diagnostics

enum ShipMessage: Sendable {
    case answered(id: Int, Result<PutRecordsAnswer, AWSError>)
    case changed(FileChanges)
}

final class ShipSender {
    /// Records that the stream refused, each on its own, before it has taken any: then it is not the records' fault.
    static let refusedAloneMax = 10
    /// While nothing gets through, it is said at most once in this time.
    private static let complaintInterval: UInt64 = 10_000_000_000

    var queue: SendQueue
    private let stream: String
    private let dependencies: ShipDependencies
    private let mailbox: Mailbox<ShipMessage>
    private let deadLetters: DeadLetterFile
    private var tasks: [Int: Task<Void, Never>] = [:]
    private var refusedAlone = 0
    private var nextComplaint: UInt64 = 0
    private var isComplaining = false
    /// What no patience can cure.
    private(set) var fatal: AWSError?
    /// Something was stored since this was set to false.
    var hasNews = false

    init(
        queue: SendQueue, stream: String, dependencies: ShipDependencies, mailbox: Mailbox<ShipMessage>,
        deadLetters: DeadLetterFile
    ) {
        self.queue = queue
        self.stream = stream
        self.dependencies = dependencies
        self.mailbox = mailbox
        self.deadLetters = deadLetters
    }

    /// Sends what may be sent now.
    func send(now: UInt64, sendsPart: Bool, _ report: inout ShipReport) throws {
        while fatal == nil, let request = queue.next(now: now, sendsPart: sendsPart) {
            try dependencies.failpoints.hit(.shipSendBefore)
            report.requests += 1
            let (sink, mailbox, stream) = (dependencies.kinesis, mailbox, stream)
            tasks[request.id] = Task {
                let result: Result<PutRecordsAnswer, AWSError>
                do throws(AWSError) {
                    result = .success(
                        try await sink.putRecords(
                            stream: stream, batch: request.batch.records, freshConnection: request.freshConnection))
                } catch {
                    result = .failure(error)
                }
                mailbox.post(.answered(id: request.id, result))
            }
        }
    }

    /// Takes the answer to a request.
    func take(
        _ id: Int, _ result: Result<PutRecordsAnswer, AWSError>, files: [TailedFile], now: UInt64,
        _ report: inout ShipReport
    ) throws {
        guard tasks.removeValue(forKey: id) != nil else { return }
        try dependencies.failpoints.hit(.shipSendAfter)
        switch result {
        case .success(let answer):
            let settlement = queue.settle(id, answer, now: now, random: dependencies.random())
            take(settlement, files, now, &report)
        case .failure(let error):
            report.requestsFailed += 1
            switch error.category {
            case .permission, .missing:
                queue.abandon(id)
                fatal = fatal ?? error
            case .cancelled: queue.abandon(id)
            case .refused: try takeRefusal(id, error, files, &report)
            case .throttling, .transient, .malformed, .precondition:
                let before = queue.waitingCount
                queue.fail(id, now: now, random: dependencies.random())
                report.recordsResent += queue.waitingCount - before
                complain(now, error.diagnostic.summary)
            }
        }
    }

    private func take(_ settlement: Settlement, _ files: [TailedFile], _ now: UInt64, _ report: inout ShipReport) {
        var run: ShipItem?
        for item in settlement.stored {
            // Neighbours go into the ledger together: one step for a request, as a rule, instead of 500.
            if let before = run, before.file == item.file, before.end == item.offset {
                run?.end = item.end
                run?.lines += item.lines
            } else {
                if let run { done(run, files) }
                run = item
            }
        }
        if let run { done(run, files) }
        report.records += settlement.stored.count
        report.recordsResent += settlement.failedCount
        for (shard, count) in settlement.storedByShard { report.shards[shard, default: .init()].records += count }
        for (shard, count) in settlement.throttledByShard {
            report.shards[shard, default: .init()].throttled += count
        }
        if !settlement.stored.isEmpty {
            hasNews = true
            refusedAlone = 0
        }
        if !settlement.failures.isEmpty {
            let reasons = settlement.failures.sorted { $0.key < $1.key }.map { "\($0.key) (\($0.value))" }
            complain(now, reasons.joined(separator: ", "))
        } else if isComplaining, queue.waitingCount == 0 {
            isComplaining = false
            dependencies.events.event(.info, "everything that had to be sent again is stored", [])
        }
    }

    private func done(_ item: ShipItem, _ files: [TailedFile]) {
        let file = files[item.file]
        file.ledger.complete(item.offset..<item.end)
        file.account.bytesStored += item.end - item.offset
        file.account.lines += item.lines
    }

    private func complain(_ now: UInt64, _ reason: String) {
        isComplaining = true
        guard now >= nextComplaint else { return }
        nextComplaint = now &+ Self.complaintInterval
        dependencies.events.event(
            .warning, "records are sent again", [("records", "\(queue.waitingCount)"), ("reason", reason)])
    }

    // MARK: - Refused records

    private func takeRefusal(
        _ id: Int, _ error: AWSError, _ files: [TailedFile], _ report: inout ShipReport
    ) throws {
        guard let alone = queue.refuse(id), let item = alone.items.first else { return }
        if report.records == 0 {
            refusedAlone += 1
            guard refusedAlone <= Self.refusedAloneMax else {
                fatal = fatal ?? error
                return
            }
        }
        try bury(
            data: alone.records.data(0)[...], partitionKey: alone.records.partitionKey(0), code: error.code,
            message: error.message, item, files)
    }

    /// A record that is larger than the job file allows.
    func bury(_ record: RecordComposer.Oversize, files: [TailedFile], recordBytesMax: Int) throws {
        try bury(
            data: record.data[...], partitionKey: record.partitionKey, code: "RecordTooLarge",
            message: "\(record.data.count) bytes and its key are more than \(recordBytesMax)", record.item, files)
    }

    private func bury(
        data: ArraySlice<UInt8>, partitionKey: String, code: String, message: String, _ item: ShipItem,
        _ files: [TailedFile]
    ) throws {
        try deadLetters.append(
            data: data, partitionKey: partitionKey, stream: stream, code: code, message: message,
            at: dependencies.time.now())
        let file = files[item.file]
        file.ledger.complete(item.offset..<item.end)
        file.account.deadLetters += 1
        hasNews = true
        dependencies.events.event(
            .error, "a record went to the dead-letter file",
            [("file", file.currentPath), ("offset", "\(item.offset)"), ("reason", code)])
    }

    // MARK: - The end

    var hasRequests: Bool { !tasks.isEmpty }

    /// Ends the requests that are under way; their records stay unsent as far as anybody knows.
    func cancel() {
        for task in tasks.values { task.cancel() }
        for id in tasks.keys { queue.abandon(id) }
        tasks.removeAll()
    }
}
