# SPDX-License-Identifier: BSD-3-Clause
"""Shows what measure.py measured, as Markdown tables on the terminal.
report.py RESULTS.json SUITE. Knows nothing of how it was measured."""

import sys
from statistics import median

from cases import CASES, SUITES
from common import (load, loss_text, print_head, print_machine, print_row,
                    ratio, select, spread, unique)

EXECUTIONS = {"hook": "compiled, XDP", "interpreted": "interpreted, XDP",
              "socket": "the kernel's conversion, socket"}
STEPS = {"pcap_ms": "pcap_compile", "compile_ms": "to eBPF",
         "load_ms": "to eBPF, whole program, loaded"}
PER_LINE = 6  # ratios, as a table for a page


def least(values, form):
    """Median and smallest, as text."""
    return "%s (%s)" % tuple(form % v for v in (median(values), min(values)))


def groups(rows):
    """The rows of each frame size and number of queues, and those two."""
    for size in unique(r["size"] for r in rows):
        for queues in unique(r["queues"] for r in rows):
            mine = select(rows, size=size, queues=queues)
            if mine:
                yield [size, queues], mine


def mirrors_text(rows):
    return spread([p / 1e6 for r in rows for p in r["mirrors"]], "%.3f")


def table(rows):
    with_mirrors = any(r["mirrors"] for r in rows)
    print_head(["frame", "queues", "case", "Mpps received, median (min-max)"] +
               ["each mirror, Mpps"] * with_mirrors +
               ["sent, Mpps", "resident MB", "losses, of all sent"])
    for key, group in groups(rows):
        for case in unique(r["case"] for r in group):
            mine = select(group, case=case)
            print_row(key + [
                CASES[case].text,
                spread([r["pps"] / 1e6 for r in mine], "%.3f")] +
                [mirrors_text(mine)] * with_mirrors + [
                "%.2f" % (median(r["sent_pps"] for r in mine) / 1e6),
                "%.1f" % (median(r["memory"]["VmRSS"] for r in mine) / 1024),
                loss_text(mine)])


def ratios(rows, wanted):
    """In lines, or if there are many in columns."""
    cases = {r["case"] for r in rows}
    wanted = [w for w in wanted if w[1] in cases and w[2] in cases]
    if not wanted:
        return
    print()
    if len(wanted) <= PER_LINE:
        print_head(["frame", "queues"] + [n for n, _, _ in wanted])
        for key, group in groups(rows):
            print_row(key + [spread(ratio(group, "pps", a, b), "%.2f")
                             for _, a, b in wanted])
        return
    keys = list(groups(rows))
    print_head([""] + ["%d bytes, %d queue%s" % (*key, "s" * (key[1] > 1))
                       for key, _ in keys])
    for name, a, b in wanted:
        print_row([name] + [spread(ratio(group, "pps", a, b), "%.2f")
                            for _, group in keys])


def per_packet(rows):
    print("\nNanoseconds a packet, median (smallest) of %d rounds:\n" %
          len(rows[0]["hook"]))
    print_head(["filter", "packet"] + list(EXECUTIONS.values()))
    for r in rows:
        print_row([r["filter"], r["packet"]] + [
            least(r[k], "%.1f") if k in r else "-" for k in EXECUTIONS])


def setting(rows):
    print("\nMilliseconds to set a filter:\n")
    print_head(["filter", "classic instructions"] + list(STEPS.values()))
    for r in rows:
        print_row([r["filter"], r["instructions"]] + [
            least(r[k], "%.3f") for k in STEPS])


def paced(rows):
    print("\nOffered at most 80 % of what the case can take:\n")
    print_head(["frame", "queues", "case", "sent, Mpps",
                "losses, of all sent"])
    for r in rows:
        print_row([r["size"], r["queues"], CASES[r["case"]].text,
                   "%.3f" % (r["sent_pps"] / 1e6), loss_text([r])])


def main():
    suite, result = SUITES[sys.argv[2]], load(sys.argv[1])[sys.argv[2]]
    rows, filters = result["rows"], result["filters"]
    if rows:
        table(rows)
        ratios(rows, suite.ratios)
        print("\nNothing was attached to the interface after any of %d runs." %
              len(rows + result["paced"]))
    if result["paced"]:
        paced(result["paced"])
    if filters:
        per_packet([r for r in filters if "packet" in r])
        setting([r for r in filters if "instructions" in r])
    print_machine(result)


if __name__ == "__main__":
    main()
