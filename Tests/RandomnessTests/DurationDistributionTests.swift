import Foundation
import XCTest

@testable import Randomness

final class DurationDistributionTests: XCTestCase {
    private func draws(_ distribution: DurationDistribution, count: Int = 20_000) -> [Double] {
        var stream = RandomStream(seed: 11)
        return (0..<count).map { _ in Double(stream.nanoseconds(distribution)) / 1e6 }.sorted()
    }

    private func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }

    // Distances from theory are several times the sampling error of 20,000 draws; the seed is fixed.
    func testEachDistributionHasItsTheoreticalShape() {
        XCTAssertEqual(Set(draws(.fixed(.milliseconds(3)))), [3])

        let uniform = draws(.uniform(min: .milliseconds(10), max: .milliseconds(30)))
        XCTAssertGreaterThanOrEqual(uniform[0], 10)
        XCTAssertLessThanOrEqual(uniform[19_999], 30)
        XCTAssertEqual(mean(uniform), 20, accuracy: 0.2)

        let normal = draws(.normal(mean: .milliseconds(100), deviation: .milliseconds(10)))
        XCTAssertEqual(mean(normal), 100, accuracy: 0.3)
        XCTAssertEqual(normal[16_827], 110, accuracy: 0.4, "84.13 % lie below one deviation")
        XCTAssertEqual(normal[19_544], 120, accuracy: 0.8, "97.72 % lie below two deviations")

        let logNormal = draws(.logNormal(median: .milliseconds(50), spread: Ratio(1, outOf: 2)))
        XCTAssertEqual(logNormal[10_000], 50, accuracy: 1)
        XCTAssertEqual(logNormal[16_827], 50 * exp(0.5), accuracy: 2)

        let exponential = draws(.exponential(mean: .milliseconds(40)))
        XCTAssertEqual(mean(exponential), 40, accuracy: 1)
        XCTAssertEqual(exponential[10_000], 40 * log(2), accuracy: 1)

        let pareto = draws(.pareto(min: .milliseconds(5), shape: Ratio(3, outOf: 2)))
        XCTAssertGreaterThanOrEqual(pareto[0], 5)
        XCTAssertEqual(pareto[10_000], 5 * pow(2, 2.0 / 3), accuracy: 0.2)
        XCTAssertEqual(pareto[18_000], 5 * pow(10, 2.0 / 3), accuracy: 1.2)
    }

    // Our own published vectors: draws are integers, so they are equal on every platform and in every build.
    func testDrawsOfASeedNeverChange() {
        var stream = RandomStream(seed: 42).fork("latency")
        let distributions: [DurationDistribution] = [
            .uniform(min: .milliseconds(1), max: .milliseconds(20)),
            .normal(mean: .milliseconds(20), deviation: .milliseconds(5)),
            .logNormal(median: .milliseconds(20), spread: Ratio(1, outOf: 2)),
            .exponential(mean: .milliseconds(20)),
            .pareto(min: .milliseconds(20), shape: Ratio(2, outOf: 1)),
        ]
        XCTAssertEqual(
            distributions.map { stream.nanoseconds($0) },
            [15_025_776, 23_649_672, 21_885_959, 19_777_340, 21_191_211])
    }

    func testFixedPointIsExactToAFewUnits() {
        let unit = 1.0 / 4_294_967_296
        var stream = RandomStream(seed: 12)
        for _ in 0..<2000 {
            let mantissa = stream.next() >> stream.next(below: 60) | 1
            let exact = log2(Double(mantissa)) - 64
            XCTAssertEqual(Double(FixedPoint.log2(ofFraction: mantissa)) * unit, exact, accuracy: 4 * unit)
            let exponent = Double(Int64(bitPattern: stream.next()) >> 28) * unit
            let power = Double(FixedPoint.exp2(Int64(exponent / unit))) * unit
            if exponent < 31 { XCTAssertEqual(power, exp2(exponent), accuracy: exp2(exponent) * 1e-9 + unit) }
            let natural = exponent / 2
            let exponential = Double(FixedPoint.exp(Int64(natural / unit))) * unit
            if natural < 20 { XCTAssertEqual(exponential, exp(natural), accuracy: exp(natural) * 2e-8 + 2 * unit) }
        }
        XCTAssertEqual(FixedPoint.squareRoot(high: 0, low: 99), 9)
        XCTAssertEqual(FixedPoint.squareRoot(high: .max, low: .max), .max)
    }

    func testExtremeParametersStayWithinTheBounds() {
        let longest = DurationDistribution.longest
        let distributions: [DurationDistribution] = [
            .normal(mean: longest, deviation: longest), .logNormal(median: longest, spread: Ratio(7, outOf: 1)),
            .exponential(mean: longest), .pareto(min: longest, shape: Ratio(1, outOf: 1000)),
            .pareto(min: .nanoseconds(1), shape: Ratio(1, outOf: 1_000_000)), .uniform(min: .zero, max: longest),
            .fixed(.zero),
        ]
        var stream = RandomStream(seed: 13)
        for distribution in distributions {
            for _ in 0..<500 {
                let duration = stream.duration(distribution)
                XCTAssertTrue(duration >= .zero && duration <= longest, "\(distribution): \(duration)")
            }
        }
    }

    func testInvalidParametersAreNamed() {
        let invalid: [(DurationDistribution, String)] = [
            (.fixed(.seconds(-1)), "negative"),
            (.uniform(min: .seconds(2), max: .seconds(1)), "below the minimum"),
            (.normal(mean: .seconds(1), deviation: .seconds(-1)), "negative"),
            (.logNormal(median: .seconds(1), spread: Ratio(8, outOf: 1)), "spread"),
            (.pareto(min: .seconds(1), shape: .zero), "shape of 0"),
            (.exponential(mean: .seconds(Int64.max)), "above"),
        ]
        for (distribution, text) in invalid {
            XCTAssertTrue(
                distribution.validationError?.contains(text) ?? false, "\(distribution.validationError ?? "valid")")
        }
    }
}
