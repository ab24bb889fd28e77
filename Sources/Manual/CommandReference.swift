/// What is true of the whole command, said once: for its help, its manual page and its documentation.
public enum CommandReference {
    /// Something with a name, and what it means.
    public struct Entry: Hashable, Sendable {
        /// The name.
        public let name: String
        /// What it means.
        public let meaning: String
    }

    /// What the command's exit status says.
    public static let exitStatuses: [Entry] = [
        Entry(
            name: "0",
            meaning:
                "done, and nothing is wrong: the hypothesis held or claimed nothing, the experiment is valid, the traces are equal"
        ),
        Entry(
            name: "1",
            meaning:
                "done, and something is wrong: the hypothesis did not hold, the experiment is not valid, a run was interrupted, "
                + "a result could not be written, a check of doctor failed"),
        Entry(name: "2", meaning: "nothing was done: the command line, or a file that it names, cannot be used"),
    ]

    /// The environment variables that the command itself reads.
    public static let environment: [Entry] = [
        Entry(name: "NO_COLOR", meaning: "if it is not empty, nothing is coloured"),
        Entry(
            name: "CLICOLOR_FORCE",
            meaning: "if it is neither empty nor 0, also what goes to files and pipes is coloured"),
        Entry(name: "CLICOLOR", meaning: "0: nothing is coloured"),
        Entry(name: "TERM", meaning: "dumb: nothing is coloured, and no line is written over another"),
        Entry(name: "COLUMNS", meaning: "how wide help and the backlog are, where the terminal does not say"),
        Entry(name: "TZ", meaning: "the zone of the times in the log"),
        Entry(name: "TMPDIR", meaning: "where temporary files go, as doctor checks it"),
        Entry(name: "HOME", meaning: "where the settings are"),
        Entry(name: "PATH", meaning: "where programs of process activities and python3 are looked for"),
        Entry(name: "WINDKANAL_PYTHON", meaning: "the Python of python activities, in place of python3"),
        Entry(
            name: "WINDKANAL_USER, WINDKANAL_PASSWORD",
            meaning: "who windkanal probe says that it is; never given on the command line"),
    ]

    /// The files that the command reads or writes without being told their names.
    public static let files: [Entry] = [
        Entry(name: "./journal.json", meaning: "the journal of a run, unless --journal-path says otherwise"),
        Entry(name: "./hypotheses/", meaning: "the backlog: a file for each hypothesis"),
        Entry(name: "~/.chaostoolkit/settings.yaml", meaning: "the settings, as Chaos Toolkit has them"),
    ]

    /// The exit statuses in short, as lines of help; the manual page has them in full.
    public static let exitStatusHelp: String = """
        \(exitStatusHeading)
          0  all is well
          1  something is wrong: a hypothesis did not hold, a run was broken off
          2  nothing was done: the command line or a file cannot be used
        """

    /// Where the part on exit statuses begins in help.
    static let exitStatusHeading: String = "Exit status:"
}
