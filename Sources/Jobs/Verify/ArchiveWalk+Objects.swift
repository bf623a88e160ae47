// The objects of the batches that went by, some side by side.

import AWS
import Batching
import CivilTime
import Diagnostics

extension ArchiveWalk {
    /// A batch whose objects are to be looked at.
    struct JudgedBatch {
        var manifest: BatchManifest
        var key: String
        var tasks: [ObjectTask]
    }

    /// Nil when the batch lies outside the window.
    func batch(_ judged: JudgedManifest, _ key: String) -> JudgedBatch? {
        let manifest = judged.manifest
        if let template = try? PrefixTemplate(manifest.settings.prefix) { prefixes.insert(template.literalPrefix) }
        for object in manifest.objects { named.insert(object.key) }
        if let window = options.window, !window.overlaps(manifest.firstArrival, manifest.lastArrival) { return nil }
        report.records += manifest.records
        report.objects += manifest.objects.count
        let tasks = manifest.objects.map { object in
            defer { objectIndex += 1 }
            return ObjectTask(
                object: object, shard: manifest.shard, first: manifest.first, last: manifest.last,
                isRead: options.sample?.takes(objectIndex) ?? false)
        }
        return JudgedBatch(manifest: manifest, key: key, tasks: tasks)
    }

    enum Check: Sendable {
        case done(ObjectOutcome)
        case unknown(Diagnostic, ExitCode)
    }

    func check(_ batches: [JudgedBatch]) async {
        let tasks = batches.flatMap(\.tasks)
        let parallel = options.sample == nil ? Self.headsMax : Self.downloadsMax
        let stop = dependencies.stop
        let checks = await inParallel(tasks, parallel: parallel) { [objects] task in
            if stop.requested != nil { return Check.done(ObjectOutcome()) }
            do {
                return .done(try await objects.check(task))
            } catch {
                let (diagnostic, code) = describe(error, during: "check object", of: task.object.key)
                return .unknown(diagnostic, code)
            }
        }
        guard stop.requested == nil else { return }
        var rest = checks[...]
        for batch in batches {
            var totals = RowTotals()
            var readWhole = true
            for task in batch.tasks {
                guard let check = rest.popFirst() else { return }
                if let found = settle(check, task) { totals.add(found) } else { readWhole = false }
            }
            guard readWhole else { continue }
            let (finding, note) = BatchVerdict.judge(batch.manifest, totals, key: batch.key)
            if let finding { report.add(finding) }
            if let note { report.add(note) }
        }
    }

    /// The rows of an object that was read and is good.
    func settle(_ check: Check, _ task: ObjectTask) -> RowTotals? {
        switch check {
        case .unknown(let problem, let code):
            if !report.hasTooManyProblems { report.add(problem: problem, code) }
            return nil
        case .done(let outcome):
            report.bytesRead += outcome.bytesRead
            if outcome.isArchived { report.objectsArchived += 1 }
            if outcome.bytesRead > 0 { report.objectsRead += 1 }
            report.rowsRead += outcome.totals?.rows ?? 0
            if let kind = outcome.kind {
                report.add(
                    Finding(
                        kind, shard: task.shard, key: task.object.key, detail: outcome.detail, hint: Hints.badObject))
            }
            return outcome.totals
        }
    }

    func showProgress() {
        var snapshot = ProgressSnapshot()
        snapshot.records = report.records
        snapshot.rows = report.rowsRead
        snapshot.recordBytes = report.bytesRead
        snapshot.objects = report.objects
        snapshot.shardsDone = report.shards
        snapshot.shardsTotal = max(stream.spans.count, report.shards)
        snapshot.elapsed = dependencies.time.now().since(report.started)
        dependencies.events.progress(snapshot)
    }
}
