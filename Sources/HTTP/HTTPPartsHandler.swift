import HTTPTypes
import NIOCore
import NIOHTTP1

/// Stands between a connection and NIO's handlers for HTTP, where one of those is to decode what comes.
final class HTTPPartsHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private let channel: any Channel
    private let connection: HTTPConnection

    init(_ channel: any Channel, _ connection: HTTPConnection) {
        self.channel = channel
        self.connection = connection
    }

    func send(_ request: HTTPRequest, authority: String, body: ByteBuffer) {
        let pipeline = channel.pipeline.syncOperations
        let head = HTTPConversion.head(request, authority: authority, bodyBytes: body.readableBytes)
        pipeline.write(NIOAny(HTTPClientRequestPart.head(head)), promise: nil)
        if body.readableBytes > 0 {
            pipeline.write(NIOAny(HTTPClientRequestPart.body(.byteBuffer(body))), promise: nil)
        }
        pipeline.writeAndFlush(NIOAny(HTTPClientRequestPart.end(nil)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): connection.receiveHead(HTTPConversion.response(head), keepsAlive: head.isKeepAlive)
        case .body(let piece): connection.receiveBody(piece)
        case .end: connection.receiveEnd()
        }
    }
}
