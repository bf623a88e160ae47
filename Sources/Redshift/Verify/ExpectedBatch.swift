// What the table should hold of one batch, and how a row of the table is led back to its object. A row names its shard
// and sequence number, which tell the batch, and has the values that its object's prefix was rendered from, which tell
// the object. Pure.

package import Batching
package import CivilTime

package struct ExpectedBatch: Sendable, Equatable {
    package struct Object: Sendable, Equatable {
        package var key: String
        /// The rendered prefix.
        package var partition: String
        package var rows: Int
    }

    /// How rows of the batch were laid into objects.
    package struct Layout: Sendable, Equatable {
        package var stream: String
        package var prefix: PrefixTemplate
        /// Partitions tell the time of the event, not that of the arrival.
        package var usesEventTime: Bool
    }

    /// Key of the batch manifest.
    package var manifest: String
    package var shard: String
    package var first: SequenceNumber
    package var last: SequenceNumber
    package var firstArrival: Timestamp
    package var lastArrival: Timestamp
    package var objects: [Object]
    package var layout: Layout

    /// - Throws: when the manifest's prefix is none that a job can have.
    package init(_ manifest: BatchManifest, key: String) throws(PrefixTemplateError) {
        self.manifest = key
        shard = manifest.shard
        first = manifest.first
        last = manifest.last
        firstArrival = manifest.firstArrival
        lastArrival = manifest.lastArrival
        objects = manifest.objects.map { Object(key: $0.key, partition: $0.partition, rows: $0.rows) }
        layout = Layout(
            stream: manifest.stream, prefix: try PrefixTemplate(manifest.settings.prefix),
            usesEventTime: manifest.settings.partitionTime == "event")
    }

    package var rows: Int { objects.reduce(0) { $0 + $1.rows } }

    /// A condition that the rows of the batch meet, and no others: for the operator.
    package var condition: String {
        "\"shard_id\" = \(SQLText.string(shard)) AND \(TableCensus.number) BETWEEN '\(first.padded)' AND '\(last.padded)'"
    }
}

/// Some rows of one batch that have the same values in the columns that partitions are made of.
package struct TableGroup: Sendable, Equatable {
    /// Index among the batches of the census.
    package var batch: Int
    /// The start of the day or hour; nil when partitions tell no time.
    package var time: Timestamp?
    package var site: String?
    package var host: String?
    package var program: String?
    package var severity: Int?
    package var rows: Int
    /// Rows that differ in shard, sequence number or subsequence: each row of the archive does.
    package var distinct: Int

    package init(batch: Int, rows: Int, distinct: Int) {
        self.batch = batch
        self.rows = rows
        self.distinct = distinct
    }
}

extension ExpectedBatch.Layout {
    /// The rendered prefix that the rows of a group belong to.
    package func partition(of group: TableGroup) -> String {
        var (site, host, program) = (group.site ?? "", group.host ?? "", group.program ?? "")
        return site.withUTF8 { site in
            host.withUTF8 { host in
                program.withUTF8 { program in
                    prefix.render(
                        PartitionValues(
                            time: group.time ?? Timestamp(seconds: 0), stream: stream,
                            site: UnsafeRawBufferPointer(site), host: UnsafeRawBufferPointer(host),
                            program: UnsafeRawBufferPointer(program), severity: group.severity))
                }
            }
        }
    }
}
