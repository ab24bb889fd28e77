import NIOCore
import XCTest

@testable import FaultProxy

final class PeerSetTests: XCTestCase {
    private func address(_ text: String) throws -> SocketAddress { try SocketAddress(ipAddress: text, port: 1) }

    func testAddressesAndNetworksHoldWhatTheySay() throws {
        let peers = try PeerSet(["10.1.0.0/12", "127.0.0.1", "fd00::/8", "192.168.7.0/25"])
        for inside in ["10.15.255.255", "10.0.0.0", "127.0.0.1", "::ffff:127.0.0.1", "fdff::1", "192.168.7.127"] {
            XCTAssertTrue(peers.contains(try address(inside)), inside)
        }
        for outside in ["10.16.0.0", "127.0.0.2", "fe80::1", "::1", "192.168.7.128"] {
            XCTAssertFalse(peers.contains(try address(outside)), outside)
        }
        XCTAssertFalse(peers.contains(nil))
    }

    func testWhatIsNoAddressIsRefused() {
        for text in ["", "localhost", "10.0.0.0/33", "10.0.0.0/", "10.0.0/8", "::1/129"] {
            XCTAssertThrowsError(try PeerSet([text]), text) { XCTAssertTrue("\($0)".contains("'\(text)'"), "\($0)") }
        }
    }
}
