import CSystemSeam

/// An event's place in the queue: when, and which.
struct EventEntry {
    var instant: UInt64
    var index: UInt32
    var generation: UInt32
}

/// Entries of one slot in their order of arrival, in chunks; empty lists hold no memory.
@safe
struct EntryList {
    private(set) var first: EntryChunk?
    private var last: EntryChunk?
    /// Entries in the last chunk; all others are full.
    private(set) var lastCount: Int = 0

    /// Whether it holds exactly one entry.
    var isSingle: Bool {
        @inline(__always) get { lastCount == 1 && onlyChunk != nil }
    }

    /// The chunk that holds everything; nil when there are more.
    var onlyChunk: EntryChunk? {
        @inline(__always) get { first == last ? first : nil }
    }

    @inline(__always)
    mutating func append(_ entry: EventEntry, chunks: inout EntryChunkPool) {
        if let last, lastCount < EntryChunk.capacity {
            last[lastCount] = entry
            lastCount += 1
            return
        }
        let chunk = chunks.take()
        if let last { last.next = chunk } else { first = chunk }
        last = chunk
        chunk[0] = entry
        lastCount = 1
    }

    /// Takes the first chunk and the number of its entries.
    @inline(__always)
    mutating func popFirst() -> (EntryChunk, Int)? {
        guard let chunk = first else { return nil }
        assert(lastCount > 0 && lastCount <= EntryChunk.capacity, "\(lastCount) entries in the last chunk")
        if chunk == last {
            self.first = nil
            self.last = nil
            return (chunk, lastCount)
        }
        self.first = chunk.next
        return (chunk, EntryChunk.capacity)
    }
}

/// A block of entries; the pool owns its memory.
@safe
struct EntryChunk: Equatable {
    static let capacity: Int = 63

    /// The first 16 bytes link to the next chunk, the entries follow.
    fileprivate let memory: UnsafeMutableRawPointer

    static func == (left: EntryChunk, right: EntryChunk) -> Bool {
        unsafe left.memory == right.memory
    }

    fileprivate static let size: Int = 16 * (capacity + 1)

    var next: EntryChunk? {
        get {
            let bits = unsafe memory.load(as: UInt.self)
            return unsafe UnsafeMutableRawPointer(bitPattern: bits).map { unsafe EntryChunk(memory: $0) }
        }
        nonmutating set {
            unsafe memory.storeBytes(of: UInt(bitPattern: newValue?.memory), as: UInt.self)
        }
    }

    /// Asks for the chunk's beginning to be brought near; what follows is read in order and comes by itself.
    @inline(__always)
    func prefetch() {
        unsafe seam_prefetch(memory)
        unsafe seam_prefetch(memory + 64)
    }

    subscript(position: Int) -> EventEntry {
        @inline(__always) get { unsafe memory.load(fromByteOffset: 16 * (position + 1), as: EventEntry.self) }
        @inline(__always) nonmutating set {
            assert(position < Self.capacity, "a chunk has no place \(position)")
            unsafe memory.storeBytes(of: newValue, toByteOffset: 16 * (position + 1), as: EventEntry.self)
        }
    }
}

/// Chunks for reuse: what was freed last, and is near the processor, is taken first.
struct EntryChunkPool: ~Copyable {
    private var free: EntryChunk?
    private var blocks: [EntryChunk] = []
    private static let chunksPerBlock: Int = 64

    /// Entries that the chunks have room for.
    var capacity: Int { blocks.count * Self.chunksPerBlock * EntryChunk.capacity }

    deinit {
        for block in blocks { unsafe seam_unmap_pages(block.memory, EntryChunk.size * Self.chunksPerBlock) }
    }

    @inline(__always)
    mutating func take() -> EntryChunk {
        if free == nil { addBlock() }
        guard let chunk = free else { preconditionFailure("a block has chunks") }
        free = chunk.next
        return chunk
    }

    @inline(__always)
    mutating func free(_ chunk: EntryChunk) {
        chunk.next = free
        free = chunk
    }

    @inline(never)
    private mutating func addBlock() {
        let memory = unsafe seam_map_pages(EntryChunk.size * Self.chunksPerBlock).unsafelyUnwrapped
        unsafe blocks.append(EntryChunk(memory: memory))
        for index in (0..<Self.chunksPerBlock).reversed() {
            unsafe free(EntryChunk(memory: memory + index * EntryChunk.size))
        }
    }
}
