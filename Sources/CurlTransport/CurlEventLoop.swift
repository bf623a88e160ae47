// The one thread that touches libcurl: a serial executor that runs the transport's actor jobs and, in between, waits
// in `curl_multi_poll`. What must stay true: every call on the multi handle happens on this thread, except
// `curl_multi_wakeup`, which is made to be called from outside; the handle is freed by this thread, after the last
// wake-up.
import CCurl
import Glibc
import HTTP
import Synchronization

/// Something that wants to be called on the loop's thread whenever jobs ran or a socket or timer is ready.
protocol CurlEventLoopClient: Actor {
    func pump()
}

final class CurlEventLoop: SerialExecutor {
    /// Longest wait without a look at the queue. libcurl's own timers and wake-ups end a wait earlier.
    private static let pollMilliseconds: Int32 = 60_000
    /// Pause after a failed poll, so that a broken descriptor cannot make the loop spin.
    private static let pauseMicroseconds: UInt32 = 10_000

    // Safe: set once; used by the loop's thread, and for `curl_multi_wakeup` under the lock while not stopped.
    nonisolated(unsafe) let multi: UnsafeMutableRawPointer
    private let shared = Mutex(Shared())

    private struct Shared {
        var jobs: [UnownedJob] = []
        var isStopped = false
        var thread: pthread_t?
        weak var client: (any CurlEventLoopClient)?
    }

    /// Sets up libcurl and the multi handle; `start` begins the thread.
    init(connectionsMax: Int) throws(HTTPTransportError) {
        guard CurlEventLoop.isLibraryReady, let multi = curl_multi_init() else {
            throw HTTPTransportError(kind: .other, host: "", message: "libcurl could not be set up")
        }
        _ = sluice_curl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, connectionsMax)
        self.multi = multi
    }

    /// Starts the thread, which holds the loop until `stop`, and the client only weakly.
    func start(for client: any CurlEventLoopClient) throws(HTTPTransportError) {
        let context = Unmanaged.passRetained(self)
        let failure = shared.withLock { state -> Int32 in
            state.client = client
            var thread = pthread_t()
            let code = pthread_create(&thread, nil, curlEventLoopMain, context.toOpaque())
            if code == 0 {
                state.thread = thread
                pthread_detach(thread)
            }
            return code
        }
        guard failure != 0 else { return }
        context.release()
        curl_multi_cleanup(multi)
        throw HTTPTransportError(kind: .other, host: "", message: "no thread for the network: errno \(failure)")
    }

    /// Ends the thread after the jobs that are queued. From the client's deinit: nothing can be under way then.
    func stop() {
        shared.withLock { state in
            guard state.thread != nil else { return }
            state.isStopped = true
            _ = curl_multi_wakeup(multi)
        }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        shared.withLock { state in
            state.jobs.append(job)
            _ = curl_multi_wakeup(multi)
        }
    }

    func checkIsolated() {
        precondition(isCurrent, "libcurl may be used on the event loop's thread only")
    }

    private var isCurrent: Bool {
        shared.withLock { state in state.thread.map { pthread_equal($0, pthread_self()) != 0 } ?? false }
    }

    fileprivate func run() {
        while true {
            let (jobs, isStopped) = shared.withLock { state in
                let taken = (state.jobs, state.isStopped)
                state.jobs.removeAll(keepingCapacity: true)
                return taken
            }
            for job in jobs { job.runSynchronously(on: asUnownedSerialExecutor()) }
            if isStopped && jobs.isEmpty { break }
            // The strong reference ends with this call: the client's deinit may run here and stop the loop.
            shared.withLock { $0.client }?.assumeIsolated { $0.pump() }
            if curl_multi_poll(multi, nil, 0, CurlEventLoop.pollMilliseconds, nil) != CURLM_OK {
                usleep(CurlEventLoop.pauseMicroseconds)
            }
        }
        curl_multi_cleanup(multi)
    }

    /// `curl_global_init` is wanted once a process. It would open SSLKEYLOGFILE, which writes the session keys.
    private static let isLibraryReady: Bool = {
        if getenv("SSLKEYLOGFILE") != nil { unsetenv("SSLKEYLOGFILE") }
        return sluice_curl_global_init() == CURLE_OK
    }()
}

/// Blocks every signal: they belong to the main thread, and a broken connection must be an error, not SIGPIPE.
private func curlEventLoopMain(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context else { return nil }
    var signals = sigset_t()
    sigfillset(&signals)
    pthread_sigmask(SIG_BLOCK, &signals, nil)
    let loop = Unmanaged<CurlEventLoop>.fromOpaque(context).takeRetainedValue()
    loop.run()
    return nil
}
