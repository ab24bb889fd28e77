import Glibc
import Synchronization

/// A program that runs, and this process' ends of its pipes.
struct StartedProgram {
    let pid: pid_t
    /// What it reads is written here; -1 when it reads what this process reads.
    let input: Int32
    /// What it writes is read here.
    let output: Int32
    /// The program's errors are read here; -1 when they go where this process' go.
    let errors: Int32

    /// Lets programs start one at a time: one that starts while another one's pipes are made would inherit them and keep them open.
    private static let starting: Mutex<Void> = Mutex(())

    /// Starts a program.
    ///
    /// - Throws: ``FileError`` with the system's words.
    static func start(
        _ path: String, _ arguments: [String], environment: [String: String], hasInput: Bool, hasErrors: Bool
    ) throws(FileError) -> StartedProgram {
        try starting.withLock { _ throws(FileError) in
            guard let output = Pipe() else { throw FileError(path, errno) }
            let input = hasInput ? Pipe() : nil
            let errors = hasErrors ? Pipe() : nil
            var pid: pid_t = 0
            let failure = spawn(&pid, path, arguments, environment, input: input, output: output, errors: errors)
            for descriptor in [output.writing, errors?.writing, input?.reading] {
                if let descriptor { close(descriptor) }
            }
            guard failure == 0 else {
                for descriptor in [output.reading, errors?.reading, input?.writing] {
                    if let descriptor { close(descriptor) }
                }
                throw FileError(path, failure)
            }
            return StartedProgram(
                pid: pid, input: input?.writing ?? -1, output: output.reading, errors: errors?.reading ?? -1)
        }
    }

    private static func spawn(
        _ pid: inout pid_t, _ path: String, _ arguments: [String], _ environment: [String: String], input: Pipe?,
        output: Pipe, errors: Pipe?
    ) -> Int32 {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        if let input { unsafe posix_spawn_file_actions_adddup2(&actions, input.reading, 0) }
        unsafe posix_spawn_file_actions_adddup2(&actions, output.writing, 1)
        if let errors { unsafe posix_spawn_file_actions_adddup2(&actions, errors.writing, 2) }
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        // What this process ignores or blocks, the program does not.
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe posix_spawnattr_setsigmask(&attributes, &signals)
        for signal in [SIGINT, SIGTERM, SIGPIPE, SIGUSR1, SIGUSR2, SIGHUP, SIGQUIT] {
            unsafe sigaddset(&signals, signal)
        }
        unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        let texts = environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        return unsafe withCStrings(arguments) { arguments in
            unsafe withCStrings(texts) { environment in
                unsafe posix_spawn(&pid, path, &actions, &attributes, arguments, environment)
            }
        }
    }

    private static func withCStrings<Result>(
        _ texts: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) -> Result {
        var pointers: [UnsafeMutablePointer<CChar>?] = unsafe texts.map { unsafe strdup($0) } + [nil]
        defer { unsafe pointers.forEach { unsafe free($0) } }
        return unsafe pointers.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { fatalError("an array with an element has an address") }
            return unsafe body(UnsafePointer(base))
        }
    }
}

/// Two ends of a pipe that no program inherits by itself.
struct Pipe {
    let reading: Int32
    let writing: Int32

    init?() {
        var ends: [Int32] = [0, 0]
        guard unsafe pipe(&ends) == 0 else { return nil }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        reading = ends[0]
        writing = ends[1]
    }
}
