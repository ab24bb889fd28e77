/// A file's bytes in pages, which copies share until one of them is written to.
///
/// So a file can grow without being moved, and what is durable costs no second copy of what is seen.
struct PagedBytes {
    /// The bytes of a page; a database's pages are as large.
    private static let pageBytes: Int = 4096
    private static let emptyPage: [UInt8] = Array(repeating: 0, count: pageBytes)

    /// Each is whole; what lies behind the end is zero.
    private var pages: [[UInt8]] = []
    /// How many bytes there are.
    private(set) var count: Int = 0

    init() {}

    init(_ bytes: [UInt8]) {
        unsafe bytes.withUnsafeBytes { unsafe write($0, at: 0) }
    }

    /// All bytes in one piece.
    var bytes: [UInt8] { bytes(in: 0..<count) }

    /// A copy of some bytes.
    func bytes(in range: Range<Int>) -> [UInt8] {
        unsafe Array(unsafeUninitializedCapacity: range.count) { buffer, initialized in
            unsafe read(into: UnsafeMutableRawBufferPointer(buffer), at: range.lowerBound)
            initialized = range.count
        }
    }

    /// Copies as many bytes as the buffer takes; all of them are there.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) {
        assert(offset + buffer.count <= count, "bytes are read behind the end")
        Self.forEachPart(of: offset..<offset + buffer.count) { page, inside, place in
            unsafe pages[page].withUnsafeBytes { bytes in
                unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[place..<place + inside.count])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[inside]))
            }
        }
    }

    /// Puts bytes, behind the end too.
    mutating func write(_ source: UnsafeRawBufferPointer, at offset: Int) {
        if offset + source.count > count { resize(offset + source.count) }
        Self.forEachPart(of: offset..<offset + source.count) { page, inside, place in
            let part = unsafe UnsafeRawBufferPointer(rebasing: source[place..<place + inside.count])
            // A page that is written as a whole need not be copied first.
            guard inside.count < Self.pageBytes else { return unsafe pages[page] = Array(part) }
            unsafe pages[page].withUnsafeMutableBytes { bytes in
                unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[inside]).copyMemory(from: part)
            }
        }
    }

    /// Cuts off, or puts zeros behind the end.
    mutating func resize(_ size: Int) {
        let needed = (size + Self.pageBytes - 1) / Self.pageBytes
        if needed < pages.count { pages.removeSubrange(needed...) }
        let end = size % Self.pageBytes
        if size < count, end > 0 {
            pages[needed - 1].replaceSubrange(end..., with: repeatElement(0, count: Self.pageBytes - end))
        }
        while pages.count < needed { pages.append(Self.emptyPage) }
        count = size
    }

    /// Takes a range and the size over from others, which then share its pages.
    mutating func take(_ range: Range<Int>, from other: PagedBytes) {
        resize(other.count)
        Self.forEachPart(of: range.clamped(to: 0..<count)) { page, _, _ in pages[page] = other.pages[page] }
    }

    /// Flips a bit.
    mutating func flip(bit: Int, ofByte offset: Int) {
        pages[offset / Self.pageBytes][offset % Self.pageBytes] ^= 1 << UInt8(bit)
    }

    /// The pages that a range touches, each with the part of it that is meant, and where that lies in the range.
    private static func forEachPart(
        of range: Range<Int>, _ body: (_ page: Int, _ inside: Range<Int>, _ place: Int) -> Void
    ) {
        var offset = range.lowerBound
        while offset < range.upperBound {
            let (page, first) = offset.quotientAndRemainder(dividingBy: pageBytes)
            let count = min(pageBytes - first, range.upperBound - offset)
            body(page, first..<first + count, offset - range.lowerBound)
            offset += count
        }
    }
}
