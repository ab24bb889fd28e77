/// Carries a value that never leaves the kernel's thread into a closure or a task that says it might.
///
/// Everything in a run happens on one thread, so nothing is really sent; the compiler cannot know that.
package struct UncheckedTransfer<Value>: @unchecked Sendable {
    /// The value.
    package let value: Value

    /// Takes a value along.
    package init(_ value: Value) {
        self.value = value
    }
}
