extension Scaffold {
    /// A hypothesis without experiments: the first station of the cycle.
    static let hypothesis: String = #"""
        # A hypothesis: what is believed of the system, how it is tried, and what came of it.
        # `windkanal backlog` shows where it is in the cycle: hypothesis, planning, experiment, evaluation.

        # The hypothesis in a line.
        title: The system does its work although something fails

        # The hypothesis in a sentence that can turn out to be wrong, with its numbers.
        statement: >-
          Every flat's last successful fetch stays younger than 20 s although one device answers after 30 s.

        # What must be true for it to hold: what is measured, which values are good, and of how many things.
        binds:
          - metric: age of the last successful fetch
            bound: below 20 s
            share: every flat

        # What else to look at while it is tried, since a hypothesis that holds can still cost something.
        observe:
          - requests in flight at the measurement server

        # PLANNING: the experiments that try it. Paths are relative to this file. `expect` is the verdict that is
        # expected; `waits-for` says what is missing before an experiment can be run. Take the '#' away:
        # experiments:
        #   - file: ../scenarios/smoke/device-latency.json
        #     profile: naive
        #     expect: refuted
        #     why: the poller that everybody begins with

        # How everything is put back, also after an experiment that was broken off.
        # rollback:
        #   - take all faults of the measurement server back

        # EVALUATION: what was learned, in sentences that outlive the experiment.
        # learnings:
        #   - text: One slow device must not hold up the others.
        #     shown-by: ../scenarios/smoke/device-latency.json

        # `windkanal run FILE --record` adds what came of each run below; fill in its 'learning'.

        """#

    /// A scenario that can be run as it is.
    static let scenario: String = #"""
        # A scenario: a Chaos Toolkit experiment, and the landscape that it is simulated in.
        # `windkanal validate` says what is wrong with this file, `windkanal run` runs it. docs/scenarios.md has all parts.
        title: Every flat stays fresh although one device answers late
        description: One flat's device answers after 30 s for three minutes; every flat is still fetched within 20 s.
        tags: [latency]

        # Where the services are. Outside of the simulation the environment variables say so.
        configuration:
          gateway: {type: env, key: GATEWAY, default: "http://gateway:8080"}
          measurement_server: {type: env, key: MEASUREMENT_SERVER, default: "http://measurement-server:8080"}

        # What is true when all is well. It is asked before and after the method, and here also every second meanwhile.
        steady-state-hypothesis:
          title: Every flat was fetched less than 20 s ago
          probes:
            - type: probe
              name: every-flat-is-fresh
              provider: {type: http, url: "${gateway}/freshness", timeout: 5}
              tolerance: {type: jsonpath, path: "$.per_flat[?(@.last_success_age_max < 20)]", target: body}

        # What is done to the system. `windkanal activities` lists what else can be done.
        method:
          - type: action
            name: let-one-device-answer-after-30-s
            provider:
              type: http
              method: PUT
              url: ${measurement_server}/_windkanal/devices/SD3/schedule
              headers: {Content-Type: application/json}
              arguments: {latency: 30}
              timeout: 5
            pauses: {after: 180}

        # How it is taken back, also when the method was broken off.
        rollbacks:
          - type: action
            name: take-all-faults-back
            provider: {type: http, method: DELETE, url: "${measurement_server}/_windkanal/schedules", timeout: 5}

        runtime:
          hypothesis: {strategy: continuously}

        extensions:
          - name: windkanal
            # What the run follows from: equal seeds give equal runs.
            seed: 1
            # Seconds of virtual time before the experiment begins, and in all.
            warm-up: 30
            duration: 600
            # Twenty flats of four rooms. Profiles of the poller: naive, bulkhead, adaptive, pipelined.
            landscape: {flats: 20, rooms: 4, contract: iee-flat, poller: {profile: pipelined}}
            # The age that is claimed of the whole run; it may be exceeded for 40 s after a fault begins or ends.
            bound: {age: per-flat-last-success, seconds: 20, settle: 40}

        """#
}
