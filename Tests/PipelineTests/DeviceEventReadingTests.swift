import Pipeline
import XCTest

final class DeviceEventReadingTests: XCTestCase {
    func testEventsOfDevicesAreRead() throws {
        func event(_ text: String) throws -> DeviceEvent { try DeviceEvent(text.utf8) }
        XCTAssertEqual(
            try event("{\"id\":\"1\",\"type\":\"event\",\"action\":\"CreateDevice\",\"data\":{\"flatId\":\"SD7\"}}"),
            .create(flat: "SD7"))
        XCTAssertEqual(
            try event("{\"action\":\"PullStateChangeDevice\",\"data\":{\"flatId\":\"SD7\",\"pull\":false}}"),
            .pull(flat: "SD7", false))
        for text in ["", "{}", "{\"action\":\"CreateDevice\"}", "{\"action\":\"X\",\"data\":{\"flatId\":\"SD7\"}}"] {
            XCTAssertThrowsError(try event(text), text)
        }
    }
}
