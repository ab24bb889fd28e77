import Foundation
import XCTest

/// Tests on real tasks and a real clock: XCTest would wait a month for one whose task never ends.
class LimitedTestCase: XCTestCase {
    private var watchdog: DispatchWorkItem?

    /// How long a test may take.
    private static let limit: TimeInterval = 120

    /// Ends the process by name if the test does not end: what hangs cannot be cancelled.
    override func setUp() {
        let watchdog = DispatchWorkItem { [name] in fatalError("\(name) did not end within \(Self.limit) s") }
        DispatchQueue.global().asyncAfter(deadline: .now() + Self.limit, execute: watchdog)
        self.watchdog = watchdog
    }

    override func tearDown() { watchdog?.cancel() }
}
