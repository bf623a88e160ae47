/// One job file, loaded and checked: the kind of job decides which keys it has.
package enum JobFile: Sendable, Equatable {
    case archive(ArchiveJobFile)
    case ship(ShipJobFile)

    /// What `job:` says.
    package enum Kind: String, CaseIterable, Sendable { case archive, ship }

    package var kind: Kind {
        switch self {
        case .archive: .archive
        case .ship: .ship
        }
    }

    package var name: String {
        switch self {
        case .archive(let file): file.name
        case .ship(let file): file.name
        }
    }
}

/// The stream that a job reads from or writes to.
package struct StreamReference: Sendable, Equatable {
    /// The name alone: for keys, state and messages.
    package var name: String
    /// The ARN, when the job file gives one; requests then name the stream by it.
    package var arn: String?
    package var region: String

    /// What requests name the stream by.
    package var reference: String { arn ?? name }

    package init(name: String, arn: String? = nil, region: String) {
        self.name = name
        self.arn = arn
        self.region = region
    }
}
