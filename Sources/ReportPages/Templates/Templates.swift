import Mustache

/// The pages' templates.
enum Templates {
    /// All of them, by name.
    static func library() throws -> MustacheLibrary {
        var library = MustacheLibrary()
        for (name, text) in all { try library.register(text, named: name) }
        return library
    }

    private static let all: KeyValuePairs<String, String> = [
        "page": page, "head": head, "figure": figure, "run": run, "sweep": sweep, "comparison": comparison,
        "verdict": verdict, "facts": facts, "replay": replay, "body": body,
    ]

    private static let page: String = """
        <!doctype html>
        <html lang="en">
        {{> head}}
        <body>
        <main>
        {{#run}}{{> run}}{{/run}}{{#sweep}}{{> sweep}}{{/sweep}}{{#comparison}}{{> comparison}}{{/comparison}}
        <footer>Made by Windkanal from the events of the run. Equal seeds make equal pages, to the byte.</footer>
        </main>
        </body>
        </html>

        """

    private static let head: String = """
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width,initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>{{title}}: {{verdict}}</title>
        <link rel="icon" href="data:,">
        <style>{{{style}}}</style>
        </head>
        """

    private static let figure: String = """
        <figure>
        <figcaption>{{title}}<small>{{unit}}</small></figcaption>
        {{#hasLegend}}<ul class="legend">{{#legend}}<li>{{{swatch}}}{{text}}</li>{{/legend}}</ul>{{/hasLegend}}
        <div class="draw">{{#hasGutter}}<svg width="{{gutterWidth}}" height="{{height}}" aria-hidden="true">{{{gutter}}}</svg>{{/hasGutter}}<svg class="plot" height="{{height}}" role="img" aria-label="{{title}}, {{unit}}" text-anchor="middle">{{{plot}}}</svg></div>
        {{#note}}<p class="note">{{note}}</p>{{/note}}
        </figure>
        """

    private static let verdict: String = """
        <div class="verdict v-{{tone}}"><span class="sign" aria-hidden="true">{{sign}}</span><div><span class="word" id="verdict">{{word}}</span><p class="why">{{why}}</p></div></div>
        """

    private static let facts: String = """
        <dl class="facts">{{#facts}}<div><dt>{{name}}</dt><dd{{#code}} class="code"{{/code}}>{{value}}{{#more}} <small>{{more}}</small>{{/more}}</dd></div>{{/facts}}</dl>
        """

    private static let replay: String = """
        {{#replay}}<div class="replay"><span>Play it again:</span><code>{{replay}}</code></div>{{/replay}}
        """

    private static let run: String = """
        <header>
        <p class="over">{{over}}</p>
        <h1>{{title}}</h1>
        {{> verdict}}
        </header>
        {{> body}}
        """

    private static let body: String = """
        {{#hypothesis}}<p class="hypothesis"><span>Hypothesis</span> {{hypothesis}}</p>{{/hypothesis}}
        {{> facts}}
        {{> replay}}
        {{#hasReasons}}<h2>{{reasonsTitle}}</h2><ul>{{#reasons}}<li>{{.}}</li>{{/reasons}}</ul>{{/hasReasons}}
        {{#hasViolation}}<h2>The first violation</h2>
        <p><strong>{{violation.invariant}}</strong> was violated at {{violation.time}}: {{violation.message}}.</p>
        {{#violation.hasHistory}}<ol class="log">{{#violation.history}}<li>{{.}}</li>{{/violation.history}}</ol>{{/violation.hasHistory}}
        {{#hasOthers}}<details><summary>{{othersTitle}}</summary><ol class="log">{{#others}}<li>{{.}}</li>{{/others}}</ol></details>{{/hasOthers}}{{/hasViolation}}
        {{#hasAges}}<h2>Ages and faults</h2>{{#ageChart}}{{> figure}}{{/ageChart}}{{/hasAges}}
        {{#hasFaults}}<div class="wide"><table><thead><tr><th>No.</th><th>Fault</th><th>When it acts</th><th>What it hit</th></tr></thead><tbody>{{#faults}}<tr><td>{{number}}</td><td>{{line}}</td><td>{{time}}</td><td{{#missed}} class="warn"{{/missed}}>{{impact}}</td></tr>{{/faults}}</tbody></table></div>{{/hasFaults}}
        {{#moreFaults}}<p class="note">{{moreFaults}}</p>{{/moreFaults}}
        {{#hasAgeTable}}<div class="wide"><table><thead><tr><th>Age</th><th class="n">Largest</th><th class="n">95th percentile</th></tr></thead><tbody>{{#ageRows}}<tr><td>{{name}} <span class="quiet">{{words}}</span></td><td class="n">{{max}}</td><td class="n">{{p95}}</td></tr>{{/ageRows}}</tbody></table></div>{{/hasAgeTable}}
        {{#hasRequests}}<h2>Requests to the measurement server</h2><div class="pair">{{#requestCharts}}{{> figure}}{{/requestCharts}}</div>{{/hasRequests}}
        {{#hasLatency}}<div class="wide"><table><thead><tr><th>Latency of {{latencyCount}}</th>{{#percentiles}}<th class="n">{{name}}</th>{{/percentiles}}</tr></thead><tbody><tr><td></td>{{#percentiles}}<td class="n">{{value}}</td>{{/percentiles}}</tr></tbody></table></div>{{/hasLatency}}
        {{#hasFlats}}<h2>Flats</h2>{{#flatChart}}{{> figure}}{{/flatChart}}{{/hasFlats}}
        {{#hasServices}}<h2>Services</h2>{{#serviceChart}}{{> figure}}{{/serviceChart}}<div class="pair">{{#queueCharts}}{{> figure}}{{/queueCharts}}</div>{{/hasServices}}
        {{#hasLedger}}<h2>Readings</h2>{{#ledgerChart}}{{> figure}}{{/ledgerChart}}
        <div class="wide"><table><thead><tr><th>Class</th><th>What it means</th><th class="n">Readings</th></tr></thead><tbody>{{#ledgerRows}}<tr><td{{#bad}} class="warn"{{/bad}}>{{name}}</td><td>{{meaning}}</td><td class="n">{{count}}</td></tr>{{/ledgerRows}}</tbody></table></div>
        <p class="note">{{ledgerOthers}}</p>
        {{#hasLost}}<h3>The first of them, and what happened to each</h3><ol class="log">{{#lost}}<li>{{.}}</li>{{/lost}}</ol>{{#hasMoreLost}}<details><summary>More of them</summary><ol class="log">{{#moreLost}}<li>{{.}}</li>{{/moreLost}}</ol></details>{{/hasMoreLost}}{{/hasLost}}{{/hasLedger}}
        {{#hasMessages}}<h2>Messages</h2>{{#messageChart}}{{> figure}}{{/messageChart}}{{/hasMessages}}
        {{#hasSteps}}<h2>The experiment</h2>
        <div class="wide"><table><thead><tr><th>At</th><th>Phase</th><th>What</th><th>How it ended</th></tr></thead><tbody>{{#steps}}<tr><td>{{time}}</td><td>{{phase}}</td><td>{{what}}</td><td{{#bad}} class="warn"{{/bad}}>{{end}}</td></tr>{{/steps}}</tbody></table></div>
        {{#beside}}<p class="note">{{beside}}</p>{{/beside}}{{/hasSteps}}
        {{#hasInvariants}}<h2>Invariants</h2><div class="wide"><table><thead><tr><th>Claim</th><th>Outcome</th></tr></thead><tbody>{{#invariants}}<tr><td>{{name}}</td><td><span class="badge v-{{tone}}">{{outcome}}</span></td></tr>{{/invariants}}</tbody></table></div>{{/hasInvariants}}
        """

    private static let sweep: String = """
        <header>
        <p class="over">{{over}}</p>
        <h1>{{title}}</h1>
        {{> verdict}}
        </header>
        {{> facts}}
        {{> replay}}
        {{#charts}}{{> figure}}{{/charts}}
        {{#hasWorst}}<p><a href="#worst">The worst seed, {{worstSeed}}, with everything that was recorded of it</a></p>{{/hasWorst}}
        {{#hasFailing}}<h2>Seeds that failed</h2>
        <div class="wide"><table><thead><tr><th>Seed</th><th>Verdict</th><th class="n">Worst age</th><th class="n">At</th><th>First problem</th></tr></thead><tbody>{{#failing}}<tr><td>{{#isWorst}}<a href="#worst">{{number}}</a>{{/isWorst}}{{^isWorst}}{{number}}{{/isWorst}}</td><td><span class="badge v-{{tone}}">{{verdict}}</span></td><td class="n">{{age}}</td><td class="n">{{at}}</td><td>{{problem}}</td></tr>{{/failing}}</tbody></table></div>
        {{#moreFailing}}<p class="note">{{moreFailing}}</p>{{/moreFailing}}{{/hasFailing}}
        {{#worst}}<section class="worst" id="worst"><p class="over">The worst seed</p><h1>Seed {{seed}}</h1>{{> verdict}}{{> body}}</section>{{/worst}}
        """

    private static let comparison: String = """
        <header>
        <p class="over">{{over}}</p>
        <h1>{{title}}</h1>
        {{> verdict}}
        </header>
        {{> replay}}
        <div class="wide"><table><thead><tr><th>Scenario</th><th>Profile</th><th>Verdict</th>{{#ageNames}}<th class="n">{{.}}</th>{{/ageNames}}<th class="n">Beyond the bound</th></tr></thead><tbody>{{#rows}}<tr><td>{{scenario}}</td><td>{{profile}}</td><td><span class="badge v-{{tone}}">{{verdict}}</span></td>{{#ages}}<td class="n">{{.}}</td>{{/ages}}<td class="n">{{beyond}}</td></tr>{{/rows}}</tbody></table></div>
        <p class="note">Ages: the largest and the 95th percentile, in seconds.</p>
        {{#scenarios}}<section><h2>{{name}}</h2>{{#bound}}<p class="note">{{bound}}</p>{{/bound}}<div class="quad">{{#charts}}{{> figure}}{{/charts}}</div></section>{{/scenarios}}
        """
}
