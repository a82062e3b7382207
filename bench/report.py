# SPDX-License-Identifier: BSD-3-Clause
"""Shows what measure.py measured: a Markdown table on the terminal, a bar
chart as SVG. report.py RESULTS.json CHART.svg"""

import json
import sys
from statistics import median

NAMES = {
    "stock": "(a) tcpdump, system libpcap",
    "dropin": "(b) tcpdump, drop-in",
    "dropin-xsk": "(b') the same through AF_XDP sockets",
    "xsk": "(c) bare AF_XDP loop",
    "drop": "(d) XDP_DROP",
    "pcap-stock": "pcap_dispatch, system libpcap",
    "pcap-dropin": "pcap_dispatch, drop-in",
    "next-stock": "pcap_next_ex, system libpcap",
    "next-dropin": "pcap_next_ex, drop-in",
    "cluster-1": "cluster of one member",
    "cluster-2": "cluster of two, together",
}
RATIOS = [("b/a", "dropin", "stock"), ("b/c", "dropin", "xsk"),
          ("b/b'", "dropin", "dropin-xsk"),
          ("c/d", "xsk", "drop"), ("members 2/1", "cluster-2", "cluster-1")]
# One packet in a hundred matches; as parts of what stock libpcap does.
FILTERED = {
    "1%-stock": "1 %, system libpcap",
    "1%-pass": "1 %, rest=pass",
    "1%-drop": "1 %, rest=drop",
    "1%-mirror": "1 %, mirror",
    "1%-pass-late": "1 %, rest=pass, no privilege",
    "1%-drop-late": "1 %, rest=drop, no privilege",
    "1%-mirror-late": "1 %, mirror, no privilege",
}
NAMES.update(FILTERED)
EXECUTIONS = {"hook": "compiled, XDP", "interpreted": "interpreted, XDP",
              "socket": "the kernel's conversion, socket"}
STEPS = {"pcap_ms": "pcap_compile", "compile_ms": "to eBPF",
         "load_ms": "to eBPF, whole program, loaded"}


def unique(values):
    return list(dict.fromkeys(values))


def select(rows, **keys):
    return [r for r in rows if all(r[k] == v for k, v in keys.items())]


def spread(values, form):
    """Median, smallest and largest, as text."""
    return "%s (%s-%s)" % tuple(form % v for v in (
        median(values), min(values), max(values)))


def least(values, form):
    """Median and smallest, as text."""
    return "%s (%s)" % tuple(form % v for v in (median(values), min(values)))


def loss_text(rows):
    """Each reason's share of what was sent, over all rounds."""
    sent = sum(r["sent"] for r in rows)
    parts = []
    for reason in unique(k for r in rows for k in r["losses"]):
        n = sum(r["losses"].get(reason, 0) for r in rows)
        if n:
            parts.append("%s %.2f %%" % (reason, 100 * n / sent))
    return ", ".join(parts) or "none"


def table(data):
    rows = data["rows"]
    print("| frame | case | Mpps received, median (min-max) | sent, Mpps |"
          " resident MB | losses, of all sent |")
    print("|---|---|---|---|---|---|")
    for size in unique(r["size"] for r in rows):
        for case in unique(r["case"] for r in rows):
            mine = select(rows, size=size, case=case)
            print("| %d | %s | %s | %.2f | %.1f | %s |" % (
                size, NAMES[case],
                spread([r["pps"] / 1e6 for r in mine], "%.3f"),
                median(r["sent_pps"] for r in mine) / 1e6,
                median(r["memory"]["VmRSS"] for r in mine) / 1024,
                loss_text(mine)))


def ratio(rows, size, above, below):
    """One value a round, so that the machine's moods cancel out."""
    a = {r["round"]: r["pps"] for r in select(rows, size=size, case=above)}
    b = {r["round"]: r["pps"] for r in select(rows, size=size, case=below)}
    return [a[k] / b[k] for k in a if b.get(k)]


def ratios(data):
    rows = data["rows"]
    print("\n| frame | " + " | ".join(n for n, _, _ in RATIOS) + " |")
    print("|---|" + "---|" * len(RATIOS))
    for size in unique(r["size"] for r in rows):
        cells = [ratio(rows, size, a, b) for _, a, b in RATIOS]
        print("| %d | %s |" % (size, " | ".join(
            spread(c, "%.2f") if c else "-" for c in cells)))


def filtered(data):
    """Where a part of the packets matches: what the driver's filter gains."""
    rows = data["rows"]
    cases = [c for c in unique(r["case"] for r in rows) if c in FILTERED]
    if "1%-stock" not in cases:
        return
    print("\n| frame | " + " | ".join(FILTERED[c] for c in cases) + " |")
    print("|---|" + "---|" * len(cases))
    for size in unique(r["size"] for r in rows):
        print("| %d | %s |" % (size, " | ".join(
            spread(ratio(rows, size, c, "1%-stock"), "%.2f") for c in cases)))


def per_packet(rows):
    print("\nNanoseconds a packet, median (smallest) of %d rounds:\n" %
          len(rows[0]["hook"]))
    print("| filter | packet | " + " | ".join(EXECUTIONS.values()) + " |")
    print("|---|---|" + "---|" * len(EXECUTIONS))
    for r in rows:
        print("| %s | %s | %s |" % (r["filter"], r["packet"], " | ".join(
            least(r[k], "%.1f") if k in r else "-" for k in EXECUTIONS)))


def setting(rows):
    print("\nMilliseconds to set a filter:\n")
    print("| filter | classic instructions | " +
          " | ".join(STEPS.values()) + " |")
    print("|---|---|" + "---|" * len(STEPS))
    for r in rows:
        print("| %s | %d | %s |" % (r["filter"], r["instructions"], " | ".join(
            least(r[k], "%.3f") for k in STEPS)))


def filters(data):
    rows = data["filters"]
    if rows:
        per_packet([r for r in rows if "packet" in r])
        setting([r for r in rows if "instructions" in r])


def paced(data):
    print("\nOffered at most %d %% of what the case can take:\n" %
          (100 * data["pace"]))
    print("| frame | case | sent, Mpps | losses, of all sent |")
    print("|---|---|---|---|")
    for r in data["paced"]:
        print("| %d | %s | %.3f | %s |" % (
            r["size"], NAMES[r["case"]], r["sent_pps"] / 1e6,
            loss_text([r])))


def bar(x, y, colour, rows, scale, label):
    values = [r["pps"] / 1e6 for r in rows]
    mid = median(values)
    lo, hi = (x + v * scale for v in (min(values), max(values)))
    return ('<rect x="%d" y="%d" width="%.1f" height="14" fill="%s"/>'
            '<path d="M%.1f %dH%.1f" stroke="#000"/>'
            '<text x="%d" y="%d" text-anchor="end">%s</text>'
            '<text x="%.1f" y="%d">%.2f</text>' % (
                x, y, mid * scale, colour, lo, y + 7, hi,
                x - 6, y + 11, label, max(hi, x + mid * scale) + 6, y + 11,
                mid))


def chart(data):
    rows, parts, y = data["rows"], [], 40
    colours = ["#9aa5b1", "#2b7a4b", "#3b6ea8", "#c9b458"] * 4
    scale = 400 / (max(r["pps"] for r in rows) / 1e6)
    cases = unique(r["case"] for r in rows)
    for size in unique(r["size"] for r in rows):
        parts.append('<text x="10" y="%d" font-weight="bold">'
                     '%d-byte frames</text>' % (y + 4, size))
        y += 12
        for case, colour in zip(cases, colours):
            parts.append(bar(200, y, colour, select(
                rows, size=size, case=case), scale, NAMES[case]))
            y += 20
        y += 16
    return ('<svg xmlns="http://www.w3.org/2000/svg" width="680" '
            'height="%d" font-family="sans-serif" font-size="11">'
            '<rect width="100%%" height="100%%" fill="#fff"/>'
            '<text x="10" y="20" font-size="13">Million packets a second '
            'received on one core (median; line: smallest to largest)</text>'
            '%s</svg>\n' % (y, "".join(parts)))


def main():
    with open(sys.argv[1]) as f:
        data = json.load(f)
    if data["rows"]:
        table(data)
        ratios(data)
        filtered(data)
        paced(data)
    filters(data)
    m = data["machine"]
    print("\n%s, %d cores, Linux %s; %s; %d rounds of %g s; %s" % (
        m["cpu"], m["cores"], m["kernel"], ", ".join(m["tcpdump"]),
        data["rounds"], data["seconds"], m["date"]))
    if data["rows"]:
        with open(sys.argv[2], "w") as f:
            f.write(chart(data))
        print("Chart: " + sys.argv[2])


if __name__ == "__main__":
    main()
