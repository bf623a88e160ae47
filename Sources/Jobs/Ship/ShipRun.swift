// One run of a ship job: its state and its straight line. Used by one task.
import AWS
import CivilTime
import Diagnostics
import State

/// Why a run ends before the ends of its files.
private enum EarlyEnd: Error {
    case stopped, outOfTime
    case failed(Diagnostic, ExitCode)
}

final class ShipRun {
    /// How much of a file is read at once.
    private static let readBytes = 256 << 10
    /// Positions are saved at most this often, and at the end.
    private static let saveInterval: UInt64 = 1_000_000_000
    /// How soon a wait notices the stop signal.
    private static let stopCheckInterval = Duration.milliseconds(200)

    private let file: ShipJobFile
    private let dependencies: ShipDependencies
    private let runTime: Duration?
    private let startedNanoseconds: UInt64
    private var report: ShipReport
    private var positions: ShipPositions
    private var positionFile: PositionFile?
    private var lastSave: UInt64
    private var hasUnsaved = false
    private var jitter = DecorrelatedJitter()

    init(file: ShipJobFile, dependencies: ShipDependencies, runTime: Duration?) {
        self.file = file
        self.dependencies = dependencies
        self.runTime = runTime
        startedNanoseconds = dependencies.time.monotonicNanoseconds()
        lastSave = startedNanoseconds
        let stream = file.destination.stream
        report = ShipReport(job: file.name, stream: stream.name, started: dependencies.time.now())
        positions = ShipPositions(job: file.name, stream: stream.name)
    }

    func run() async -> ShipReport {
        do {
            if let refusal = ShipJob.unsupported(file) { throw EarlyEnd.failed(refusal, .jobFileInvalid) }
            let directory = StateDirectory(file.stateDirectory)
            try directory.prepare()
            let lock = try JobLock(directory: directory)
            defer { lock.release() }
            let positionFile = PositionFile(directory: directory.path)
            self.positionFile = positionFile
            positions = try positionFile.load(job: file.name, stream: file.destination.stream.name)
            var scan = SourceScan(patterns: file.files, start: file.start, events: dependencies.events)
            scan.run(positions.files)
            for problem in scan.problems { note(problem) }
            take(scan)
            do { try await shipAll(scan.planned) } catch { end(error) }
            save()
        } catch {
            end(error)
        }
        report.elapsed = elapsed
        return report
    }

    /// From now on the positions speak of these files; all are known before the first record is sent.
    private func take(_ scan: SourceScan) {
        let files = scan.planned.map(\.position) + scan.kept
        hasUnsaved = files != positions.files
        positions.files = files
        report.files = scan.planned.map {
            ShipReport.File(
                path: $0.source.path, from: $0.position.offset, storedOffset: $0.position.offset, size: $0.source.size)
        }
    }

    private func shipAll(_ planned: [PlannedFile]) async throws {
        for (index, plan) in planned.enumerated() {
            do {
                try await ship(plan.source, index)
            } catch let error as ShipError {
                report.files[index].problem = error.diagnostic
                note(error)
            }
        }
    }

    // MARK: - One file

    private func ship(_ source: SourceFile, _ index: Int) async throws {
        let position = positions.files[index]
        let keys = SourceKey(host: dependencies.hostName, file: position.name, generation: position.generation)
        var framer = LineFramer(offset: position.offset, lineBytesMax: ShipBatch.lineBytesMax)
        var batch = ShipBatch()
        var readOffset = position.offset
        var isInsideLine = false
        while readOffset < source.size {
            try checkForEnd()
            let chunk = try source.bytes(at: readOffset, count: min(Self.readBytes, source.size - readOffset))
            guard !chunk.isEmpty else {
                throw ShipError(
                    "read", source.path, "the file was truncated while it was read",
                    hint: "the next run ships what stands in it then", exitCode: .temporary)
            }
            readOffset += chunk.count
            framer.append(chunk)
            while let line = framer.next() {
                if line.isCut && !isInsideLine { report.files[index].linesCut += 1 }
                isInsideLine = line.isCut
                let record = record(line, keys)
                if !batch.fits(record) { try await send(&batch, source, index) }
                batch.append(record)
            }
        }
        try await send(&batch, source, index)
    }

    private func record(_ line: FramedLine, _ keys: SourceKey) -> ShipRecord {
        let key: String =
            switch file.destination.partitionKey {
            case .random: hex((0..<8).map { _ in UInt8(dependencies.random() * 256) })
            case .source, .site: keys.key(offset: line.offset)
            }
        return ShipRecord(data: line.bytes, partitionKey: key, offset: line.offset, end: line.end)
    }

    // MARK: - One batch

    /// Sends until every record is stored; leaves an empty batch. What failed is sent again for as long as it takes.
    private func send(_ batch: inout ShipBatch, _ source: SourceFile, _ index: Int) async throws {
        while !batch.isEmpty {
            try checkForEnd()
            let problem = await put(&batch, index)
            if let offset = batch.acknowledgedOffset, offset > positions.files[index].offset {
                try move(index, to: offset, source)
            }
            if batch.isEmpty { break }
            let delay = jitter.next(random: dependencies.random())
            report.recordsResent += batch.records.count
            dependencies.events.event(
                .warning, "records are sent again",
                [
                    ("file", source.path), ("records", "\(batch.records.count)"), ("reason", try problem.get()),
                    ("after", "\(delay)"),
                ])
            try await wait(delay)
        }
        batch = ShipBatch()
    }

    /// One request. Gives why records are left, or the error that trying again cannot cure.
    private func put(_ batch: inout ShipBatch, _ index: Int) async -> Result<String, AWSError> {
        var request = PutRecordsBatch()
        for record in batch.records { request.append(data: record.data, partitionKey: record.partitionKey) }
        report.requests += 1
        do throws(AWSError) {
            let answer = try await dependencies.kinesis.putRecords(
                stream: file.destination.stream.reference, batch: request, freshConnection: false)
            report.files[index].bytes += batch.records.reduce(0) { $0 + $1.data.count }
            let settlement = batch.settle(answer)
            report.files[index].bytes -= batch.records.reduce(0) { $0 + $1.data.count }
            report.files[index].records += settlement.stored
            if settlement.stored > 0 { jitter.reset() }
            showProgress()
            let reasons = settlement.failures.sorted { $0.key < $1.key }.map { "\($0.key) (\($0.value))" }
            return .success(reasons.joined(separator: ", "))
        } catch {
            return error.isTransient ? .success(error.diagnostic.summary) : .failure(error)
        }
    }

    // MARK: - Positions

    private func move(_ index: Int, to offset: Int, _ source: SourceFile) throws {
        positions.files[index].tail = try source.tail(before: offset)
        positions.files[index].offset = offset
        report.files[index].storedOffset = offset
        hasUnsaved = true
        let now = dependencies.time.monotonicNanoseconds()
        guard now &- lastSave >= Self.saveInterval else { return }
        lastSave = now
        hasUnsaved = false
        do throws(ShipError) {
            try positionFile?.save(positions)
        } catch {
            // Not a problem of this log file: going on would send more and more twice.
            throw EarlyEnd.failed(error.diagnostic, error.exitCode)
        }
    }

    /// At the end of a run, whatever ended it.
    private func save() {
        guard hasUnsaved, let positionFile else { return }
        do throws(ShipError) {
            try positionFile.save(positions)
        } catch {
            note(error)
        }
    }

    // MARK: - Ends

    private var elapsed: Duration {
        .nanoseconds(Int64(dependencies.time.monotonicNanoseconds() &- startedNanoseconds))
    }

    private func checkForEnd() throws {
        if dependencies.stop.requested != nil || Task.isCancelled { throw EarlyEnd.stopped }
        if let runTime, elapsed >= runTime { throw EarlyEnd.outOfTime }
    }

    private func wait(_ delay: Duration) async throws {
        let until = elapsed + delay
        while elapsed < until {
            try checkForEnd()
            try await dependencies.time.sleep(for: min(Self.stopCheckInterval, until - elapsed))
        }
    }

    private func end(_ error: any Error) {
        switch error {
        case EarlyEnd.stopped, is CancellationError:
            report.signal = dependencies.stop.requested
            report.moreWaiting = true
            report.exitCode = ExitCode.mostUrgent([report.exitCode, .temporary])
        case EarlyEnd.outOfTime:
            report.moreWaiting = true
            report.exitCode = ExitCode.mostUrgent([report.exitCode, .temporary])
        case EarlyEnd.failed(let diagnostic, let code):
            report.problem = diagnostic
            report.exitCode = ExitCode.mostUrgent([report.exitCode, code])
        default:
            let (diagnostic, code) = describe(error, during: "ship", of: file.name)
            report.problem = diagnostic
            report.moreWaiting = true
            report.exitCode = ExitCode.mostUrgent([report.exitCode, code])
        }
    }

    /// A problem that does not end the run.
    private func note(_ error: ShipError) {
        dependencies.events.event(
            .error, error.diagnostic.summary, error.diagnostic.hint.map { [("hint", $0)] } ?? [])
        report.exitCode = ExitCode.mostUrgent([report.exitCode, error.exitCode])
        if report.problem == nil { report.problem = error.diagnostic }
    }

    private func showProgress() {
        var snapshot = ProgressSnapshot()
        snapshot.records = report.records
        snapshot.recordBytes = report.bytes
        snapshot.elapsed = elapsed
        dependencies.events.progress(snapshot)
    }
}
