import Documents
import Experiments
import Reports

/// Events as a run of three flats and two faults writes them.
enum SampleRun {
    /// A minute of a landscape in which SD1 is not fetched from 20 s to 40 s.
    static func recorder(seed: Int = 7, title: String = "Fresh & <calm>") -> ReportRecorder {
        let recorder = ReportRecorder()
        record(into: recorder, seed: seed, title: title)
        return recorder
    }

    static func record(into recorder: ReportRecorder, seed: Int, title: String) {
        recorder.note([
            "event": "landscape", "at": 0, "flats": 3, "named_flats": ["SD0", "SD1", "SD2"], "seed": .integer(seed),
            "profile": "naive", "interval": 10, "keeps_readings": true, "warm_up": 0, "duration": 60,
            "seconds_per_sample": 1,
            "bound": ["age": "per-flat-last-success", "seconds": 10, "binds": true, "settle": 0],
            "services": [["name": "poller", "node": "poller"], ["name": "broker", "node": "broker"]],
        ])
        process("process-started", "poller", 0, recorder)
        process("process-started", "broker", 0, recorder)
        process("process-crashed", "broker", 25, recorder)
        process("process-started", "broker", 35, recorder)
        for second in 1...60 {
            let isSlow = (21...40).contains(second)
            let age = isSlow ? Double(second - 20) : 1
            recorder.note([
                "event": "sample", "at": .integer(second), "ages": [1.5, .real(age), .real(age + 30)],
                "flats": .string(isSlow ? (age > 10 ? ".x." : ".f.") : "..."),
                "requests": [3, .integer(isSlow ? 1 : 0)], "latency": [2, 5, .integer(isSlow ? 5000 : 9)],
                "open": 0, "outbox": .integer(isSlow ? 40 : 0), "lag": 0,
            ])
        }
        recorder.note(["event": "latency", "requests": 200, "p50": 2, "p95": 5, "p99": 5000, "p100": 5000])
        recorder.note([
            "event": "messages", "at": 31, "about": "the age stays below 10 s: the age of SD1 is 11 s", "of": ["SD1"],
            "messages": [
                [1, "poller", "server", 30, 30.001, "GET /flats/SD1"],
                [1, "server", "poller", 30.002, .null, "200 GET /flats/SD1"],
            ],
        ])
        recorder.note([
            "event": "ledger", "in_outbox": 2, "in_broker": 0, "read": 100, "acknowledged": 98, "stored": 95, "lost": 1,
            "recovered": 0, "not_kept": 1, "to_be_read_again": 1, "duplicated": 0, "unexpected": 0, "never_seen": 4,
            "violations": ["SD1/0/temperature@1000: sent at 22 s, acknowledged at 23 s"], "unreadable": [],
        ])
        violation(recorder)
        verdict(recorder, seed: seed, title: title)
    }

    private static func process(_ event: Value, _ name: Value, _ time: Int, _ recorder: ReportRecorder) {
        let details: Value.Object = [
            "time": .integer(time), "event": event, "process": name, "boot": 1, "power": false,
        ]
        recorder.record(.testbed(event.string ?? "", details), at: .zero)
    }

    private static func violation(_ recorder: ReportRecorder) {
        recorder.record(
            .testbed(
                "invariant-violated",
                [
                    "event": "invariant-violated", "invariant": "the age stays below 10 s", "time": 31,
                    "entities": ["SD1"], "message": "the age of SD1 is 11 s",
                    "history": ["20.000 s: begins device-schedule target=SD1", "25.000 s: broker is killed"],
                ]), at: .zero)
    }

    private static func verdict(_ recorder: ReportRecorder, seed: Int, title: String) {
        recorder.note([
            "event": "verdict", "verdict": "refuted", "success": false, "seed": .integer(seed), "digest": "abc123",
            "virtual": 60, "title": .string(title), "reasons": ["the hypothesis was not met in 3 of 9 tests"],
            "ages": ["per-flat-last-success": ["max": 20, "p95": 17]],
            "bound": ["age": "per-flat-last-success", "seconds": 10, "exceeded": 10, "watched": 60],
            "invariants": ["the age stays below 10 s", "no acknowledged reading is lost"], "problems": [],
            "faults": [
                [
                    "line": "custom name=device-schedule target=SD1", "since": 10, "until": 40,
                    "windows": [[20, 50]], "impact": ["verdict": "hit", "hits": 4, "targets": ["SD1": 4]],
                ],
                [
                    "line": "disk.slow service=storage seconds=2", "since": 45, "until": .null,
                    "impact": ["verdict": "missed", "hits": 0, "targets": ["storage": 0]],
                ],
            ],
            "replay": ["windkanal", "run", "a file.json", "--seed", .string(String(seed))],
        ])
    }

    /// Three seeds, of which the last fails worst, and that one's run.
    static func sweep() -> ReportRecorder {
        let recorder = ReportRecorder()
        recorder.note([
            "event": "sweep-begins", "title": "Fresh", "seeds": 3,
            "bound": ["age": "per-flat-last-success", "seconds": 10, "binds": true],
        ])
        for (seed, age) in [(1, 5.0), (2, 12), (3, 20)] {
            let isGood = age <= 10
            recorder.note([
                "event": "seed", "seed": .integer(seed), "verdict": isGood ? "held" : "refuted",
                "success": .bool(isGood), "ages": ["per-flat-last-success": ["max": .real(age), "p95": 4]],
                "violations": isGood ? [] : [["invariant": "the age", "time": 31, "message": "is, too large"]],
                "violation_count": isGood ? 0 : 2,
            ])
        }
        record(into: recorder, seed: 3, title: "Fresh")
        recorder.note(["event": "sweep-ended", "verdict": "refuted", "replay": ["windkanal", "run", "--seed", "2"]])
        return recorder
    }

    /// One scenario with two profiles.
    static func comparison() -> ReportRecorder {
        let recorder = ReportRecorder()
        recorder.note(["event": "comparison-begins", "command": ["windkanal", "compare", "fresh.json"]])
        for profile in ["naive", "pipelined"] {
            record(into: recorder, seed: 1, title: "Fresh")
            recorder.note(["event": "row", "scenario": "fresh", "profile": .string(profile)])
        }
        return recorder
    }
}
