// Does a manifest say what its key says, and does what it says hold together? Pure. What this lets pass is still to be
// compared with the objects and with its neighbours.

import CivilTime
import FoundationEssentials

/// Why a manifest cannot be trusted.
package struct ManifestFault: Error, Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        /// Cannot be read as a manifest.
        case damaged
        /// Reads well, and contradicts its key or itself.
        case forged
        /// A later version of the program wrote it: nothing is wrong with it.
        case newer
    }

    package var kind: Kind
    package var detail: String

    package init(_ kind: Kind, _ detail: String) {
        self.kind = kind
        self.detail = detail
    }
}

package struct ManifestJudge: Sendable {
    package let job: String
    package let stream: String
    package let controlPrefix: String

    package init(job: String, stream: String, controlPrefix: String) {
        self.job = job
        self.stream = stream
        self.controlPrefix = controlPrefix
    }

    package func judge(_ bytes: [UInt8], at place: ManifestPlace) -> Result<JudgedManifest, ManifestFault> {
        do throws(ManifestFault) {
            let manifest = try read(bytes)
            for (holds, detail) in [
                (try? manifest.canonicalBytes()) == bytes
                    ? (true, "") : (false, "it is not in the form that sluice writes")
            ] + placeRules(manifest, place) + rangeRules(manifest) where !holds {
                throw ManifestFault(.forged, detail)
            }
            for object in manifest.objects { try check(object, of: manifest) }
            try checkSums(manifest)
            return .success(JudgedManifest(manifest: manifest))
        } catch {
            return .failure(error)
        }
    }

    private func read(_ bytes: [UInt8]) throws(ManifestFault) -> BatchManifest {
        struct Outline: Decodable {
            var format_version: Int
        }
        guard let outline = try? JSONDecoder().decode(Outline.self, from: Data(bytes)) else {
            throw ManifestFault(.damaged, "it is not JSON, or not that of a manifest")
        }
        guard outline.format_version <= BatchManifest.formatVersion else {
            throw ManifestFault(.newer, "it has format version \(outline.format_version)")
        }
        do {
            return try BatchManifest.decode(bytes)
        } catch {
            throw ManifestFault(.damaged, error.cause)
        }
    }

    private typealias Rule = (holds: Bool, detail: String)

    private func placeRules(_ manifest: BatchManifest, _ place: ManifestPlace) -> [Rule] {
        [
            (manifest.job == job, "it names the job \(manifest.job)"),
            (manifest.stream == stream, "it names the stream \(manifest.stream)"),
            (
                manifest.streamCreation.milliseconds == place.streamCreation,
                "it names a stream created \(RFC3339.text(manifest.streamCreation)), its key one created "
                    + RFC3339.text(Timestamp(milliseconds: place.streamCreation))
            ),
            (manifest.shard == place.key.shard, "it names the shard \(manifest.shard)"),
            (manifest.first == place.key.first, "it begins with \(manifest.first), its key with \(place.key.first)"),
            (isPrevious(manifest.previous, of: place), "it names \(manifest.previous ?? "") as the manifest before it"),
        ]
    }

    private func isPrevious(_ text: String?, of place: ManifestPlace) -> Bool {
        guard let text else { return true }
        guard let previous = ManifestPlace(text, controlPrefix: controlPrefix) else { return false }
        return previous.streamCreation == place.streamCreation && previous.key.shard == place.key.shard
            && previous.key.first < place.key.first
    }

    private func rangeRules(_ manifest: BatchManifest) -> [Rule] {
        [
            (manifest.first <= manifest.last, "it ends with \(manifest.last), before its first \(manifest.first)"),
            (manifest.records >= 1, "it says \(manifest.records) records"),
            (manifest.firstArrival <= manifest.lastArrival, "its last arrival lies before its first"),
            (manifest.firstEvent <= manifest.lastEvent, "its last event lies before its first"),
            (manifest.parents.count <= 2, "it names \(manifest.parents.count) parents of its shard"),
            (!manifest.parents.contains(manifest.shard), "it names its shard as its own parent"),
            (
                (1...SealPolicy.objectsMax).contains(manifest.objects.count),
                "it names \(manifest.objects.count) objects"
            ),
        ]
    }

    private func checkSums(_ manifest: BatchManifest) throws(ManifestFault) {
        let objects = manifest.objects
        let rows = objects.reduce(0) { $0 + $1.rows }
        let counted = manifest.statusCounts.values.reduce(0, +)
        let rules: [Rule] = [
            (manifest.rows == rows, "it says \(manifest.rows) rows, and its objects have \(rows)"),
            (counted == rows, "it counts \(counted) rows by status, and its objects have \(rows)"),
            (manifest.statusCounts.values.allSatisfy { $0 >= 0 }, "it counts fewer than no rows of a status"),
            (
                zip(objects, objects.dropFirst()).allSatisfy { $0.key < $1.key },
                "its objects are not sorted, or one of them is named twice"
            ),
            (
                manifest.firstEvent == objects.map(\.firstEvent).min()
                    && manifest.lastEvent == objects.map(\.lastEvent).max(),
                "its first and last event are not those of its objects"
            ),
        ]
        for (holds, detail) in rules where !holds { throw ManifestFault(.forged, detail) }
    }

    private func check(_ object: BatchManifest.Object, of manifest: BatchManifest) throws(ManifestFault) {
        guard let template = try? PrefixTemplate(manifest.settings.prefix) else {
            throw ManifestFault(.forged, "its prefix \(manifest.settings.prefix) is none that a job can have")
        }
        let isInside =
            object.partition.hasPrefix(template.literalPrefix) && !object.partition.contains("/../")
            && !object.partition.hasPrefix("../") && object.partition.utf8.count <= PrefixTemplate.renderedBytesMax
        guard isInside, !object.key.hasPrefix(controlPrefix) else {
            throw ManifestFault(.forged, "its object \(object.key) lies outside the prefix \(template.literalPrefix)")
        }
        let key = objectKey(
            prefix: object.partition, stream: manifest.stream, shard: manifest.shard, first: manifest.first)
        let rules: [Rule] = [
            (object.key == key, "its object \(object.key) should be named \(key)"),
            (object.rows >= 1 && object.bytes >= 1 && object.rowsBytes >= 1, "its object \(object.key) is empty"),
            (Self.isHash(object.sha256) && Self.isHash(object.rowsSHA256), "a hash of \(object.key) is none"),
            (object.firstEvent <= object.lastEvent, "the last event of \(object.key) lies before its first"),
        ]
        for (holds, detail) in rules where !holds { throw ManifestFault(.forged, detail) }
    }

    private static func isHash(_ text: String) -> Bool {
        text.utf8.count == 64 && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }
}

/// A manifest that agrees with its key and itself.
package struct JudgedManifest: Sendable, Equatable {
    package var manifest: BatchManifest

    package init(manifest: BatchManifest) { self.manifest = manifest }
}
