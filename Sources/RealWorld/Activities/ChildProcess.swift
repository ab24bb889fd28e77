import Dispatch
import Glibc
import Synchronization

/// A program that runs beside this one, with its output gathered.
///
/// Our own, because what the reference does at a timeout is to kill the program and to go on at once, whatever its own children still hold open; swift-subprocess
/// returns when the output has ended.
struct ChildProcess {
    /// How it ended.
    enum Outcome {
        /// By itself: with a status, or by a signal, which is a negative number.
        case ended(status: Int, output: [UInt8], errors: [UInt8])
        /// Its time was up; it was killed.
        case timedOut
        /// The caller was cancelled; it was left to itself, or killed if that was asked for.
        case cancelled
        /// It could not be started.
        case notStarted(reason: String)
        /// It wrote more than is gathered; it was killed.
        case tooMuchOutput(limit: Int)
    }

    /// The most that is gathered of each output.
    static let outputBytesMax: Int = 256 << 20

    /// The program's file.
    let path: String
    /// Its arguments, its name first.
    let arguments: [String]
    /// Its environment.
    let environment: [String: String]
    /// What it reads; nil lets it read what this process reads.
    var input: [UInt8]?
    /// How long it may take; nil is without limit.
    var timeout: Duration?
    /// Whether a cancelled caller ends it.
    var isKilledOnCancel: Bool = false

    /// Starts it and waits for its end.
    func run() async -> Outcome {
        let cancellation = EventDescriptor()
        defer { cancellation.close() }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                // A thread of its own: it spends its life waiting.
                DispatchQueue(label: "child process").async {
                    continuation.resume(returning: supervise(cancellation))
                }
            }
        } onCancel: {
            cancellation.signal()
        }
    }

    // MARK: Supervising

    private func supervise(_ cancellation: EventDescriptor) -> Outcome {
        let started: Started
        switch Self.starting.withLock({ _ in start() }) {
        case .success(let value): started = value
        case .failure(let reason): return .notStarted(reason: reason.text)
        }
        defer {
            Glibc.close(started.output)
            Glibc.close(started.errors)
        }
        let pid = started.pid
        var gathering = Gathering(
            output: started.output, errors: started.errors, input: started.input, rest: input?[...] ?? [])
        let deadline = timeout.map { ContinuousClock.now + $0 }
        while true {
            let left = deadline.map { milliseconds(ContinuousClock.now.duration(to: $0)) } ?? -1
            switch gathering.step(pid, cancellation.descriptor, left) {
            case .goOn: continue
            case .ended(let status): return .ended(status: status, output: gathering.output, errors: gathering.errors)
            case .timedOut:
                end(pid)
                gathering.closeInput()
                return .timedOut
            case .tooMuch:
                end(pid)
                gathering.closeInput()
                return .tooMuchOutput(limit: Self.outputBytesMax)
            case .cancelled:
                gathering.closeInput()
                if isKilledOnCancel { end(pid) }
                return .cancelled
            }
        }
    }

    /// A program that runs, and this process' ends of its pipes.
    private struct Started {
        let pid: pid_t
        let input: Int32
        let output: Int32
        let errors: Int32
    }

    private struct StartFailure: Error {
        let text: String
    }

    /// One at a time: a program that starts while another one's pipes are made would inherit them and keep them open.
    private static let starting: Mutex<Void> = Mutex(())

    private func start() -> Result<Started, StartFailure> {
        guard let output = Pipe(), let errors = Pipe() else {
            return .failure(StartFailure(text: systemError(errno)))
        }
        let inputPipe = input == nil ? nil : Pipe()
        var pid: pid_t = 0
        let failure = spawn(&pid, input: inputPipe, output: output, errors: errors)
        Glibc.close(output.writing)
        Glibc.close(errors.writing)
        if let inputPipe { Glibc.close(inputPipe.reading) }
        guard failure == 0 else {
            for descriptor in [output.reading, errors.reading, inputPipe?.writing ?? -1] { Glibc.close(descriptor) }
            return .failure(StartFailure(text: systemError(failure)))
        }
        return .success(
            Started(
                pid: pid, input: inputPipe?.writing ?? -1, output: output.reading, errors: errors.reading))
    }

    private func end(_ pid: pid_t) {
        kill(pid, SIGKILL)
        var status: Int32 = 0
        _ = unsafe waitpid(pid, &status, 0)
    }

    private func milliseconds(_ duration: Duration) -> Int32 {
        let (seconds, attoseconds) = duration.components
        guard seconds < 1_000_000 else { return 1_000_000_000 }
        return max(0, Int32(seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000))
    }

    private func systemError(_ code: Int32) -> String {
        unsafe String(cString: strerror(code))
    }

    private func spawn(_ pid: inout pid_t, input: Pipe?, output: Pipe, errors: Pipe) -> Int32 {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        if let input { unsafe posix_spawn_file_actions_adddup2(&actions, input.reading, 0) }
        unsafe posix_spawn_file_actions_adddup2(&actions, output.writing, 1)
        unsafe posix_spawn_file_actions_adddup2(&actions, errors.writing, 2)
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        // What this process ignores or blocks, the program does not.
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe posix_spawnattr_setsigmask(&attributes, &signals)
        for signal in [SIGINT, SIGTERM, SIGPIPE, SIGUSR1, SIGUSR2] { unsafe sigaddset(&signals, signal) }
        unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        let texts = environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        return unsafe withCStrings(arguments) { arguments in
            unsafe withCStrings(texts) { environment in
                unsafe posix_spawn(&pid, path, &actions, &attributes, arguments, environment)
            }
        }
    }

    private func withCStrings<Result>(
        _ texts: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) -> Result {
        var pointers: [UnsafeMutablePointer<CChar>?] = unsafe texts.map { unsafe strdup($0) } + [nil]
        defer { for unsafe pointer in unsafe pointers { unsafe free(pointer) } }
        return unsafe pointers.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { fatalError("an array with an element has an address") }
            return unsafe body(UnsafePointer(base))
        }
    }
}

/// What was read of a program so far, and what it has not read yet.
private struct Gathering {
    enum Step {
        case goOn
        case ended(Int)
        case timedOut
        case cancelled
        case tooMuch
    }

    private(set) var output: [UInt8] = []
    private(set) var errors: [UInt8] = []
    private var outputDescriptor: Int32
    private var errorsDescriptor: Int32
    private var inputDescriptor: Int32
    private var rest: ArraySlice<UInt8>

    /// How long to wait before looking again whether a program ended that has closed its output.
    private static let endInterval: Int32 = 2

    init(output: Int32, errors: Int32, input: Int32, rest: ArraySlice<UInt8>) {
        outputDescriptor = output
        errorsDescriptor = errors
        inputDescriptor = input
        self.rest = rest
        if input >= 0 { _ = fcntl(input, F_SETFL, O_NONBLOCK) }
    }

    mutating func closeInput() {
        if inputDescriptor >= 0 { Glibc.close(inputDescriptor) }
        inputDescriptor = -1
    }

    /// Waits for something to happen and deals with it.
    mutating func step(_ pid: pid_t, _ cancellation: Int32, _ milliseconds: Int32) -> Step {
        let hasClosed = outputDescriptor < 0 && errorsDescriptor < 0
        if hasClosed {
            closeInput()
            var status: Int32 = 0
            if unsafe waitpid(pid, &status, WNOHANG) == pid {
                let signal = status & 0x7f
                return .ended(signal == 0 ? Int(status >> 8 & 0xff) : -Int(signal))
            }
        }
        if inputDescriptor >= 0, rest.isEmpty { closeInput() }
        var polls = [
            pollfd(fd: outputDescriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: errorsDescriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: inputDescriptor, events: Int16(POLLOUT), revents: 0),
            pollfd(fd: cancellation, events: Int16(POLLIN), revents: 0),
        ]
        let wait = hasClosed && (milliseconds < 0 || milliseconds > Self.endInterval) ? Self.endInterval : milliseconds
        let ready = unsafe poll(&polls, nfds_t(polls.count), wait)
        if ready == 0 { return milliseconds >= 0 && milliseconds == wait ? .timedOut : .goOn }
        guard ready > 0 else { return .goOn }
        if polls[3].revents != 0 { return .cancelled }
        if polls[2].revents != 0 { write() }
        if polls[0].revents != 0, !Self.read(outputDescriptor, &output) { outputDescriptor = -1 }
        if polls[1].revents != 0, !Self.read(errorsDescriptor, &errors) { errorsDescriptor = -1 }
        return max(output.count, errors.count) > ChildProcess.outputBytesMax ? .tooMuch : .goOn
    }

    private mutating func write() {
        let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(inputDescriptor, $0.baseAddress, $0.count) }
        if count > 0 { rest = rest.dropFirst(count) } else if errno != EAGAIN { rest = [] }
    }

    /// Reads what is there; false at the end.
    private static func read(_ descriptor: Int32, _ bytes: inout [UInt8]) -> Bool {
        let piece = unsafe [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, count in
            unsafe count = max(0, Glibc.read(descriptor, buffer.baseAddress, buffer.count))
        }
        bytes += piece
        return !piece.isEmpty
    }
}

/// Two ends of a pipe that no program inherits by itself.
private struct Pipe {
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

/// Wakes a thread that waits for descriptors.
private final class EventDescriptor: Sendable {
    private let pipe: Pipe? = Pipe()

    /// What becomes readable with the signal; -1, which never does, where no pipe could be made.
    var descriptor: Int32 { pipe?.reading ?? -1 }

    func signal() {
        guard let pipe else { return }
        var byte: UInt8 = 1
        _ = unsafe write(pipe.writing, &byte, 1)
    }

    func close() {
        guard let pipe else { return }
        Glibc.close(pipe.reading)
        Glibc.close(pipe.writing)
    }
}
