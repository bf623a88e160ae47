// Tells when files change, without looking at them again and again: inotify(7) on each open file and on the folders of
// the patterns. One thread waits in poll(2); standing still costs nothing. Where inotify is not to be had, or has no
// watches left, the run looks at the files itself once a second.
import Glibc
import Synchronization

/// What the watcher saw.
struct FileChanges: Equatable, Sendable {
    /// Numbers of the files that were written to.
    var files: Set<Int> = []
    /// A name appeared or went in a folder, or a file was renamed or removed.
    var namesChanged = false
    /// Events were lost: everything may have changed.
    var lostEvents = false
}

final class FileWatcher: Sendable {
    /// A busy file causes at most so many wake-ups: 1 in each of these.
    private static let pauseMicroseconds: UInt32 = 10_000
    private static let bufferBytes = 64 << 10

    private let inotify: Int32
    /// A pipe: somebody writes to the second end to end a wait.
    private let wakeup: (read: Int32, write: Int32)
    private let shared = Mutex(Shared())

    private struct Shared {
        var files: [Int32: Int] = [:]
        var folders: [Int32: String] = [:]
        var isStopped = false
        /// Some file or folder has no watch.
        var isPartial = false
    }

    /// Nil when the kernel gives no inotify instance.
    init?() {
        inotify = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
        var ends: [Int32] = [-1, -1]
        let isPiped = pipe(&ends) == 0
        for end in ends where isPiped {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        wakeup = (ends[0], ends[1])
        guard inotify >= 0, isPiped else {
            for descriptor in ends + [inotify] where descriptor >= 0 { close(descriptor) }
            return nil
        }
    }

    deinit {
        for descriptor in [inotify, wakeup.read, wakeup.write] { close(descriptor) }
    }

    /// A signal handler may write a byte to it to end a wait.
    var wakeDescriptor: Int32 { wakeup.write }
    /// True when some files must be looked at by hand.
    var isPartial: Bool { shared.withLock { $0.isPartial } }

    /// Watches an open file, whatever its name is by now.
    func watch(file: SourceFile, number: Int) {
        let mask = UInt32(IN_MODIFY | IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF)
        let watch = inotify_add_watch(inotify, "/proc/self/fd/\(file.descriptor)", mask)
        shared.withLock { if watch >= 0 { $0.files[watch] = number } else { $0.isPartial = true } }
    }

    /// Watches the names in a folder.
    func watch(folder: String) {
        let mask = UInt32(IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ONLYDIR)
        let watch = inotify_add_watch(inotify, folder, mask)
        shared.withLock { if watch >= 0 { $0.folders[watch] = folder } else { $0.isPartial = true } }
    }

    /// Ends watching a file.
    func forget(number: Int) {
        let watches = shared.withLock { shared in
            let found = shared.files.filter { $0.value == number }.map(\.key)
            for watch in found { shared.files[watch] = nil }
            return found
        }
        for watch in watches { inotify_rm_watch(inotify, watch) }
    }

    /// Starts the thread, which gives what it sees to `report` until `stop`. An empty report means that somebody wrote
    /// to `wakeDescriptor`.
    func start(_ report: @escaping @Sendable (FileChanges) -> Void) {
        let context = Unmanaged.passRetained(WatcherThread(watcher: self, report: report))
        var thread = pthread_t()
        if pthread_create(&thread, nil, watcherMain, context.toOpaque()) == 0 {
            pthread_detach(thread)
        } else {
            context.release()
            shared.withLock { $0.isPartial = true }
        }
    }

    func stop() {
        shared.withLock { $0.isStopped = true }
        var byte: UInt8 = 1
        _ = write(wakeup.write, &byte, 1)
    }

    fileprivate func run(_ report: (FileChanges) -> Void) {
        var descriptors = [
            pollfd(fd: inotify, events: Int16(POLLIN), revents: 0),
            pollfd(fd: wakeup.read, events: Int16(POLLIN), revents: 0),
        ]
        var buffer = [UInt8](repeating: 0, count: Self.bufferBytes)
        while !shared.withLock({ $0.isStopped }) {
            let count = poll(&descriptors, 2, -1)
            if count < 0 && errno != EINTR {
                shared.withLock { $0.isPartial = true }
                return
            }
            let wasWoken = read(wakeup.read, &buffer, buffer.count) > 0
            let length = read(inotify, &buffer, buffer.count)
            let changes = length > 0 ? parse(buffer[..<length]) : FileChanges()
            if wasWoken || changes != FileChanges() { report(changes) }
            if length > 0 { usleep(Self.pauseMicroseconds) }
        }
    }

    /// inotify(7): watch, mask, cookie, length of the name, name.
    private func parse(_ bytes: ArraySlice<UInt8>) -> FileChanges {
        var changes = FileChanges()
        let headerBytes = 16
        bytes.withUnsafeBytes { bytes in
            var at = 0
            while at + headerBytes <= bytes.count {
                let watch = bytes.loadUnaligned(fromByteOffset: at, as: Int32.self)
                let mask = bytes.loadUnaligned(fromByteOffset: at + 4, as: UInt32.self)
                let nameBytes = Int(bytes.loadUnaligned(fromByteOffset: at + 12, as: UInt32.self))
                at += headerBytes + nameBytes
                if mask & UInt32(IN_Q_OVERFLOW) != 0 { changes.lostEvents = true }
                if let number = shared.withLock({ $0.files[watch] }) {
                    if mask & UInt32(IN_MODIFY | IN_ATTRIB) != 0 { changes.files.insert(number) }
                    if mask & UInt32(IN_MOVE_SELF | IN_DELETE_SELF) != 0 { changes.namesChanged = true }
                } else if shared.withLock({ $0.folders[watch] }) != nil {
                    changes.namesChanged = true
                }
            }
        }
        return changes
    }
}

private final class WatcherThread {
    let watcher: FileWatcher
    let report: @Sendable (FileChanges) -> Void
    init(watcher: FileWatcher, report: @escaping @Sendable (FileChanges) -> Void) {
        self.watcher = watcher
        self.report = report
    }
}

/// Blocks every signal: they belong to the main thread.
private func watcherMain(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context else { return nil }
    var signals = sigset_t()
    sigfillset(&signals)
    pthread_sigmask(SIG_BLOCK, &signals, nil)
    let thread = Unmanaged<WatcherThread>.fromOpaque(context).takeRetainedValue()
    thread.watcher.run(thread.report)
    return nil
}
