/// What pages look like.
enum StyleSheet {
    /// The whole of it.
    static let text: String = """
        :root{color-scheme:light dark;\(Palette.variables(dark: false))}
        @media (prefers-color-scheme:dark){:root{\(Palette.variables(dark: true))}}
        @media print{:root{color-scheme:light;\(Palette.variables(dark: false));--paper:#fff}}
        \(rules)
        """

    private static let rules: String = """
        *{box-sizing:border-box}
        html{-webkit-text-size-adjust:100%}
        body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",sans-serif;overflow-wrap:anywhere}
        main{max-width:1180px;margin:0 auto;padding:28px 20px 56px}
        h1{font-size:1.65rem;line-height:1.25;margin:.15em 0 .5em;font-weight:650;text-wrap:balance}
        h2{font-size:1.2rem;margin:2.2em 0 .7em;font-weight:650}
        h3{font-size:1rem;margin:1.4em 0 .4em;font-weight:650}
        p{margin:.4em 0}
        a{color:var(--link)}
        .over{color:var(--muted);font-size:.85rem;letter-spacing:.02em;margin:0}
        .verdict{display:flex;gap:16px;align-items:flex-start;background:var(--panel);border:1px solid var(--rule);border-left:6px solid var(--v);border-radius:10px;padding:16px 20px}
        .verdict .sign{flex:none;width:2.1rem;height:2.1rem;border-radius:50%;border:2px solid var(--v);color:var(--v);display:grid;place-items:center;font-weight:700}
        .verdict .word{color:var(--v);font-size:1.35rem;font-weight:700;line-height:1.3}
        .verdict .why{margin:0;max-width:85ch;text-wrap:pretty}
        .v-held{--v:var(--held)}.v-refuted{--v:var(--refuted)}.v-unsure{--v:var(--unsure)}.v-broken{--v:var(--broken)}
        .badge{color:var(--v);font-weight:650;white-space:nowrap}
        .hypothesis{margin:14px 2px 0}.hypothesis span{color:var(--muted);font-size:.85rem;margin-right:.5em}
        .facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));background:var(--panel);border:1px solid var(--rule);border-radius:10px;overflow:hidden;margin:16px 0}
        .facts div{box-shadow:0 0 0 .5px var(--rule);padding:10px 14px}
        dl{margin:0}dt{color:var(--muted);font-size:.8rem}dd{margin:0;font-weight:600;font-variant-numeric:tabular-nums}
        dd.code{font-family:ui-monospace,Menlo,Consolas,"Liberation Mono",monospace;font-size:.8rem;font-weight:400}
        dd small{font-weight:400;color:var(--muted)}
        code,pre,.log{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;font-size:.84rem}
        .replay{background:var(--soft);border-radius:8px;padding:10px 14px;margin:12px 0}
        .replay code{display:block;user-select:all;white-space:pre-wrap}
        .replay span{color:var(--muted);font-size:.8rem}
        figure{margin:0 0 22px;background:var(--panel);border:1px solid var(--rule);border-radius:10px;padding:14px 16px 10px;min-width:0}
        figcaption{font-weight:650;margin-bottom:2px}
        figcaption small{font-weight:400;color:var(--muted);margin-left:.5em;white-space:nowrap}
        .legend{display:flex;flex-wrap:wrap;gap:2px 16px;margin:2px 0 10px;padding:0;list-style:none;color:var(--muted);font-size:.82rem}
        .legend li{display:flex;align-items:center;gap:6px}
        .note{color:var(--muted);font-size:.82rem;margin:4px 0 2px}
        .draw{display:flex}
        .draw>svg{display:block;flex:none;overflow:visible}
        .draw>svg.plot{flex:1 1 0;width:0;min-width:0}
        .pair{display:grid;grid-template-columns:minmax(0,1fr);gap:0 22px}
        .pair>:only-child{grid-column:1/-1}
        .quad{display:grid;grid-template-columns:minmax(0,1fr);gap:0 18px}
        @media (min-width:560px){.quad{grid-template-columns:repeat(2,minmax(0,1fr))}}
        @media (min-width:900px){.pair{grid-template-columns:repeat(2,minmax(0,1fr))}}
        table{border-collapse:collapse;width:100%;font-size:.9rem;font-variant-numeric:tabular-nums}
        th{text-align:left;color:var(--muted);font-weight:500;font-size:.82rem}
        th,td{padding:6px 12px 6px 0;border-bottom:1px solid var(--rule);vertical-align:top;overflow-wrap:break-word}
        td.n,th.n{text-align:right}
        .wide{overflow-x:auto;margin:0 0 16px}
        .log{list-style:none;margin:8px 0;padding:10px 14px;background:var(--soft);border-radius:8px;line-height:1.55}
        .log li{padding-left:1.2em;text-indent:-1.2em}
        details{margin:8px 0 14px}summary{cursor:pointer;color:var(--link)}
        .warn{color:var(--refuted);font-weight:600}
        .quiet{color:var(--muted)}
        .worst{scroll-margin-top:12px;border-top:3px solid var(--rule);margin-top:44px;padding-top:8px}
        .worst:target{border-top-color:var(--refuted)}
        footer{color:var(--muted);font-size:.82rem;border-top:1px solid var(--rule);margin-top:44px;padding-top:12px}
        text{fill:var(--muted);font-size:11.5px;font-variant-numeric:tabular-nums}
        .lane,.hostname{fill:var(--ink);font-weight:600}
        .mark{fill:var(--unsure);font-weight:700}
        .boundtext{fill:var(--refuted);font-weight:600}.momenttext{fill:var(--refuted);font-weight:700}
        .message{fill:var(--ink);font-size:10.5px;paint-order:stroke;stroke:var(--panel);stroke-width:3px;stroke-linejoin:round}
        .silence{font-style:italic;paint-order:stroke;stroke:var(--panel);stroke-width:4px}
        .gonemark{fill:var(--refuted);font-weight:700}
        .grid{stroke:var(--grid)}.axis{stroke:var(--third)}.host{stroke:var(--rule);stroke-width:1.5}
        path{vector-effect:non-scaling-stroke;fill:none;stroke-linejoin:round;stroke-linecap:round}
        .line{fill:none;stroke-width:1.4}.bold{stroke:var(--first);stroke-width:2}.second{stroke:var(--second)}.third{stroke:var(--third);stroke-width:1.1}
        .bound{stroke:var(--refuted);stroke-width:1.5;stroke-dasharray:6 4}
        .violation{stroke:var(--refuted);stroke-width:1.5}
        .excess{fill:var(--excess);stroke:none}
        .fault{fill:var(--fault);fill-opacity:.62}.fault.missed{fill:none;stroke:var(--third);stroke-dasharray:3 3}
        .fetched{fill:var(--fetched)}.failing{fill:var(--failing)}.open{fill:var(--open)}.beyond{fill:var(--beyond)}
        .up{fill:var(--calm)}.down{fill:var(--beyond)}.paused{fill:var(--failing)}
        .good{fill:var(--good)}.bad{fill:var(--beyond)}.unsure{fill:var(--failing)}.broken{fill:var(--open)}
        .stored{fill:var(--good)}.inoutbox{fill:var(--first)}.inbroker{fill:var(--second)}.recovered{fill:var(--calm)}.again{fill:var(--pale)}.notkept{fill:var(--failing)}.lost{fill:var(--beyond)}
        .arrow{stroke-width:1.3}.request{stroke:var(--first)}.response{stroke:var(--second);stroke-dasharray:5 3}.gone{stroke:var(--beyond);stroke-dasharray:2 3}.tip{fill:var(--ink)}
        @media (max-width:520px){main{padding:18px 12px 40px}figure{padding:12px 10px 8px}h1{font-size:1.35rem}.verdict{padding:12px 14px;gap:12px}figcaption small{display:block;margin-left:0;white-space:normal}}
        @media print{main{max-width:none;padding:0}figure,.verdict,.facts,tr{break-inside:avoid}h2,h3{break-after:avoid}body{font-size:12px}a{color:inherit;text-decoration:none}.draw,.swatch{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
        """
}
