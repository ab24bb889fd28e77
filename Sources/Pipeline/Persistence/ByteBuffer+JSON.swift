import Documents
import NIOCore

extension ByteBuffer {
    /// A JSON object whose members the body writes.
    static func json(_ members: (inout JSONWriter) -> Void) -> ByteBuffer {
        var json = JSONWriter()
        json.object(members)
        return ByteBuffer(bytes: json.bytes)
    }

    /// Reads the members of a JSON object; a value that is something else has none.
    ///
    /// - Throws: ``BrokerError/refused(_:)`` for what is not JSON.
    func members(
        _ body: (String, inout JSONReader) throws(DocumentError) -> Void
    ) throws(BrokerError) {
        do throws(DocumentError) {
            _ = try JSONReader.scan(readableBytesView) { (reader) throws(DocumentError) in
                try reader.readObject(body)
            }
        } catch {
            throw .refused("the body is not JSON: \(error)")
        }
    }
}
