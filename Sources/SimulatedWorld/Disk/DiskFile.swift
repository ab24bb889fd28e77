import Randomness

/// A file's bytes: those that programs see, those that survive, and the writes between the two.
package final class DiskFile {
    /// A write that was not made durable yet.
    enum Write {
        case bytes(offset: Int, [UInt8])
        case size(Int)
    }

    private(set) var visible: [UInt8] = []
    private(set) var durable: [UInt8] = []
    private(set) var pending: [Write] = []

    package init() {}

    package var size: Int { visible.count }

    // MARK: What programs do

    /// Copies bytes; how many there are.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) -> Int {
        let count = max(0, min(buffer.count, visible.count - offset))
        guard count > 0 else { return 0 }
        unsafe visible.withUnsafeBytes { bytes in
            unsafe buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count]))
        }
        return count
    }

    func write(_ buffer: UnsafeRawBufferPointer, at offset: Int) {
        let bytes = unsafe [UInt8](buffer)
        Self.apply(.bytes(offset: offset, bytes), to: &visible)
        pending.append(.bytes(offset: offset, bytes))
    }

    func resize(_ size: Int) {
        Self.apply(.size(size), to: &visible)
        pending.append(.size(size))
    }

    private static func apply(_ write: Write, to image: inout [UInt8]) {
        switch write {
        case .bytes(let offset, let bytes):
            if image.count < offset { image.append(contentsOf: repeatElement(0, count: offset - image.count)) }
            let inside = min(bytes.count, image.count - offset)
            if inside > 0 { image.replaceSubrange(offset..<offset + inside, with: bytes[..<inside]) }
            if inside < bytes.count { image.append(contentsOf: bytes[inside...]) }
        case .size(let size):
            if size < image.count {
                image.removeSubrange(size...)
            } else {
                image.append(contentsOf: repeatElement(0, count: size - image.count))
            }
        }
    }

    // MARK: What the disk does

    /// Makes all writes durable.
    func sync() {
        for write in pending { Self.apply(write, to: &durable) }
        pending.removeAll(keepingCapacity: true)
    }

    /// What a sync that failed leaves: the writes are seen, and are never made durable by a later one.
    func dropPending() { pending.removeAll(keepingCapacity: true) }

    /// Flips a bit at rest.
    func flip(bit: Int, ofByte offset: Int) {
        if visible.indices.contains(offset) { visible[offset] ^= 1 << UInt8(bit) }
        if durable.indices.contains(offset) { durable[offset] ^= 1 << UInt8(bit) }
    }

    // MARK: Power

    /// The sectors that writes touch, each with the numbers of those writes.
    func touchedSectors(_ sectorBytes: Int) -> [(sector: Int, writes: [Int])] {
        var touched: [Int: [Int]] = [:]
        for (number, write) in pending.enumerated() {
            guard case .bytes(let offset, let bytes) = write, !bytes.isEmpty else { continue }
            for sector in offset / sectorBytes...(offset + bytes.count - 1) / sectorBytes {
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
            case .bytes(let offset, let bytes): sizes.append(max(sizes[sizes.count - 1], offset + bytes.count))
            case .size(let size): sizes.append(size)
            }
        }
        return sizes
    }

    /// What the power leaves: of each touched sector so many writes, and the size after so many.
    ///
    /// - Parameters:
    ///   - kept: For each touched sector, in their order, how many of its writes are there.
    ///   - size: How many writes the size has seen.
    ///   - damage: Changes a sector whose next write was under way: gets the sector's bytes after the kept writes and that write's part of it.
    func image(
        _ sectorBytes: Int, kept: [Int], size: Int, damage: (inout ArraySlice<UInt8>, Range<Int>, [UInt8]) -> Void
    ) -> [UInt8] {
        var image = durable
        let sizes = sizes
        let length = sizes[size]
        // What was cut off, and has a place again only because the file grew later, is zero.
        let cuts = pending.prefix(size).enumerated().compactMap { number, write -> (number: Int, size: Int)? in
            if case .size(let size) = write { (number, size) } else { nil }
        }
        if let shortest = sizes[...size].min(), shortest < image.count { image.removeSubrange(shortest...) }
        if image.count < length { image.append(contentsOf: repeatElement(0, count: length - image.count)) }
        for ((sector, writes), count) in zip(touchedSectors(sectorBytes), kept) {
            let span = sector * sectorBytes..<(sector + 1) * sectorBytes
            for number in writes.prefix(count) {
                let limit = cuts.filter { $0.number > number }.map(\.size).min() ?? .max
                overwrite(&image, with: pending[number], within: span.clamped(to: 0..<max(0, limit)))
            }
            guard count < writes.count, case .bytes(let offset, let bytes) = pending[writes[count]] else { continue }
            let part = max(offset, span.lowerBound)..<min(offset + bytes.count, span.upperBound)
            let inside = span.clamped(to: 0..<image.count)
            guard !inside.isEmpty else { continue }
            damage(&image[inside], part, Array(bytes[part.lowerBound - offset..<part.upperBound - offset]))
        }
        if image.count > length { image.removeSubrange(length...) }
        return image
    }

    private func overwrite(_ image: inout [UInt8], with write: Write, within span: Range<Int>) {
        guard case .bytes(let offset, let bytes) = write else { return }
        let part = (max(offset, span.lowerBound)..<min(offset + bytes.count, span.upperBound)).clamped(
            to: 0..<image.count)
        guard !part.isEmpty else { return }
        image.replaceSubrange(part, with: bytes[part.lowerBound - offset..<part.upperBound - offset])
    }

    /// The file as it is found when the power is back.
    func become(_ image: [UInt8]) {
        visible = image
        durable = image
        pending.removeAll()
    }
}
