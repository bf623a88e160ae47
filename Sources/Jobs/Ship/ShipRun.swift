// One run of a ship job: the loop that reads, sends, waits and saves positions. Used by one task. What must stay true:
// a position is saved only after the stream has stored everything before it, so a run that dies anywhere sends some
// records twice and loses none; a new file's identity is saved before its first record is sent.
import AWS
import CivilTime
import Diagnostics
import Glibc
import State

/// Why a run ends before its work is done.
enum EarlyEnd: Error {
    case outOfTime
    case failed(Diagnostic, ExitCode)
}

final class ShipRun {
    /// Positions are saved at most this often, and at the end.
    private static let saveInterval: UInt64 = 1_000_000_000
    /// How soon a run without watcher notices the stop signal.
    private static let stopCheckInterval: UInt64 = 200_000_000
    /// Without inotify files are looked at this often.
    private static let pollInterval: UInt64 = 1_000_000_000
    static let statusInterval: UInt64 = 10_000_000_000
    /// After a refusal: time for the answers that are under way.
    static let lastAnswersTime: UInt64 = 5_000_000_000
    /// So much to read makes a reading worth while before `linger` is over.
    private static let readingBytesMin = 64 << 10

    let file: ShipJobFile
    let mode: ShipReport.Mode
    let dependencies: ShipDependencies
    private let mailbox = Mailbox<ShipMessage>()
    let startedNanoseconds: UInt64
    private let deadLetters: DeadLetterFile
    var report: ShipReport
    private var watcher: FileWatcher?
    private var watched: Set<Int> = []
    var notes: ShipNotes?
    var hasUnsaved = false
    /// What the position file says.
    private var saved: [FilePosition] = []
    var hasNewFiles = false
    private var nextSave: UInt64 = 0
    private var nextRescan: UInt64 = 0
    var nextWatchdog: UInt64 = 0
    var nextStatus: UInt64 = 0
    /// The run sends what it has read until then, and ends.
    var drainsUntil: UInt64?

    init(file: ShipJobFile, mode: ShipReport.Mode, dependencies: ShipDependencies) {
        self.file = file
        self.mode = mode
        self.dependencies = dependencies
        startedNanoseconds = dependencies.time.monotonicNanoseconds()
        deadLetters = DeadLetterFile(
            directory: file.stateDirectory, bytesMax: file.limits.deadLetter, failpoints: dependencies.failpoints)
        report = ShipReport(
            job: file.name, stream: file.destination.stream.name, mode: mode, started: dependencies.time.now())
    }

    /// Never throws: the report says what became of it.
    func run() async -> ShipReport {
        do {
            let directory = StateDirectory(file.stateDirectory)
            try directory.prepare()
            let lock = try JobLock(directory: directory)
            defer { lock.release() }
            notes = ShipNotes(file: file, directory: directory, dependencies: dependencies)
            notes?.begin(report)
            do {
                let positions = PositionFile(directory: directory.path, failpoints: dependencies.failpoints)
                let stored = try positions.load(job: file.name, stream: file.destination.stream.name) { text in
                    dependencies.events.event(.warning, text, [])
                }
                await ship(stored.files, positions)
            } catch {
                end(error)
            }
            notes?.end(report)
        } catch {
            end(error)
        }
        report.elapsed = .nanoseconds(Int64(now &- startedNanoseconds))
        return report
    }

    var now: UInt64 { dependencies.time.monotonicNanoseconds() }

    private func ship(_ stored: [FilePosition], _ positions: PositionFile) async {
        let framer = ShipReader.framer(file)
        let budget = MemoryBudget(
            memory: file.limits.memory, recordBytesMax: file.destination.recordBytes,
            bufferBytesMin: framer.bufferBytesMin, requestBytesMax: file.destination.requestBytes,
            inFlightMax: file.maxInFlight)
        let set = FileSet(
            listing: FileListing(patterns: file.files, rotatedPatterns: file.rotated), start: file.start,
            events: dependencies.events)
        let reader = ShipReader(
            file: file, logs: set, budget: budget, framer: framer, hostName: dependencies.hostName,
            isOnce: mode == .once, random: dependencies.random)
        let sender = ShipSender(
            queue: SendQueue(limits: budget.limits, stream: file.destination.stream.reference),
            stream: file.destination.stream.reference, dependencies: dependencies, mailbox: mailbox,
            deadLetters: deadLetters)
        let recordBytesMax = file.destination.recordBytes
        reader.setAside = { [unowned sender, unowned set] record in
            try sender.bury(record, files: set.files, recordBytesMax: recordBytesMax)
        }
        begin(set, reader, stored)
        do {
            try await loop(reader, sender, positions)
        } catch {
            end(error)
        }
        watcher?.stop()
        sender.cancel()
        finish(reader, sender, positions)
    }

    // MARK: - The loop

    private func begin(_ set: FileSet, _ reader: ShipReader, _ stored: [FilePosition]) {
        set.begin(stored, now: now, wall: dependencies.time.now(), needsFiles: mode == .once)
        saved = stored
        hasNewFiles = set.snapshot() != stored
        if mode == .once {
            for file in set.files { file.target = file.isCompressed ? nil : file.position.sizeSeen }
        } else {
            startWatching()
        }
        reader.lookAtAll(now: now)
        for file in set.files where file.isReadable { file.pendingSince = file.pendingSince ?? now }
        nextRescan = now &+ file.rescan.nanoseconds
        dependencies.notifier.notify("READY=1")
    }

    private func loop(_ reader: ShipReader, _ sender: ShipSender, _ positions: PositionFile) async throws {
        var isCaughtUp = false
        while true {
            try checkForEnd(sender)
            if drainsUntil == nil {
                rescanIfDue(reader)
                if sender.queue.hasRoom, reader.isDue(now: now, isFull: Self.readingBytesMin) {
                    let outcome = try reader.read(
                        into: &sender.queue, now: now, wall: dependencies.time.now())
                    isCaughtUp = outcome == .caughtUp
                    watchNewFiles(reader.logs)
                }
            }
            finishFiles(reader.logs)
            try saveIfDue(reader, sender, positions)
            let mayWait = !isCaughtUp && drainsUntil == nil && sender.queue.hasRoom
            try sender.send(now: now, sendsPart: !mayWait || sender.queue.inFlightCount == 0, &report)
            tell(reader, sender)
            if isDone(reader, sender) { return }
            for message in await mailbox.take(until: nextTime(reader, sender), time: dependencies.time) {
                try handle(message, reader, sender)
            }
        }
    }

    private func handle(_ message: ShipMessage, _ reader: ShipReader, _ sender: ShipSender) throws {
        switch message {
        case .answered(let id, let result):
            try sender.take(id, result, files: reader.logs.files, now: now, &report)
        case .changed(let changes):
            for number in changes.files where number < reader.logs.files.count {
                reader.look(reader.logs.files[number], now: now)
            }
            if changes.namesChanged || changes.lostEvents { nextRescan = min(nextRescan, now) }
        }
    }

    private func isDone(_ reader: ShipReader, _ sender: ShipSender) -> Bool {
        if sender.hasRequests { return false }
        if sender.fatal != nil { return true }
        if drainsUntil != nil { return sender.queue.isEmpty }
        guard mode == .once, sender.queue.isEmpty else { return false }
        return !reader.isDue(now: now, isFull: 0)
    }

    private func nextTime(_ reader: ShipReader, _ sender: ShipSender) -> UInt64? {
        var times: [UInt64] = []
        if let time = sender.queue.nextTime(now: now) { times.append(time) }
        if let until = drainsUntil { times.append(until) }
        if drainsUntil == nil, mode == .follow {
            times.append(nextRescan)
            if sender.queue.hasRoom, let time = reader.nextTime() { times.append(time) }
        }
        if watcher == nil { times.append(now &+ Self.stopCheckInterval) }
        if hasUnsaved || sender.hasNews { times.append(nextSave) }
        if nextWatchdog > 0 { times.append(nextWatchdog) }
        if mode == .once, let runTime = file.limits.runTime { times.append(startedNanoseconds &+ runTime.nanoseconds) }
        return times.min()
    }

    // MARK: - Files

    private func rescanIfDue(_ reader: ShipReader) {
        guard mode == .follow, now >= nextRescan else { return }
        reader.logs.refresh(now: now, wall: dependencies.time.now())
        reader.lookAtAll(now: now)
        watchNewFiles(reader.logs)
        hasUnsaved = true
        let interval = watcher?.isPartial == false ? file.rescan.nanoseconds : Self.pollInterval
        nextRescan = now &+ min(interval, file.rescan.nanoseconds)
    }

    private func startWatching() {
        guard let watcher = FileWatcher() else {
            dependencies.events.event(.warning, "no inotify: files are looked at once a second", [])
            return
        }
        self.watcher = watcher
        dependencies.stop.wakes(watcher.wakeDescriptor)
        for folder in Set((file.files + file.rotated).map(FileListing.literalFolder)).sorted() {
            watcher.watch(folder: folder)
        }
        let mailbox = mailbox
        watcher.start { changes in mailbox.post(.changed(changes)) }
    }

    private func watchNewFiles(_ set: FileSet) {
        for file in set.files where !watched.contains(file.id) {
            watched.insert(file.id)
            if file.position.offset == 0 { hasNewFiles = true }
            if let source = file.reader?.source { watcher?.watch(file: source, number: file.id) }
        }
    }

    /// Closes files that are read to their end and stored.
    func finishFiles(_ set: FileSet) {
        for file in set.files where file.phase == .settling && file.isSettled {
            set.finish(file)
            watcher?.forget(number: file.id)
            hasUnsaved = true
            dependencies.events.event(
                .info, "file is finished", [("file", file.currentPath), ("bytes", "\(file.account.storedOffset)")])
        }
    }

    // MARK: - Positions

    private func saveIfDue(_ reader: ShipReader, _ sender: ShipSender, _ positions: PositionFile) throws {
        if reader.logs.files.contains(where: { $0.hasNewGeneration }) { hasNewFiles = true }
        guard hasNewFiles || (hasUnsaved || sender.hasNews) && now >= nextSave else { return }
        do {
            try save(reader, positions)
            sender.hasNews = false
        } catch let error as any DiagnosticError {
            // Going on would send more and more twice.
            throw EarlyEnd.failed(error.diagnostic, error.exitCode)
        }
    }

    /// Writes the positions, unless they are what was written last.
    func save(_ reader: ShipReader, _ positions: PositionFile) throws {
        let files = reader.logs.snapshot()
        if files != saved {
            try positions.save(ShipPositions(job: file.name, stream: file.destination.stream.name, files: files))
            saved = files
        }
        for file in reader.logs.files { file.hasNewGeneration = false }
        (hasUnsaved, hasNewFiles) = (false, false)
        nextSave = now &+ Self.saveInterval
    }
}
