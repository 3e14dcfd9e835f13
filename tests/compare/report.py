def line(r):
    if "left_out" in r:
        return f"-    {r['tool']}: {r['ending']}: {r['left_out']}"
    t = r["at_exit"]
    return f"{r['told']:14} {r['tool']}: {r['ending']}: exit {r['exit_code']}, {r['seconds']} s, {r['calls']} calls; truth {t['ended']} {t['images']} run {t['running']}/{t['desired']} serving {t['serving']} moving {t['moving']} later {r['settled']['ended']} {r['settled']['images']} | {r['words'][:100]}"
def summary_line(c, r): return ""
