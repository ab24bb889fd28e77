import Documents
import Randomness
import XCTest

@testable import MeasurementServer

final class DeviceModelTests: XCTestCase {
    private let model = DeviceModel(seed: 7)
    private let newYear: Int64 = 1_767_225_600_000  // 2026-01-01

    func testValuesDependOnSeedRoomAndTimeAlone() {
        let value = model.value("temperature", flat: 3, room: 2, at: newYear)
        XCTAssertEqual(value, DeviceModel(seed: 7).value("temperature", flat: 3, room: 2, at: newYear))
        XCTAssertNotEqual(value, DeviceModel(seed: 8).value("temperature", flat: 3, room: 2, at: newYear))
        XCTAssertNotEqual(value, model.value("temperature", flat: 3, room: 1, at: newYear))
        XCTAssertNil(model.value("colour", flat: 3, room: 2, at: newYear))
    }

    func testGaugesStayWhereRoomsAre() throws {
        for flat in 0..<20 {
            for hour in 0..<48 {
                let time = newYear + Int64(hour) * 3_600_000
                let temperature = try XCTUnwrap(model.value("temperature", flat: flat, room: 1, at: time))
                XCTAssertTrue((17...25).contains(temperature), "\(temperature)")
                let humidity = try XCTUnwrap(model.value("humidity", flat: flat, room: 1, at: time))
                XCTAssertTrue((30...70).contains(humidity), "\(humidity)")
            }
        }
    }

    // Registers never fall but when they are reset, which one in eight is, once a year.
    func testRegistersGrowAndAreResetNowAndThen() throws {
        var resets = 0
        for flat in 0..<64 {
            var last = -1.0
            for day in 0..<365 {
                let value = try XCTUnwrap(
                    model.value("meterValue", flat: flat, room: 1, at: newYear + Int64(day) * 86_400_000))
                if value < last {
                    resets += 1
                    XCTAssertLessThan(value, 10)
                }
                last = value
            }
        }
        XCTAssertTrue((2...20).contains(resets), "\(resets)")
    }

    // H0: a household of 1,000 kWh uses them in a year, more in January than in July, and more at 19 than at 3 o'clock.
    func testElectricityFollowsTheStandardLoadProfile() {
        func energy(_ from: Int64, _ hours: Int64) -> Int64 {
            HouseholdProfile.energy(until: from + hours * 3_600_000, kilowattHoursPerYear: 1000)
                - HouseholdProfile.energy(until: from, kilowattHoursPerYear: 1000)
        }
        let day: Int64 = 86_400_000
        XCTAssertEqual(energy(0, 365 * 24), 1_000_000_000)
        XCTAssertGreaterThan(energy(7 * day, 7 * 24), energy(190 * day, 7 * 24) * 12 / 10)
        XCTAssertGreaterThan(energy(7 * day + 19 * 3_600_000, 1), 3 * energy(7 * day + 3 * 3_600_000, 1))
    }

    // Real dates: 2026-05-14 is still transition and 2026-05-15 summer, 2026-01-04 is a Sunday, and 2024 has 366 days.
    func testTheLoadProfileFollowsTheCalendar() {
        let hour: Int64 = 3_600_000
        func energy(_ day: (Int, Int, Int), _ hours: Range<Int64>) -> Int64 {
            let start = Int64(GregorianCalendar.days(day.0, day.1, day.2)) * 24 * hour
            return HouseholdProfile.energy(until: start + hours.upperBound * hour, kilowattHoursPerYear: 1_000_000)
                - HouseholdProfile.energy(until: start + hours.lowerBound * hour, kilowattHoursPerYear: 1_000_000)
        }
        // At 20 o'clock on Thursdays and Fridays: 168 in transition, 167 in summer; at 3 o'clock 43 and 47.
        func ratio(_ day: (Int, Int, Int)) -> Double { Double(energy(day, 20..<21)) / Double(energy(day, 3..<4)) }
        XCTAssertEqual(ratio((2026, 5, 14)), 168.0 / 43, accuracy: 0.1)
        XCTAssertEqual(ratio((2026, 5, 15)), 167.0 / 47, accuracy: 0.1)
        // At noon Sundays have 207, Saturdays 167 and Mondays 131.
        let noon = [(2026, 1, 3), (2026, 1, 4), (2026, 1, 5)].map { Double(energy($0, 12..<13)) }
        XCTAssertGreaterThan(noon[1], noon[0] * 1.2)
        XCTAssertGreaterThan(noon[1], noon[2] * 1.4)
        XCTAssertEqual(energy((2024, 1, 1), 0..<(366 * 24)), 1_000_000_000_000)
        XCTAssertEqual(energy((2023, 1, 1), 0..<(365 * 24)), 1_000_000_000_000)
    }

    func testDevicesMeasureOnceAMinute() {
        let times = Set((0..<600).map { model.sampleTime(flat: 5, at: newYear + Int64($0) * 1000) })
        XCTAssertTrue((10...11).contains(times.count))
        XCTAssertEqual(Set(times.map { $0 % 60_000 }).count, 1)
    }

    func testASeriesIsReplayedAndBeginsAnew() throws {
        let series = try MeasuredSeries(
            csv: "offset_s,room_nr,temperature_c\n0,1,20\n0,2,18\n600,1,21\n600,2,\n1200,1,22\n1200,2,19\n",
            channels: ["temperature_c": "temperature"])
        XCTAssertEqual(series.sample("temperature", room: 0, at: 650)?.value, 21)
        // The gap: the device said nothing, so the last value stands.
        XCTAssertEqual(series.sample("temperature", room: 1, at: 650)?.value, 18)
        XCTAssertEqual(series.sample("temperature", room: 2, at: 1800)?.value, 20)
        XCTAssertEqual(series.sample("temperature", room: 2, at: 1800)?.seconds, 1800)
        XCTAssertNil(series.sample("heat", room: 0, at: 0))
        for (text, problem) in [
            ("a,b\n", "line 1: there is no column 'offset_s'; there are a, b"),
            ("offset_s,x\n0,1\n", "line 1: there is no column 'temperature_c'; there are offset_s, x"),
            ("offset_s,temperature_c\n0\n", "line 2: 1 cells instead of 2"),
            (
                "offset_s,temperature_c\n0,1\n0,2\n",
                "line 3: 0 s is not later than 0 s, the row of the same room before it"
            ),
            (
                "offset_s,temperature_c\n9,1\n\n5,2\n",
                "line 4: 5 s is not later than 9 s, the row of the same room before it"
            ),
            ("offset_s,temperature_c\n0,warm\n", "line 2: 'warm' is not a number, such as 21.5"),
            ("offset_s,temperature_c\n0,nan\n", "line 2: 'nan' is not a number, such as 21.5"),
            (
                "offset_s;temperature_c\n0;21,5\n",
                "line 1: cells are separated by commas (,), and here by semicolons (;): there is no column 'offset_s'"
            ),
            (
                "offset_s\ttemperature_c\n0\t21.5\n",
                "line 1: cells are separated by commas (,), and here by tabs: there is no column 'offset_s'"
            ),
            ("", "line 1: the table is empty; its header begins with offset_s"),
            ("\n \n", "line 1: the table is empty; its header begins with offset_s"),
            ("offset_s,temperature_c\n", "line 1: there is no row behind the header; a series has at least two"),
            (
                "offset_s,temperature_c\n0,1\n",
                "line 2: the column 'temperature_c' has one value; a series has at least two"
            ),
            (
                "offset_s,temperature_c\n0,\n9,\n",
                "line 3: the column 'temperature_c' has no value; a series has at least two"
            ),
            (
                "offset_s,room_nr,temperature_c\n0,1,1\n9,1,1\n0,2,1\n",
                "line 4: the column 'temperature_c' has one value of room 2; a series has at least two"
            ),
        ] {
            XCTAssertThrowsError(try MeasuredSeries(csv: text, channels: ["temperature_c": "temperature"])) { error in
                XCTAssertEqual("\(error)", problem)
            }
        }
    }

    // Offsets that no clock reaches once ended the process.
    func testOffsetsThatNoClockReachesAreRefused() {
        for offset in [
            "9223372036854775807", "9223372036854775808", "-1", "-9223372036854775808", "3155760001", "1e300", "nan",
            "inf",
            "0.5", "", "1:00",
        ] {
            let text = "offset_s,temperature_c\n0,1\n\(offset),2\n"
            XCTAssertThrowsError(try MeasuredSeries(csv: text, channels: ["temperature_c": "temperature"]), offset) {
                error in
                XCTAssertTrue("\(error)".hasPrefix("line 3: "), "\(error)")
            }
        }
    }

    func testATableMayBeWrittenBySpreadsheets() throws {
        let series = try MeasuredSeries(
            csv: "\u{feff}\"offset_s\", \"temperature_c\"\r\n0,\"20.5\"\r\n60.0, 21\r\n\r\n",
            channels: ["temperature_c": "temperature"])
        XCTAssertEqual(series.sample("temperature", room: 0, at: 0)?.value, 20.5)
        XCTAssertEqual(series.sample("temperature", room: 0, at: 61)?.value, 21)
        XCTAssertNil(series.sample("temperature", room: 0, at: -5))
    }
}
