#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// A thread of our own. Where there can be none, that is an error before the command runs: a queue of Dispatch waits for
/// one without end.
enum BackgroundThread {
    private final class Work {
        let body: @Sendable () -> Void

        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    /// Runs `body` on a new thread, which leaves all signals to the others.
    static func start(_ body: @escaping @Sendable () -> Void) throws(LaunchError) {
        let work = Unmanaged.passRetained(Work(body))
        var (all, before) = (sigset_t(), sigset_t())
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, &before)
        #if canImport(Glibc)
            var thread = pthread_t()
            let error = pthread_create(&thread, nil, { BackgroundThread.run($0) }, work.toOpaque())
        #else
            var thread: pthread_t?
            let error = pthread_create(&thread, nil, { BackgroundThread.run($0) }, work.toOpaque())
        #endif
        pthread_sigmask(SIG_SETMASK, &before, nil)
        guard error == 0 else {
            work.release()
            throw .runner(operation: "start a thread", errno: error)
        }
        #if canImport(Glibc)
            pthread_detach(thread)
        #else
            if let thread { pthread_detach(thread) }
        #endif
    }

    private static func run(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        if let context { Unmanaged<Work>.fromOpaque(context).takeRetainedValue().body() }
        return nil
    }
}
