// What tests of simulated code ask for. Each is a free function, so that it reads as what it means wherever the code runs: in the
// test's own closure, in a helper of it, on a host.

/// Suspends until nothing can happen any more without time passing: every task waits, for a time or for another.
///
/// It is what `await Task.yield()` in a loop hopes for.
public func quiescence(
    fileID: StaticString = #fileID, filePath: StaticString = #filePath, line: Int = #line, column: Int = #column
) async {
    let location = CodeLocation(fileID: fileID, filePath: filePath, line: line, column: column)
    await TestedRun.required("quiescence()", location).quiescence()
}

/// The tasks of the caller's host that have not ended when nothing can happen without time passing, without the caller's own.
///
/// Each says its name, where it waits and who made it: a continuation that nobody resumes, a stream that nobody finishes, a loop
/// that nobody cancelled.
public func leaks(
    fileID: StaticString = #fileID, filePath: StaticString = #filePath, line: Int = #line, column: Int = #column
) async -> [WaitingTask] {
    let location = CodeLocation(fileID: fileID, filePath: filePath, line: line, column: column)
    let run = TestedRun.required("leaks()", location)
    await run.quiescence()
    return run.waitingTasks
}

/// Lets virtual time pass and expects something then.
///
/// - Parameters:
///   - delay: How long from now.
///   - claim: What is expected, for people.
///   - fileID: The module and the file of the check.
///   - filePath: The file's path.
///   - line: The check's line.
///   - column: Its column.
///   - condition: Whether it is so; a thrown error says that it is not.
/// - Returns: Whether it was so.
@discardableResult
public func expect(
    after delay: Duration, _ claim: String = "the expectation", fileID: StaticString = #fileID,
    filePath: StaticString = #filePath, line: Int = #line, column: Int = #column,
    _ condition: () async throws -> Bool
) async -> Bool {
    let location = CodeLocation(fileID: fileID, filePath: filePath, line: line, column: column)
    let run = TestedRun.required("expect(after:)", location)
    // A cancelled task looks at once, and says so.
    let wasCancelled = (try? await Task.sleep(for: delay)) == nil
    await run.quiescence()
    let problem = await problem(condition)
    guard let problem else { return true }
    let moment = wasCancelled ? "the task was cancelled before \(delay) had passed" : "\(delay) later"
    run.fail(TrialFailure("\(claim) \(problem) at \(run.now), \(moment)", at: location))
    return false
}

/// Waits until something becomes true, in virtual time, and fails if it does not in time.
///
/// The condition is asked now and whenever something has happened; no polling interval is too long or too short.
///
/// - Parameters:
///   - claim: What must become true, for people.
///   - limit: How long it may take.
///   - fileID: The module and the file of the check.
///   - filePath: The file's path.
///   - line: The check's line.
///   - column: Its column.
///   - condition: Whether it is true; a thrown error says that it is not yet.
/// - Returns: Whether it became true in time.
@discardableResult
public func eventually(
    _ claim: String = "the expectation", within limit: Duration, fileID: StaticString = #fileID,
    filePath: StaticString = #filePath, line: Int = #line, column: Int = #column,
    _ condition: () async throws -> Bool
) async -> Bool {
    let location = CodeLocation(fileID: fileID, filePath: filePath, line: line, column: column)
    let run = TestedRun.required("eventually(within:)", location)
    let deadline = run.now.advanced(by: limit)
    await run.quiescence()
    while true {
        guard let problem = await problem(condition) else { return true }
        guard !run.isEnding else { return false }
        guard run.now < deadline else {
            run.fail(TrialFailure("eventually: \(claim) still \(problem) at \(run.now), after \(limit)", at: location))
            return false
        }
        await run.nextMoment(until: deadline.nanoseconds)
    }
}

/// Claims that something is true from now on, at every moment between which time passes.
///
/// Its first violation is a failure of the run, at this line.
///
/// - Parameters:
///   - claim: What must be true, for people.
///   - fileID: The module and the file of the check.
///   - filePath: The file's path.
///   - line: The check's line.
///   - column: Its column.
///   - condition: Whether it is.
public func always(
    _ claim: String, fileID: StaticString = #fileID, filePath: StaticString = #filePath, line: Int = #line,
    column: Int = #column, _ condition: @escaping () -> Bool
) {
    let location = CodeLocation(fileID: fileID, filePath: filePath, line: line, column: column)
    TestedRun.required("always", location).claim(claim, at: location, condition)
}

/// Claims that this place is reached with the condition true for at least one seed of a sweep: rare paths must be taken at all.
///
/// A place that no seed reaches cannot say so itself: name its claim in the sweep's `sometimes`, too.
///
/// - Parameters:
///   - claim: What must happen sometimes, for people.
///   - condition: Whether it happens now.
///   - fileID: The module and the file of the check.
///   - filePath: The file's path.
///   - line: The check's line.
///   - column: Its column.
public func sometimes(
    _ claim: String, _ condition: Bool = true, fileID: StaticString = #fileID, filePath: StaticString = #filePath,
    line: Int = #line, column: Int = #column
) {
    let location = CodeLocation(fileID: fileID, filePath: filePath, line: line, column: column)
    TestedRun.required("sometimes", location).mark(claim, condition ? 1 : 0)
}

/// What keeps a condition from being true; nil if nothing does.
private func problem(_ condition: () async throws -> Bool) async -> String? {
    do {
        return try await condition() ? nil : "is false"
    } catch {
        return "threw \(error)"
    }
}
