/// Runs a program over a text, by backtracking with a stack of its own: depth costs memory, not the thread's stack.
struct RegexMachine {
    private let program: RegexProgram
    private let text: [Unicode.Scalar]
    private let stepsMax: Int
    private var steps: Int = 0
    private var slots: [Int]
    private var rounds: [Int]
    private var stack: [Choice] = []

    /// What to try, or to undo, when the present way fails.
    private enum Choice {
        case goOn(instruction: Int, position: Int)
        /// A run of characters that may give some back (`step` -1) or take more (`step` 1).
        case run(instruction: Int, start: Int, count: Int, limit: Int, step: Int)
        case restoreSlot(Int, Int)
        case restoreRound(Int, Int)
    }

    init(_ program: RegexProgram, text: [Unicode.Scalar], stepsMax: Int) {
        self.program = program
        self.text = text
        self.stepsMax = stepsMax
        slots = Array(repeating: -1, count: program.slots)
        rounds = Array(repeating: -1, count: program.loops)
    }

    /// Whether a match begins anywhere.
    mutating func search() throws(RegexError) -> Bool {
        for start in 0...text.count {
            for index in slots.indices { slots[index] = -1 }
            if try run(from: 0, at: start) != nil { return true }
        }
        return false
    }

    /// Runs from an instruction until `match`; where the match ends, or nil.
    private mutating func run(from first: Int, at start: Int) throws(RegexError) -> Int? {
        let base = stack.count
        var instruction = first
        var position = start
        while true {
            steps += 1
            guard steps <= stepsMax else { throw .tooManySteps(limit: stepsMax) }
            var isAlive = true
            switch program.instructions[instruction] {
            case .set(let set):
                isAlive = position < text.count && set.contains(text[position])
                position += 1
                instruction += 1
            case .run(let set, let min, let max, let kind):
                isAlive = try take(set, min, max, kind, instruction, &position)
                instruction += 1
            case .split(let preferred, let other):
                stack.append(.goOn(instruction: other, position: position))
                instruction = preferred
            case .jump(let target): instruction = target
            case .save(let slot):
                stack.append(.restoreSlot(slot, slots[slot]))
                slots[slot] = position
                instruction += 1
            case .assertion(let assertion):
                isAlive = holds(assertion, at: position)
                instruction += 1
            case .backreference(let group, let ignoresCase):
                isAlive = takeAgain(group, ignoresCase, &position)
                instruction += 1
            case .look(let width, _, let isNegative, let end):
                let from = position - width
                let found = from >= 0 ? try run(from: instruction + 1, at: from) : nil
                isAlive = (found != nil) != isNegative
                instruction = end
            case .atomic(let end):
                if let found = try run(from: instruction + 1, at: position) {
                    position = found
                } else {
                    isAlive = false
                }
                instruction = end
            case .conditional(let group, let no):
                instruction = slots[2 * group + 1] >= 0 ? instruction + 1 : no
            case .roundStart(let loop):
                stack.append(.restoreRound(loop, rounds[loop]))
                rounds[loop] = position
                instruction += 1
            case .roundEnd(let loop):
                // A round that took nothing would go on for ever; the loop is left instead.
                instruction += rounds[loop] == position ? 2 : 1
            case .match:
                // What a sub-match could still try is given up; what it undoes stays with the caller.
                dropChoices(downTo: base)
                return position
            }
            guard !isAlive else { continue }
            guard let next = backtrack(to: base) else { return nil }
            (instruction, position) = next
        }
    }

    private mutating func take(
        _ set: RegexSet, _ min: Int, _ max: Int, _ kind: RegexNode.Repetition.Kind, _ instruction: Int,
        _ position: inout Int
    ) throws(RegexError) -> Bool {
        let start = position
        let limit = Swift.min(max, text.count - start)
        let wanted = kind == .lazy ? min : limit
        var count = 0
        while count < wanted, count < limit, set.contains(text[start + count]) { count += 1 }
        steps += count / 8
        guard count >= min else { return false }
        switch kind {
        case .greedy:
            if count > min {
                stack.append(.run(instruction: instruction, start: start, count: count - 1, limit: min, step: -1))
            }
        case .lazy:
            if count < limit {
                stack.append(.run(instruction: instruction, start: start, count: count + 1, limit: limit, step: 1))
            }
        case .possessive: break
        }
        position = start + count
        return true
    }

    /// Goes back to the last choice; nil when there is none above `base`.
    private mutating func backtrack(to base: Int) -> (Int, Int)? {
        while stack.count > base, let choice = stack.popLast() {
            switch choice {
            case .goOn(let instruction, let position): return (instruction, position)
            case .restoreSlot(let slot, let value): slots[slot] = value
            case .restoreRound(let loop, let value): rounds[loop] = value
            case .run(let instruction, let start, let count, let limit, let step):
                if step > 0 {
                    guard case .run(let set, _, _, _) = program.instructions[instruction],
                        set.contains(text[start + count - 1])
                    else { continue }
                }
                if count != limit {
                    stack.append(
                        .run(instruction: instruction, start: start, count: count + step, limit: limit, step: step))
                }
                return (instruction + 1, start + count)
            }
        }
        return nil
    }

    /// Keeps what must be undone if the way fails later, and forgets what could still be tried.
    private mutating func dropChoices(downTo base: Int) {
        var kept: [Choice] = []
        for choice in stack[base...] {
            switch choice {
            case .restoreSlot, .restoreRound: kept.append(choice)
            case .goOn, .run: continue
            }
        }
        stack.replaceSubrange(base..., with: kept)
    }

    // MARK: Conditions

    private func holds(_ assertion: RegexNode.Assertion, at position: Int) -> Bool {
        switch assertion {
        case .textStart: position == 0
        case .textEnd: position == text.count
        case .textEndBeforeNewline:
            position == text.count || position == text.count - 1 && text[position] == "\n"
        case .lineStart: position == 0 || text[position - 1] == "\n"
        case .lineEnd: position == text.count || text[position] == "\n"
        case .wordBoundary(let isASCII): isBoundary(position, isASCII)
        // Python finds neither a boundary nor its opposite in an empty text.
        case .noWordBoundary(let isASCII): !text.isEmpty && !isBoundary(position, isASCII)
        }
    }

    private func isBoundary(_ position: Int, _ isASCII: Bool) -> Bool {
        let before = position > 0 && RegexSet.isWord(text[position - 1], isASCII)
        let after = position < text.count && RegexSet.isWord(text[position], isASCII)
        return before != after
    }

    private func takeAgain(_ group: Int, _ ignoresCase: Bool, _ position: inout Int) -> Bool {
        let (start, end) = (slots[2 * group], slots[2 * group + 1])
        guard start >= 0, end >= start, position + end - start <= text.count else { return false }
        for offset in 0..<(end - start) {
            let (known, here) = (text[start + offset], text[position + offset])
            guard known == here || ignoresCase && RegexSet.variants(of: known).contains(here) else { return false }
        }
        position += end - start
        return true
    }
}
