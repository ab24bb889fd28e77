public import Faults
public import Randomness
import SimulationKernel

/// A machine's disk: files, what of them would survive a power cut, and what goes wrong with it.
///
/// Programs see what they wrote at once. It survives the end of their process, and survives a power cut once it was synced; what was not is kept
/// or lost sector by sector. Syncing a file also makes its creation durable; that it was deleted is durable once the folder is synced. There is
/// one folder.
///
/// Everything follows from the stream that it is given and from what it is asked: no clock, no real file. While a simulation
/// runs on the thread, each operation is a decision of its trace, with the bytes; what is done with a copy is none.
public final class Disk {
    /// How it keeps bytes.
    public let options: DiskOptions
    /// What goes wrong with it.
    public var faults: DiskFaults = DiskFaults()
    /// How often that was felt.
    public private(set) var hits: DiskHits = DiskHits()
    /// Operations that were asked of it.
    public private(set) var operations: Int = 0
    /// Time that operations took and nobody has waited for yet; services wait before they acknowledge anything.
    ///
    /// Nothing else can happen while SQLite runs, so an operation cannot wait on the virtual clock itself: its caller does, afterwards.
    public private(set) var owedLatency: Duration = .zero
    /// Called when the process or the power ended in the middle of an operation.
    public var onCrash: ((Crash) -> Void)?

    /// Counts up when all that have files open die.
    package private(set) var epoch: Int = 0
    private var entries: [String: DiskFile] = [:]
    private var durableEntries: [String: DiskFile] = [:]
    /// Creations and deletions that were not made durable yet; nil is a deletion.
    private var pendingEntries: [(name: String, file: DiskFile?)] = []
    private var random: RandomStream
    private var crashAt: (operation: Int, crash: Crash)?
    /// Whether it is a copy, at which somebody looks from outside: how often he does so decides nothing.
    private var isCopy: Bool = false

    /// What ends the use of a disk in the middle of an operation.
    public enum Crash: Hashable, Sendable {
        /// The process that uses it dies.
        case process
        /// The power goes; what becomes of what was not synced is drawn where it is not said.
        case powerLoss(PowerLossOutcome?)
    }

    /// Makes an empty disk whose failures follow from a stream.
    public init(_ random: RandomStream, options: DiskOptions = DiskOptions()) {
        precondition(
            (512...65_536).contains(options.sectorBytes) && options.sectorBytes.nonzeroBitCount == 1,
            "sectors of \(options.sectorBytes) bytes: a power of two from 512 to 65,536")
        self.random = random
        self.options = options
    }

    // MARK: Files

    /// The names of all files, in order.
    public var names: [String] { entries.keys.sorted() }

    /// Whether there is a file.
    public func contains(_ name: String) -> Bool { entries[name] != nil }

    /// The bytes of a file as programs see them; nil if there is none.
    public func bytes(of name: String) -> [UInt8]? { entries[name]?.visible.bytes }

    /// The bytes that all files have.
    public var usedBytes: Int { entries.values.reduce(0) { $0 + $1.size } }

    /// Opens a file.
    ///
    /// - Throws: ``DiskError/notFound(_:)``.
    package func open(_ name: String, creates: Bool) throws(DiskError) -> DiskFile {
        if let file = entries[name] { return file }
        guard creates else { throw .notFound(name) }
        let file = DiskFile()
        entries[name] = file
        note(name, file)
        trace(.create, text: name)
        return file
    }

    /// Deletes a file; who has it open goes on using it.
    package func delete(_ name: String, syncsFolder: Bool) throws(DiskError) {
        try begin(.write)
        trace(.delete, text: name)
        guard entries.removeValue(forKey: name) != nil else { throw .notFound(name) }
        note(name, nil)
        if syncsFolder { makeEntriesDurable(pendingEntries.count) }
    }

    /// Notes that a file was created, or deleted: nil.
    private func note(_ name: String, _ file: DiskFile?) {
        pendingEntries.append((name, file))
        if options.sabotage == .entriesAreDurableAtOnce { makeEntriesDurable(pendingEntries.count) }
    }

    // MARK: Operations

    package func read(_ file: DiskFile, into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(DiskError)
        -> Int
    {
        try begin(.read)
        let count = unsafe file.read(into: buffer, at: offset)
        unsafe trace(.read, offset, UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        return count
    }

    package func write(_ file: DiskFile, _ buffer: UnsafeRawBufferPointer, at offset: Int) throws(DiskError) {
        precondition(offset >= 0, "a write at \(offset), before the file's beginning")
        let growth = max(0, offset + buffer.count - file.size)
        if let capacity = faults.capacity, growth > 0, usedBytes + growth > capacity {
            hits.refusals += 1
            throw .full
        }
        // A write that is under way at the end was done or not; whether in part is the power's to decide.
        if let crashAt, operations + 1 >= crashAt.operation, random.next() & 1 == 0 {
            unsafe file.write(buffer, at: offset)
        }
        unsafe trace(.write, offset, buffer)
        try begin(.write)
        unsafe file.write(buffer, at: offset)
    }

    package func resize(_ file: DiskFile, _ size: Int) throws(DiskError) {
        precondition(size >= 0, "a file of \(size) bytes")
        unsafe trace(.resize, size)
        try begin(.write)
        file.resize(size)
    }

    package func sync(_ file: DiskFile) throws(DiskError) {
        do throws(DiskError) {
            unsafe trace(.sync)
            try begin(.sync)
        } catch {
            guard case .io = error else { throw error }
            if options.sabotage == .failedSyncsAreMadeGood { makeDurable(file) } else { file.dropPending() }
            throw error
        }
        if draw(faults.syncLies) {
            hits.lies += 1
            return
        }
        guard options.sabotage != .syncsDoNothing else { return }
        makeDurable(file)
    }

    private func makeDurable(_ file: DiskFile) {
        file.sync()
        if let last = pendingEntries.lastIndex(where: { $0.file === file }) { makeEntriesDurable(last + 1) }
    }

    /// Earlier entries of the folder become durable with later ones, as in a journal.
    private func makeEntriesDurable(_ count: Int) {
        assert(count <= pendingEntries.count, "\(count) entries of \(pendingEntries.count) become durable")
        for (name, file) in pendingEntries.prefix(count) { durableEntries[name] = file }
        pendingEntries.removeFirst(count)
    }

    private func begin(_ operation: DiskError.Operation) throws(DiskError) {
        operations += 1
        if let crashAt, operations >= crashAt.operation {
            switch crashAt.crash {
            case .process: crash()
            case .powerLoss(let cut): cutPower(cut)
            }
            onCrash?(crashAt.crash)
            throw .dead
        }
        assert(crashAt.map { operations < $0.operation } ?? true, "an operation after the one that crashes")
        let (failures, latency) =
            switch operation {
            case .read: (faults.readFailures, faults.latency)
            case .write: (faults.writeFailures, faults.latency)
            case .sync: (faults.syncFailures, faults.syncLatency)
            }
        if latency != .fixed(.zero) {
            hits.delays += 1
            owedLatency += random.duration(latency)
        }
        if draw(failures) {
            hits.failures += 1
            throw .io(operation)
        }
    }

    /// Folds an operation into the trace of the simulation that runs on this thread.
    @inline(__always)
    private func trace(_ operation: TracedOperation, _ offset: Int = 0, _ bytes: UnsafeRawBufferPointer? = nil) {
        guard !isCopy, let world = World.current else { return }
        world.record(
            .disk, UInt64(operation.rawValue), UInt64(offset),
            contents: unsafe bytes.map { unsafe ContentDigest.hash($0) } ?? 0)
    }

    private func trace(_ operation: TracedOperation, text: String) {
        guard !isCopy else { return }
        World.current?.record(.disk, UInt64(operation.rawValue), text: text)
    }

    /// What the trace tells of; the numbers are in recorded traces.
    private enum TracedOperation: UInt8 {
        case read = 0
        case write = 1
        case resize = 2
        case sync = 3
        case create = 4
        case delete = 5
        case crash = 6
        case powerCut = 7
        case bitRot = 8
    }

    private func draw(_ ratio: Ratio) -> Bool { ratio != .zero && random.chance(ratio) }

    /// Time that a program waited for the disk without doing anything.
    package func add(owedLatency time: Duration) { owedLatency += time }

    /// Takes what is owed; the caller waits for so long.
    public func takeOwedLatency() -> Duration {
        defer { owedLatency = .zero }
        return owedLatency
    }

    /// Random numbers for a program that asks the system for some.
    package func fill(_ buffer: UnsafeMutableRawBufferPointer) {
        for index in buffer.indices { unsafe buffer[index] = UInt8(truncatingIfNeeded: random.next()) }
    }

    // MARK: Faults

    /// The process that uses the disk dies: what it wrote stays, what it has open is closed.
    public func crash() {
        unsafe trace(.crash)
        endProcesses()
    }

    /// Nobody waits any more for what the dead had asked for.
    private func endProcesses() {
        epoch += 1
        crashAt = nil
        owedLatency = .zero
    }

    /// Process or power end in the middle of an operation from now on: 1 is the next.
    ///
    /// Nil takes that back.
    public func scheduleCrash(_ crash: Crash?, atOperation operation: Int = 1) {
        precondition(operation > 0, "operation \(operation) lies in the past: 1 is the next")
        crashAt = crash.map { (operations + operation, $0) }
    }

    /// The power goes, now.
    ///
    /// - Parameter cut: What becomes of what was not synced; nil draws it.
    public func cutPower(_ cut: PowerLossOutcome? = nil) {
        var cut = cut ?? PowerLossOutcome.allCases[random.index(below: PowerLossOutcome.allCases.count)]
        if options.sabotage == .cutsLoseNothing { cut = .keptAll }
        trace(.powerCut, text: "\(cut)")
        endProcesses()
        cutEntries(cut)
        for name in entries.keys.sorted() {
            guard let file = entries[name] else { continue }
            file.become(image(of: file, cut))
        }
    }

    private func cutEntries(_ cut: PowerLossOutcome) {
        let kept: Int =
            switch cut {
            case .lostAll: 0
            case .keptAll: pendingEntries.count
            case .prefix, .perSector: random.index(below: pendingEntries.count + 1)
            }
        makeEntriesDurable(kept)
        pendingEntries = []
        entries = durableEntries
    }

    private func image(of file: DiskFile, _ cut: PowerLossOutcome) -> [UInt8] {
        guard !file.pending.isEmpty else { return file.durable.bytes }
        let sectors = file.touchedSectors(options.sectorBytes)
        let (kept, size): ([Int], Int)
        switch cut {
        case .lostAll: (kept, size) = (sectors.map { _ in 0 }, 0)
        case .keptAll: (kept, size) = (sectors.map(\.writes.count), file.pending.count)
        case .prefix:
            let count = random.index(below: file.pending.count + 1)
            (kept, size) = (sectors.map { $0.writes.count { $0 < count } }, count)
        case .perSector:
            (kept, size) = (
                sectors.map { random.index(below: $0.writes.count + 1) }, random.index(below: file.pending.count + 1)
            )
        }
        let tears = options.tearsSectors && cut == .perSector
        return file.image(options.sectorBytes, kept: kept, size: size) { sector, part, bytes in
            if tears, random.next() & 3 == 0 { tear(&sector, part, bytes) }
        }
    }

    /// Leaves a sector as it is when the power goes while it is being written.
    private func tear(_ sector: inout ArraySlice<UInt8>, _ part: Range<Int>, _ bytes: [UInt8]) {
        guard options.isPowersafe else {
            // Nothing of it can be relied on.
            for index in sector.indices { sector[index] = UInt8(truncatingIfNeeded: random.next()) }
            return
        }
        let written = part.prefix(random.index(below: part.count + 1))
        for index in written where sector.indices.contains(index) { sector[index] = bytes[index - part.lowerBound] }
    }

    /// Flips bits at rest, at places drawn from all bytes of a file; those of them that were flipped, from 0 on.
    ///
    /// - Throws: ``DiskError/notFound(_:)``.
    @discardableResult
    public func applyBitRot(to name: String, bits: Int) throws(DiskError) -> [Int] {
        guard let file = entries[name] else { throw .notFound(name) }
        guard file.size > 0 else { return [] }
        return (0..<bits).map { _ in
            let place = random.index(below: file.size * 8)
            file.flip(bit: place % 8, ofByte: place / 8)
            return place
        }
    }

    /// Flips bits at rest, at places drawn from all bytes of all files; how many were flipped: none where there are no bytes.
    @discardableResult
    public func applyBitRot(bits: Int) -> Int {
        let files = names.compactMap { entries[$0] }.filter { $0.size > 0 }
        let total = files.reduce(0) { $0 + $1.size }
        guard total > 0 else { return 0 }
        for _ in 0..<bits {
            var place = random.index(below: total * 8)
            for file in files {
                guard place >= file.size * 8 else {
                    file.flip(bit: place % 8, ofByte: place / 8)
                    break
                }
                place -= file.size * 8
            }
        }
        trace(.bitRot, text: "\(bits)")
        return bits
    }

    /// A disk of its own with the files as programs see them now.
    public func snapshot() -> Disk {
        copy(names.compactMap { name in entries[name].map { (name, DiskFile($0.visible)) } }, random.fork("snapshot"))
    }

    /// Flips a bit at rest.
    ///
    /// - Throws: ``DiskError/notFound(_:)``.
    public func flip(bit: Int, ofByte offset: Int, of name: String) throws(DiskError) {
        guard let file = entries[name] else { throw .notFound(name) }
        file.flip(bit: bit, ofByte: offset)
    }

    // MARK: States

    /// The states in which a power cut now may leave the disk, one after the other; torn sectors are not among them.
    public var powerCutStates: PowerCutStates {
        PowerCutStates(
            files: entries.keys.sorted().compactMap { name in entries[name].map { (name, $0) } },
            sectorBytes: options.sectorBytes)
    }

    /// A disk with the files of a state, for a program to be tried on.
    public func copy(_ state: PowerCutStates.State, _ random: RandomStream) -> Disk {
        copy(state.files.map { ($0.name, DiskFile(PagedBytes($0.bytes))) }, random)
    }

    private func copy(_ files: [(name: String, file: DiskFile)], _ random: RandomStream) -> Disk {
        let disk = Disk(random, options: options)
        disk.isCopy = true
        for (name, file) in files {
            disk.entries[name] = file
            disk.durableEntries[name] = file
        }
        return disk
    }
}

extension TraceKind {
    /// A disk is asked for something: what (0 read, 1 write, 2 resize, 3 sync, 4 create, 5 delete, 6 crash, 7 power cut, 8 bit rot), where,
    /// and with which bytes.
    static let disk: TraceKind = TraceKind("disk")
}
