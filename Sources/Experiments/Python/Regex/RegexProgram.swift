/// What a pattern is compiled to.
struct RegexProgram {
    enum Instruction {
        case set(RegexSet)
        /// Repeats a set of characters without an instruction for each.
        case run(RegexSet, min: Int, max: Int, RegexNode.Repetition.Kind)
        /// Goes on at the first, and at the second when that fails.
        case split(Int, Int)
        case jump(Int)
        case save(Int)
        case assertion(RegexNode.Assertion)
        case backreference(Int, ignoresCase: Bool)
        /// Matches the instructions up to `end` on their own.
        case look(width: Int, isAhead: Bool, isNegative: Bool, end: Int)
        case atomic(end: Int)
        case conditional(Int, no: Int)
        /// Remembers where a round of a loop begins, and ends a loop that goes round without taking anything.
        case roundStart(Int)
        case roundEnd(Int)
        case match
    }

    var instructions: [Instruction] = []
    /// Beginnings and ends of groups, the whole match first.
    var slots: Int
    /// Loops that may go round without taking anything.
    var loops: Int = 0
}

/// Turns the parts of a pattern into instructions.
struct RegexCompiler {
    /// Instructions that a pattern may unfold to.
    static let instructionsMax: Int = 100_000

    private var program: RegexProgram

    init(groups: Int) {
        program = RegexProgram(slots: 2 * (groups + 1))
    }

    mutating func compile(_ node: RegexNode) throws(RegexError) -> RegexProgram {
        try emit(node)
        try add(.match)
        return program
    }

    private var end: Int { program.instructions.count }

    @discardableResult
    private mutating func add(_ instruction: RegexProgram.Instruction) throws(RegexError) -> Int {
        guard end < Self.instructionsMax else { throw .tooLarge(limit: Self.instructionsMax) }
        program.instructions.append(instruction)
        return end - 1
    }

    private mutating func emit(_ node: RegexNode) throws(RegexError) {
        switch node {
        case .empty: return
        case .set(let set): try add(.set(set))
        case .sequence(let nodes): for node in nodes { try emit(node) }
        case .alternatives(let branches): try emit(branches)
        case .group(let node, let number):
            try add(.save(2 * number))
            try emit(node)
            try add(.save(2 * number + 1))
        case .atomic(let node): try emitAtomic(node)
        case .repetition(let node, let repetition): try emit(node, repetition)
        case .assertion(let assertion): try add(.assertion(assertion))
        case .look(let node, let isAhead, let isNegative):
            let start = try add(.jump(0))
            try emit(node)
            try add(.match)
            program.instructions[start] = .look(
                width: isAhead ? 0 : node.width.min, isAhead: isAhead, isNegative: isNegative, end: end)
        case .backreference(let number, let ignoresCase):
            try add(.backreference(number, ignoresCase: ignoresCase))
        case .conditional(let number, let yes, let no):
            let start = try add(.jump(0))
            try emit(yes)
            let jump = try add(.jump(0))
            program.instructions[start] = .conditional(number, no: end)
            try emit(no)
            program.instructions[jump] = .jump(end)
        }
    }

    private mutating func emit(_ branches: [RegexNode]) throws(RegexError) {
        var jumps: [Int] = []
        for (index, branch) in branches.enumerated() {
            guard index < branches.count - 1 else {
                try emit(branch)
                break
            }
            let split = try add(.jump(0))
            try emit(branch)
            jumps.append(try add(.jump(0)))
            program.instructions[split] = .split(split + 1, end)
        }
        for jump in jumps { program.instructions[jump] = .jump(end) }
    }

    private mutating func emitAtomic(_ node: RegexNode) throws(RegexError) {
        let start = try add(.jump(0))
        try emit(node)
        try add(.match)
        program.instructions[start] = .atomic(end: end)
    }

    private mutating func emit(_ node: RegexNode, _ repetition: RegexNode.Repetition) throws(RegexError) {
        if case .set(let set) = node {
            try add(.run(set, min: repetition.min, max: repetition.max ?? Int.max, repetition.kind))
            return
        }
        if repetition.kind == .possessive {
            var greedy = repetition
            greedy.kind = .greedy
            return try emitAtomic(.repetition(node, greedy))
        }
        for _ in 0..<repetition.min {
            let before = end
            try emit(node)
            // What needs no instruction needs none however often.
            if end == before { return }
        }
        guard let max = repetition.max else { return try emitLoop(node, repetition.kind) }
        var splits: [Int] = []
        for _ in repetition.min..<max {
            splits.append(try add(.jump(0)))
            try emit(node)
        }
        for split in splits { program.instructions[split] = self.split(repetition.kind, take: split + 1, leave: end) }
    }

    private mutating func emitLoop(_ node: RegexNode, _ kind: RegexNode.Repetition.Kind) throws(RegexError) {
        let loop = program.loops
        let split = try add(.jump(0))
        let mayBeEmpty = node.width.min == 0
        if mayBeEmpty {
            program.loops += 1
            try add(.roundStart(loop))
        }
        try emit(node)
        if mayBeEmpty { try add(.roundEnd(loop)) }
        try add(.jump(split))
        program.instructions[split] = self.split(kind, take: split + 1, leave: end)
    }

    private func split(
        _ kind: RegexNode.Repetition.Kind, take: Int, leave: Int
    ) -> RegexProgram.Instruction {
        kind == .lazy ? .split(leave, take) : .split(take, leave)
    }
}
