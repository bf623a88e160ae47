// Runs one program with a deadline and an output cap: no shell, stdin from /dev/null, own process group, default
// signals. Standard error is read and counted but not kept, since credential programs may print secrets there.
import Dispatch
import Glibc

enum SystemProcess {
    /// How often the child is looked at between reads.
    private static let pollMilliseconds: Int32 = 50
    /// Why the child's pipes are read no further.
    private enum Stop { case finished, timedOut, tooLarge }

    static func run(_ command: ProcessCommand) async throws -> ProcessOutput {
        // Reading and waiting block, so they get a thread of their own and not one of the cooperative pool.
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(with: Result { try runBlocking(command) })
            }
        }
    }

    private static func runBlocking(_ command: ProcessCommand) throws -> ProcessOutput {
        let output = try Pipe()
        let errors = try Pipe()
        defer {
            output.closeBoth()
            errors.closeBoth()
        }
        let child = try spawn(command, output: output, errors: errors)
        output.closeWriter()
        errors.closeWriter()

        var bytes: [UInt8] = []
        var errorBytes = 0
        let deadline = monotonicMilliseconds() + milliseconds(command.timeout)
        let stop = drain(
            [output, errors], until: deadline,
            take: { index, chunk in
                if index == 0 { bytes += chunk } else { errorBytes += chunk.count }
                return bytes.count <= command.outputBytesMax
            })
        guard stop == .finished, let status = wait(for: child, until: deadline) else {
            // The group: a wrapper script's children must not outlive it.
            kill(-child, SIGKILL)
            var ignored: Int32 = 0
            while waitpid(child, &ignored, 0) < 0, errno == EINTR {}
            throw stop == .tooLarge ? ProcessFailure.outputTooLarge : ProcessFailure.timedOut
        }
        let signal = status & 0x7F
        return ProcessOutput(
            ending: signal == 0 ? .exited((status >> 8) & 0xFF) : .signalled(signal), standardOutput: bytes,
            standardErrorBytes: errorBytes)
    }

    private static func spawn(_ command: ProcessCommand, output: Pipe, errors: Pipe) throws -> pid_t {
        guard let program = command.arguments.first else { throw ProcessFailure.cannotStart("no program is named") }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output.writer, 1)
        posix_spawn_file_actions_adddup2(&actions, errors.writer, 2)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))

        var child: pid_t = 0
        let arguments = CStrings(command.arguments)
        let variables = CStrings(command.variables.map { "\($0.key)=\($0.value)" })
        defer {
            arguments.free()
            variables.free()
        }
        let code = posix_spawnp(&child, program, &actions, &attributes, arguments.pointers, variables.pointers)
        guard code == 0 else { throw ProcessFailure.cannotStart(systemMessage(code)) }
        return child
    }

    /// Reads all pipes until each is closed, the deadline passes, or `take` says no.
    private static func drain(
        _ pipes: [Pipe], until deadline: Int64, take: (_ index: Int, _ chunk: ArraySlice<UInt8>) -> Bool
    ) -> Stop {
        var chunk = [UInt8](repeating: 0, count: 16 << 10)
        var isOpen = pipes.map { _ in true }
        while isOpen.contains(true) {
            let left = deadline - monotonicMilliseconds()
            guard left > 0 else { return .timedOut }
            var polled = pipes.indices.map {
                pollfd(fd: isOpen[$0] ? pipes[$0].reader : -1, events: Int16(POLLIN), revents: 0)
            }
            guard poll(&polled, nfds_t(polled.count), Int32(clamping: left)) > 0 else { continue }
            for index in pipes.indices where isOpen[index] && polled[index].revents != 0 {
                let count = read(pipes[index].reader, &chunk, chunk.count)
                if count > 0 {
                    guard take(index, chunk[0..<count]) else { return .tooLarge }
                } else if count == 0 || errno != EINTR {
                    isOpen[index] = false
                }
            }
        }
        return .finished
    }

    /// The wait status, or nil when the deadline passes first: a child may close its pipes and go on.
    private static func wait(for child: pid_t, until deadline: Int64) -> Int32? {
        var status: Int32 = 0
        while true {
            let result = waitpid(child, &status, WNOHANG)
            if result == child { return status }
            if result < 0, errno != EINTR { return nil }
            guard monotonicMilliseconds() < deadline else { return nil }
            _ = poll(nil, 0, pollMilliseconds)
        }
    }

    private static func monotonicMilliseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
    }

    private static func milliseconds(_ duration: Duration) -> Int64 {
        let (seconds, attoseconds) = duration.components
        return seconds * 1_000 + attoseconds / 1_000_000_000_000_000
    }
}

/// A pipe whose ends close on exec; the child gets copies.
private final class Pipe {
    private(set) var reader: Int32
    private(set) var writer: Int32

    init() throws {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw ProcessFailure.system(systemMessage(errno)) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        reader = ends[0]
        writer = ends[1]
    }

    func closeWriter() {
        if writer >= 0 { close(writer) }
        writer = -1
    }

    func closeBoth() {
        closeWriter()
        if reader >= 0 { close(reader) }
        reader = -1
    }
}

/// A null-terminated array of C strings; `free` must be called.
private struct CStrings {
    var pointers: [UnsafeMutablePointer<CChar>?]
    init(_ strings: [String]) { pointers = strings.map { strdup($0) } + [nil] }
    func free() { for pointer in pointers { Glibc.free(pointer) } }
}
