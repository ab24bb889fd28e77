import Dispatch
import Foundation
import Glibc
import SimulationKernel

/// A mistake in tested code that makes its runs differ, planted to see that it is found.
public enum Leak: String, CaseIterable, Sendable {
    /// The order of a set's elements decides something.
    case hashOrder = "hash-order"
    /// An object's address decides something.
    case address
    /// A clock is read by a raw system call.
    case wallClock = "wall-clock"
    /// CPU time is read.
    case cpuTime = "cpu-time"
    /// A task goes on when a real thread says so.
    case realThread = "real-thread"
    /// Work is handed to Dispatch.
    case dispatch
    /// The real thread sleeps.
    case realSleep = "real-sleep"
    /// One piece of work holds the thread for a while.
    case blockedThread = "blocked-thread"
    /// The thread waits for what never comes.
    case stuckThread = "stuck-thread"
    /// The order of a set's elements decides the bytes of a message, not their number.
    case payload
    /// The order of a set's elements decides how often a named stream is drawn from.
    case streamDraws = "stream-draws"
    /// The order of a set's elements decides which bytes are written to a disk.
    case diskBytes = "disk-bytes"
    /// The order of a set's elements decides what a link's bandwidth becomes, after which nothing is sent.
    case linkOptions = "link-options"

    /// What makes the runs differ; ``hashOrder`` and ``address`` have to be found by comparing runs.
    public var cause: Leak {
        switch self {
        case .hashOrder, .payload, .streamDraws, .diskBytes, .linkOptions: .hashOrder
        case .address, .wallClock, .cpuTime, .realThread, .dispatch, .realSleep, .blockedThread, .stuckThread: self
        }
    }

    /// Makes the mistake once.
    func commit() async {
        switch self {
        case .hashOrder:
            let names: Set<String> = ["hall", "kitchen", "bath", "cellar", "attic", "garage", "office", "nursery"]
            for name in names { Simulation.note("visits \(name)") }
        case .address:
            let object = Box()
            Simulation.note("object", UInt64(UInt(bitPattern: ObjectIdentifier(object))))
        case .wallClock:
            var now = timespec()
            withUnsafeMutablePointer(to: &now) { pointer in
                _ = rawClockRead(pointer)
            }
            Simulation.note("time", UInt64(now.tv_nsec))
        case .cpuTime:
            Simulation.note("cpu", UInt64(clock()))
        case .realThread:
            await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
                let thread = Thread { continuation.resume() }
                thread.start()
            }
        case .dispatch:
            await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
                DispatchQueue.global().async { continuation.resume() }
            }
        case .realSleep:
            usleep(100)
        case .blockedThread:
            for _ in 0..<3_000_000 { _ = getppid() }
        case .stuckThread:
            waitForever()
        case .payload, .streamDraws, .diskBytes, .linkOptions:
            // In the world around the hosts; see `PlantedWorld`.
            break
        }
    }

    private func waitForever() {
        DispatchSemaphore(value: 0).wait()
    }

    private func rawClockRead(_ pointer: UnsafeMutablePointer<timespec>) -> Int {
        // syscall(2) is variadic, which Swift cannot call; this is what such code would reach it through.
        typealias Call = @convention(c) (Int, Int, UnsafeMutablePointer<timespec>) -> Int
        guard let symbol = dlsym(nil, "syscall") else { return -1 }
        return unsafeBitCast(symbol, to: Call.self)(Self.clockCall, Int(CLOCK_REALTIME), pointer)
    }

    #if arch(x86_64)
    private static let clockCall: Int = 228
    #else
    private static let clockCall: Int = 113
    #endif
}

private final class Box {}
