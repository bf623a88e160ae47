// What this machine tells AWS code about itself: variables, the home directory, files, and a way to run one program.
// Nothing in this target looks at the real environment: the executable builds one of these, tests build another.
package import CivilTime

/// The seams to the machine. Variable values and file contents are secrets: descriptions show names only.
package struct AWSEnvironment: Sendable {
    package var variables: [String: String]
    /// Absolute; `~/` in paths stands for it.
    package var homeDirectory: String
    /// The whole file, or nil when there is none. Throws `FileFailure` for everything else.
    package var readFile: @Sendable (_ path: String) throws -> [UInt8]?
    /// When the file was last changed; nil when there is none.
    package var fileModified: @Sendable (_ path: String) -> Timestamp?
    /// Replaces the file in one step, readable by its owner only. Throws `FileFailure`.
    package var writeFile: @Sendable (_ path: String, _ bytes: [UInt8]) throws -> Void
    /// Runs one program without a shell. Throws `ProcessFailure`.
    package var runProcess: @Sendable (ProcessCommand) async throws -> ProcessOutput

    package init(
        variables: [String: String], homeDirectory: String,
        readFile: @escaping @Sendable (_ path: String) throws -> [UInt8]?,
        fileModified: @escaping @Sendable (_ path: String) -> Timestamp?,
        writeFile: @escaping @Sendable (_ path: String, _ bytes: [UInt8]) throws -> Void,
        runProcess: @escaping @Sendable (ProcessCommand) async throws -> ProcessOutput
    ) {
        self.variables = variables
        self.homeDirectory = homeDirectory
        self.readFile = readFile
        self.fileModified = fileModified
        self.writeFile = writeFile
        self.runProcess = runProcess
    }

    /// The value of a variable; an empty one counts as not set, as the AWS tools have it.
    package func variable(_ name: String) -> String? {
        guard let value = variables[name], !value.isEmpty else { return nil }
        return value
    }

    /// `path` with a leading `~/` replaced by the home directory.
    package func expandingHome(_ path: String) -> String {
        if path == "~" { return homeDirectory }
        guard path.hasPrefix("~/") else { return path }
        return homeDirectory + path.dropFirst(1)
    }
}

extension AWSEnvironment: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "environment(\(variables.keys.sorted().joined(separator: " ")))" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: ["variables": variables.keys.sorted()]) }
}

/// Why a file could not be read or written, in the system's words.
package struct FileFailure: Error, Equatable {
    package var message: String
    package init(_ message: String) { self.message = message }
}

/// One program to run, with bounds.
package struct ProcessCommand: Sendable, Equatable {
    /// Program and arguments. A program without `/` is looked up in PATH.
    package var arguments: [String]
    /// The child's whole environment.
    package var variables: [String: String]
    /// After this long the process group is killed.
    package var timeout: Duration
    /// More standard output than this is a failure.
    package var outputBytesMax: Int

    package init(arguments: [String], variables: [String: String], timeout: Duration, outputBytesMax: Int) {
        self.arguments = arguments
        self.variables = variables
        self.timeout = timeout
        self.outputBytesMax = outputBytesMax
    }
}

/// How a process ended and what it printed. Standard error is thrown away but for its size: it may hold secrets.
package struct ProcessOutput: Sendable, Equatable, CustomReflectable {
    package enum Ending: Sendable, Equatable {
        case exited(Int32)
        case signalled(Int32)
    }
    package var ending: Ending
    package var standardOutput: [UInt8]
    package var standardErrorBytes: Int

    package init(ending: Ending, standardOutput: [UInt8], standardErrorBytes: Int = 0) {
        self.ending = ending
        self.standardOutput = standardOutput
        self.standardErrorBytes = standardErrorBytes
    }

    package var customMirror: Mirror { Mirror(self, children: ["ending": ending]) }
}

/// Why there is no `ProcessOutput`.
package enum ProcessFailure: Error, Equatable {
    /// The program could not be started: the system's words.
    case cannotStart(String)
    case timedOut
    case outputTooLarge
    /// A pipe or wait failed: the system's words.
    case system(String)
}
