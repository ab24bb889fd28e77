import Randomness

/// A file's bytes: those that programs see, those that survive, and the writes between the two.
package final class DiskFile {
    /// A write that was not made durable yet.
    enum Write {
        /// So many bytes; nil is those that are seen there, which saves a copy as long as nobody writes over them.
        case bytes(offset: Int, count: Int, [UInt8]?)
        case size(Int)
    }

    private(set) var visible: PagedBytes = PagedBytes()
    private(set) var durable: PagedBytes = PagedBytes()
    private(set) var pending: [Write] = []
    /// Where the last of the pending bytes end.
    private var pendingEnd: Int = 0
    /// Whether something that is seen will never be durable: else, a sync makes durable what is seen.
    private var hasLostWrites: Bool = false

    package init() {}

    /// Makes a file of durable bytes.
    init(_ bytes: PagedBytes) {
        become(bytes)
    }

    package var size: Int { visible.count }

    // MARK: What programs do

    /// Copies bytes; how many there are.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) -> Int {
        let count = max(0, min(buffer.count, visible.count - offset))
        guard count > 0 else { return 0 }
        unsafe visible.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]), at: offset)
        return count
    }

    func write(_ buffer: UnsafeRawBufferPointer, at offset: Int) {
        let count = buffer.count
        if offset < pendingEnd { saveOverwritten(offset..<offset + count) }
        unsafe visible.write(buffer, at: offset)
        pending.append(.bytes(offset: offset, count: count, nil))
        assert(visible.count >= offset + count, "a write ends behind the file")
        pendingEnd = max(pendingEnd, offset + count)
    }

    func resize(_ size: Int) {
        assert(pendingEnd == 0 || !pending.isEmpty, "the end of pending writes that are not there")
        if size < pendingEnd { saveOverwritten(size..<pendingEnd) }
        visible.resize(size)
        pending.append(.size(size))
    }

    /// Keeps the bytes of pending writes that are about to change.
    private func saveOverwritten(_ range: Range<Int>) {
        for (number, write) in pending.enumerated() {
            guard case .bytes(let offset, let count, nil) = write, range.overlaps(offset..<offset + count) else {
                continue
            }
            pending[number] = .bytes(offset: offset, count: count, visible.bytes(in: offset..<offset + count))
        }
    }

    /// The bytes of a pending write; none of a change of size.
    private func bytes(of number: Int) -> (offset: Int, bytes: [UInt8])? {
        guard case .bytes(let offset, let count, let saved) = pending[number] else { return nil }
        assert(saved.map { $0.count == count } ?? (offset + count <= visible.count), "a pending write has lost bytes")
        return (offset, saved ?? visible.bytes(in: offset..<offset + count))
    }

    // MARK: What the disk does

    /// Makes all writes durable.
    func sync() {
        for (number, write) in pending.enumerated() {
            switch write {
            case .bytes(let offset, let count, _) where !hasLostWrites:
                durable.take(offset..<offset + count, from: visible)
            case .bytes:
                guard let (offset, bytes) = bytes(of: number) else { continue }
                unsafe bytes.withUnsafeBytes { unsafe durable.write($0, at: offset) }
            case .size(let size): durable.resize(size)
            }
        }
        assert(hasLostWrites || durable.count == visible.count, "a sync leaves another size than is seen")
        forgetPending()
    }

    /// What a sync that failed leaves: the writes are seen, and are never made durable by a later one.
    func dropPending() {
        hasLostWrites = hasLostWrites || !pending.isEmpty
        forgetPending()
    }

    private func forgetPending() {
        pending.removeAll(keepingCapacity: true)
        pendingEnd = 0
    }

    /// Flips a bit at rest.
    func flip(bit: Int, ofByte offset: Int) {
        precondition((0..<8).contains(bit), "a byte has no bit \(bit)")
        if (0..<visible.count).contains(offset) { visible.flip(bit: bit, ofByte: offset) }
        if (0..<durable.count).contains(offset) { durable.flip(bit: bit, ofByte: offset) }
    }

    // MARK: Power

    /// The sectors that writes touch, each with the numbers of those writes.
    func touchedSectors(_ sectorBytes: Int) -> [(sector: Int, writes: [Int])] {
        var touched: [Int: [Int]] = [:]
        for (number, write) in pending.enumerated() {
            guard case .bytes(let offset, let count, _) = write, count > 0 else { continue }
            for sector in offset / sectorBytes...(offset + count - 1) / sectorBytes {
                touched[sector, default: []].append(number)
            }
        }
        return touched.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// The sizes that the file may have: as it was synced, and after each write.
    var sizes: [Int] {
        var sizes = [durable.count]
        for write in pending {
            switch write {
            case .bytes(let offset, let count, _): sizes.append(max(sizes[sizes.count - 1], offset + count))
            case .size(let size): sizes.append(size)
            }
        }
        return sizes
    }

    /// What the power leaves: of each touched sector so many writes, and the size after so many.
    ///
    /// - Parameters:
    ///   - sectorBytes: Bytes that are written together.
    ///   - kept: For each touched sector, in their order, how many of its writes are there.
    ///   - size: How many writes the size has seen.
    ///   - damage: Changes a sector whose next write was under way: gets the sector's bytes after the kept writes and that write's part of it.
    /// - Returns: The file's bytes.
    func image(
        _ sectorBytes: Int, kept: [Int], size: Int, damage: (inout ArraySlice<UInt8>, Range<Int>, [UInt8]) -> Void
    ) -> [UInt8] {
        assert((0...pending.count).contains(size), "the size after write \(size) of \(pending.count)")
        var image = durable.bytes
        let sizes = sizes
        let length = sizes[size]
        // What was cut off, and has a place again only because the file grew later, is zero.
        let cuts = pending.prefix(size).enumerated().compactMap { number, write -> (number: Int, size: Int)? in
            if case .size(let size) = write { (number, size) } else { nil }
        }
        if let shortest = sizes[...size].min(), shortest < image.count { image.removeSubrange(shortest...) }
        if image.count < length { image.append(contentsOf: repeatElement(0, count: length - image.count)) }
        for ((sector, writes), count) in zip(touchedSectors(sectorBytes), kept) {
            assert(
                (0...writes.count).contains(count), "\(count) of \(writes.count) writes of sector \(sector) are kept")
            let span = sector * sectorBytes..<(sector + 1) * sectorBytes
            for number in writes.prefix(count) {
                let limit = cuts.filter { $0.number > number }.map(\.size).min() ?? .max
                overwrite(&image, with: number, within: span.clamped(to: 0..<max(0, limit)))
            }
            guard count < writes.count, let (offset, bytes) = bytes(of: writes[count]) else { continue }
            let part = max(offset, span.lowerBound)..<min(offset + bytes.count, span.upperBound)
            let inside = span.clamped(to: 0..<image.count)
            guard !inside.isEmpty else { continue }
            damage(&image[inside], part, Array(bytes.dropFirst(part.lowerBound - offset).prefix(part.count)))
        }
        if image.count > length { image.removeSubrange(length...) }
        return image
    }

    private func overwrite(_ image: inout [UInt8], with number: Int, within span: Range<Int>) {
        guard let (offset, bytes) = bytes(of: number) else { return }
        let (first, end) = (max(offset, span.lowerBound), min(offset + bytes.count, span.upperBound, image.count))
        guard first < end else { return }
        let part = first..<end
        image.replaceSubrange(part, with: bytes.dropFirst(first - offset).prefix(end - first))
    }

    /// The file as it is found when the power is back.
    func become(_ image: [UInt8]) { become(PagedBytes(image)) }

    private func become(_ image: PagedBytes) {
        visible = image
        durable = image
        hasLostWrites = false
        forgetPending()
    }
}
