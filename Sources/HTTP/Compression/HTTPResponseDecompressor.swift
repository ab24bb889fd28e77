import NIOCore
import NIOHTTP1

/// Asks servers for compressed bodies, and gives on what they send as it was before.
final class HTTPResponseDecompressor: ChannelDuplexHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias InboundOut = HTTPClientResponsePart
    typealias OutboundIn = HTTPClientRequestPart
    typealias OutboundOut = HTTPClientRequestPart

    private let limit: Int
    /// What the present response's body is compressed with, and what has come of it.
    private var coding: ContentCoding?
    private var compressed: [UInt8] = []
    private var hasFailed: Bool = false

    /// Makes a handler for one connection; `limit` is the most that a body may come to.
    init(limit: Int) {
        self.limit = limit
    }

    /// Says what is understood, unless the request says it itself.
    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .head(var head) = unwrapOutboundIn(data), !head.headers.contains(name: "Accept-Encoding") else {
            return context.write(data, promise: promise)
        }
        head.headers.add(name: "Accept-Encoding", value: "deflate, gzip")
        context.write(wrapOutboundOut(.head(head)), promise: promise)
    }

    /// Gives on a response; a compressed body is held back until it has come as a whole.
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !hasFailed else { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            let name = head.headers[canonicalForm: "Content-Encoding"].first
            coding = name.flatMap { ContentCoding(rawValue: $0.lowercased()) }
            compressed = []
            context.fireChannelRead(data)
        case .body(let piece):
            guard coding != nil else { return context.fireChannelRead(data) }
            compressed += piece.readableBytesView
            if compressed.count > limit { fail(.tooLong(limit: limit), context) }
        case .end:
            guard let coding else { return context.fireChannelRead(data) }
            do throws(InflateError) {
                let body = try coding.decompress(compressed, limit: limit)
                self.coding = nil
                compressed = []
                if !body.isEmpty {
                    context.fireChannelRead(wrapInboundOut(.body(context.channel.allocator.buffer(bytes: body))))
                }
                context.fireChannelRead(data)
            } catch {
                fail(error, context)
            }
        }
    }

    private func fail(_ error: InflateError, _ context: ChannelHandlerContext) {
        hasFailed = true
        context.fireErrorCaught(error)
    }
}
