import Foundation
import XCTest

@testable import HTTP

/// Compressed bodies, as Python's zlib and gzip made them.
final class ContentCodingTests: XCTestCase {
    private let text: String = String(
        repeating: "Now and then and now and then: a reading, a reading, a reading.\n", count: 3)

    private let raw: String = "88svV0jMS1EoyUjNAzPykASsFBIVilITUzLz0nWwMvW4/AZYPwA="
    private let named: String =
        "H4sICAAAAAAC/25hbWUudHh0APPLL1dIzEtRKMlIzQMz8pAErBQSFYpSE1My89J1sDL1uPwGWD8A4ZHa2MAAAAA="
    private let stored: String =
        "eAEBwAA//05vdyBhbmQgdGhlbiBhbmQgbm93IGFuZCB0aGVuOiBhIHJlYWRpbmcsIGEgcmVhZGluZywgYSByZWFkaW5nLgpOb3cgYW5kIHRoZW4gYW5kIG5v"
        + "dyBhbmQgdGhlbjogYSByZWFkaW5nLCBhIHJlYWRpbmcsIGEgcmVhZGluZy4KTm93IGFuZCB0aGVuIGFuZCBub3cgYW5kIHRoZW46IGEgcmVhZGluZywgYSBy"
        + "ZWFkaW5nLCBhIHJlYWRpbmcuCnYsQG8="
    /// Six hundred letters in codes of the block's own; their checksum is in the file.
    private let dynamic: String =
        "H4sIAAAAAAACAzVSQRLEMAi680vB/7+hgGnbmSQGENwdYndmuKToHQckXRNH62Me76l+Y1xq8sZguDYSUpB8BUWM0cBEgUFQqy7mh3RSo8B6P3897cNLmQvE"
        + "k725FL0Aqpt1C7fRsuzH8JkYCKKparIPa7B92SP3D2bBOsitXx/tli+xYcokTgVNfgp4jgAcvG1uV9mO51h7kzUXYajmn+hlr4mCuWXvucS26Z/2mvBISL/+"
        + "YtuovJgea/E4I6/PPlM8geANEXUWXroNRX9l8frx5ti/Q+ZTza3tmMisw/KCjoj4AKUYc7lYAgAA"

    private func bytes(_ base64: String) throws -> [UInt8] { [UInt8](try XCTUnwrap(Data(base64Encoded: base64))) }

    private func decompress(_ bytes: [UInt8], _ coding: ContentCoding, limit: Int = 10_000) throws -> String {
        String(decoding: try coding.decompress(bytes, limit: limit), as: UTF8.self)
    }

    func testEveryKindOfBlockAndOfHeaderIsRead() throws {
        XCTAssertEqual(try decompress(try bytes(raw), .deflate), text)
        XCTAssertEqual(try decompress(try bytes(stored), .deflate), text)
        XCTAssertEqual(try decompress(try bytes(named), .gzip), text)
        XCTAssertEqual(try decompress(try bytes(dynamic), .gzip).count, 600)
        XCTAssertEqual(try decompress([], .gzip), "")
    }

    func testMembersFollowEachOtherAndWhatIsNoneIsPassedOver() throws {
        let member = try bytes(named)
        XCTAssertEqual(try decompress(member + member + [0, 0, 7], .gzip), text + text)
    }

    // Whatever is cut off or changed is noticed, and nothing traps.
    func testDamageIsNoticedWhereverItIs() throws {
        for (name, coding) in [(named, ContentCoding.gzip), (dynamic, .gzip), (stored, .deflate)] {
            let sound = try bytes(name)
            let body = try coding.decompress(sound, limit: 10_000)
            for count in 1..<sound.count {
                XCTAssertThrowsError(try coding.decompress(Array(sound[..<count]), limit: 10_000), "\(count)")
            }
            for index in sound.indices {
                for bit in 0..<8 {
                    var damaged = sound
                    damaged[index] ^= 1 << UInt8(bit)
                    let result = try? coding.decompress(damaged, limit: 10_000)
                    // Names and times in a header are not covered by the checksum.
                    XCTAssertTrue(result == nil || result == body, "byte \(index), bit \(bit)")
                }
            }
        }
    }

    func testABodyThatComesToTooMuchIsRefused() throws {
        for (name, coding) in [(named, ContentCoding.gzip), (stored, .deflate), (raw, .deflate)] {
            XCTAssertThrowsError(try decompress(try bytes(name), coding, limit: 191)) { error in
                XCTAssertEqual(error as? InflateError, .tooLong(limit: 191))
            }
            XCTAssertEqual(try decompress(try bytes(name), coding, limit: 192), text)
        }
    }
}
