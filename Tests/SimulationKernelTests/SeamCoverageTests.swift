import CSeamProbes
import CSystemSeam
import Foundation
import SimulationKernel
import XCTest

/// Every function of libc's that waits, tells the time, draws, or makes threads and processes is virtual, refused, or listed.
final class SeamCoverageTests: XCTestCase {
    /// Parts of names by which a function belongs to one of the families.
    private static let families: [String] = [
        "sleep", "clock", "poll", "select", "timed", "rand", "entropy", "fork", "clone", "spawn", "thrd_", "exec",
        "wait",
        "alarm", "timer", "pause", "suspend", "popen", "daemon", "rusage", "sysinfo", "mq_", "aio_", "lio_",
        "getaddrinfo",
        "gai_", "gettimeofday", "timespec", "ntp_", "adjtime", "stime", "settimeofday", "semtimedop", "recvmmsg",
        "mtx_",
        "cnd_", "utime", "getpid", "gettid", "getload", "sched_", "temp", "tmpnam", "random",
    ]
    private static let prefixes: [String] = [
        "open", "creat", "fopen", "freopen", "read", "pread", "__read", "__pread", "__open", "close", "dup", "fcntl",
        "pthread_create", "pthread_atfork",
    ]
    private static let names: Set<String> = ["system", "times", "time", "ftime", "setsockopt", "syscall"]
    /// What the names of other families have in common with these.
    private static let others: [String] = ["temporal", "template", "attempt", "strtime", "msgrcv"]

    private var coverage: [String: seam_coverage] {
        var result: [String: seam_coverage] = [:]
        var name: UnsafePointer<CChar>?
        var kind = SEAM_VIRTUAL
        var index: Int32 = 0
        while seam_covered(index, &name, &kind) {
            if let name {
                let text = String(cString: name)
                XCTAssertNil(result[text], "\(text) is listed twice")
                result[text] = kind
            }
            index += 1
        }
        return result
    }

    func testEveryFunctionOfTheFamiliesIsInAList() throws {
        let exported = try ELFSymbols(ofLibraryWith: "gnu_get_libc_version").functions
        XCTAssertGreaterThan(exported.count, 1500)
        let coverage = coverage
        let missing = exported.filter { name in
            coverage[name] == nil
                && (Self.names.contains(name) || Self.prefixes.contains(where: name.hasPrefix)
                    || Self.families.contains(where: name.contains))
                && !Self.others.contains(where: name.contains)
        }
        XCTAssertEqual(missing.sorted(), [], "functions of libc that nobody has decided about: add them to coverage.c")
    }

    // What is listed as virtual or refused is the program's own function, wherever it is called from.
    func testWhatIsListedAsCoveredIsInterposed() throws {
        let libc = try XCTUnwrap(library_with("gnu_get_libc_version").map { String(cString: $0) })
        for (name, kind) in coverage.sorted(by: { $0.key < $1.key }) where kind == SEAM_VIRTUAL || kind == SEAM_REFUSED
        {
            let library = try XCTUnwrap(library_with(name).map { String(cString: $0) }, "\(name) is nowhere")
            XCTAssertNotEqual(library, libc, "\(name) is libc's own")
        }
    }

    // MARK: What each family does in a strict run

    private func violation(_ body: @escaping () -> Void) throws -> GuardViolation.Kind? {
        let outcome = try Simulation(seed: 1).run { body() }
        return outcome.violations.first?.kind
    }

    func testARunLoopThatWaitsIsCaught() throws {
        let outcome = try Simulation(seed: 1).run { runsALoop() }
        let violation = try XCTUnwrap(outcome.violations.first)
        // Foundation's asks Dispatch to wake it.
        XCTAssertEqual(violation.kind, .dispatchedWork)
        XCTAssertTrue("\(violation)".contains("RunLoop.run(until:"), "\(violation)")
    }

    // Each answers as if the time had passed, or as if it could not be done; what does not leave the simulation is let be.
    func testWhatLeavesTheSimulationIsCaughtByName() throws {
        let kinds: [Substring: GuardViolation.Kind?] = [
            "sleep": .realSleep, "timer": .realTimer, "thread": .threadCreated, "process": .processCreated,
            "clock": .realClockRead, "nothing": nil,
        ]
        var number = 0
        while let probe = seam_probe_names(number) {
            number += 1
            let name = String(cString: probe)
            var problem: String?
            let seen = try violation { problem = seam_probe(name).map { String(cString: $0) } }
            let expected = try XCTUnwrap(kinds[name.prefix { $0 != " " }], name)
            XCTAssertEqual(seen, expected, name)
            XCTAssertNil(problem, name)
        }
        XCTAssertGreaterThan(number, 20)
    }

    func testTheMachinesUptimeIsVirtual() throws {
        let uptime = try Simulation(seed: 1).run {
            try await Task.sleep(for: .seconds(100))
            return uptime_of_sysinfo()
        }
        XCTAssertEqual(try uptime.get(), 3700)
    }

    // Two open files of random bytes, read in every way: all draws come from the seed.
    func testTheFileOfRandomBytesIsSeededHoweverItIsRead() throws {
        func draws() throws -> [UInt64] {
            try Simulation(seed: 7).run {
                let (first, second) = (open("/dev/urandom", O_RDONLY), open("/dev/random", O_RDONLY))
                let third = openat(AT_FDCWD, "/dev/urandom", O_RDONLY)
                let fourth = dup(first)
                var values = [UInt64](repeating: 0, count: 7)
                values.withUnsafeMutableBytes { bytes in
                    guard let base = bytes.baseAddress else { return }
                    read(first, base, 8)
                    read(second, base + 8, 8)
                    pread(third, base + 16, 8, 0)
                    var part = iovec(iov_base: base + 24, iov_len: 8)
                    readv(fourth, &part, 1)
                    part.iov_base = base + 32
                    preadv(first, &part, 1, 0)
                    getentropy(base + 40, 8)
                    if let stream = fopen("/dev/urandom", "r") {
                        fread(base + 48, 1, 8, stream)
                        fclose(stream)
                    }
                }
                for file in [first, second, third, fourth] { close(file) }
                XCTAssertFalse(values.contains(0))
                return values
            }.get()
        }
        XCTAssertEqual(try draws(), try draws())
        XCTAssertEqual(Set(try draws()).count, 7)
    }

    // The runtime asks for nothing, once in a process, to see whether it may ask: which run it falls into must not matter.
    func testARequestForNoRandomBytesIsNoDraw() throws {
        func digest(_ asks: Bool) throws -> TraceDigest {
            try Simulation(seed: 1).run { if asks { XCTAssertNil(seam_probe("nothing getrandom")) } }.digest
        }
        XCTAssertEqual(try digest(true), try digest(false))
    }

    // Foundation asks for the thread's number when its thread-local values go. A sanitizer has put the thread away by then.
    func testAThreadMayCallInterposedFunctionsUntilItsVeryEnd() {
        XCTAssertEqual(calls_at_thread_end(10_000), 10_000)
    }

    // A file number that was given to another file is that file's.
    func testAnotherFileOfTheSameNumberIsItself() throws {
        let text = try Simulation(seed: 1).run {
            let random = open("/dev/urandom", O_RDONLY)
            close(random)
            let file = open("/proc/self/comm", O_RDONLY)
            defer { close(file) }
            XCTAssertEqual(file, random)
            var bytes = [UInt8](repeating: 0, count: 4)
            return read(file, &bytes, 4)
        }
        XCTAssertGreaterThan(try text.get(), 0)
    }
}

private func runsALoop() { RunLoop.current.run(until: Date().addingTimeInterval(1)) }

/// The functions that a shared library exports, read from its file.
private struct ELFSymbols {
    let functions: [String]

    struct Unreadable: Error {}

    init(ofLibraryWith symbol: String) throws {
        guard let path = library_with(symbol).map({ String(cString: $0) }) else { throw Unreadable() }
        let image = try Data(contentsOf: URL(filePath: path))
        functions = try image.withUnsafeBytes { bytes in
            let header = bytes.loadUnaligned(as: Elf64_Ehdr.self)
            func section(_ index: Int) -> Elf64_Shdr {
                bytes.loadUnaligned(
                    fromByteOffset: Int(header.e_shoff) + index * Int(header.e_shentsize), as: Elf64_Shdr.self)
            }
            guard let table = (0..<Int(header.e_shnum)).map(section).first(where: { $0.sh_type == 11 }) else {
                throw Unreadable()
            }
            let names = Int(section(Int(table.sh_link)).sh_offset)
            let size = MemoryLayout<Elf64_Sym>.size
            return Set(
                (0..<Int(table.sh_size) / size).compactMap { number -> String? in
                    let entry = bytes.loadUnaligned(
                        fromByteOffset: Int(table.sh_offset) + number * size, as: Elf64_Sym.self)
                    // Functions (2) and those chosen at load time (10) that are defined here.
                    guard [2, 10].contains(entry.st_info & 15), entry.st_shndx != 0, let base = bytes.baseAddress else {
                        return nil
                    }
                    return String(cString: (base + names + Int(entry.st_name)).assumingMemoryBound(to: CChar.self))
                }
            ).sorted()
        }
    }
}
