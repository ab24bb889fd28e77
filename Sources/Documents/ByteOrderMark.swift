extension Sequence<UInt8> {
    /// The bytes of a text without the mark that some writers put before it.
    public var withoutByteOrderMark: [UInt8] {
        let bytes = Array(self)
        return bytes.starts(with: [0xef, 0xbb, 0xbf]) ? Array(bytes.dropFirst(3)) : bytes
    }
}
