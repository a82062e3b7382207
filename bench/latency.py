# SPDX-License-Identifier: BSD-3-Clause
"""Latency from a peer's send to the callback: runs each case in each round,
prints a Markdown table. The network is made by run-latency; what is measured,
and why so: README.md."""

import argparse
import json
import os
import signal
import subprocess
import sys

from measure import (BUILD, DEVICE, EXCLUSIVE, GENERATOR_CORE, Failed, Reader,
                     in_namespace, machine)
from report import select, spread, unique

LATENCY = BUILD + "/bench/bench_latency"
BUSY_US = 100000

# name -> (what it is, the drop-in's environment or None for the system's)
CASES = {
    "stock": ("system libpcap", None),
    "dropin": ("drop-in", EXCLUSIVE),
    "busy": ("drop-in, busy polling",
             dict(EXCLUSIVE, PCAP_FAST_BUSY_POLL=BUSY_US)),
}
RATIOS = [("drop-in / stock", "dropin", "stock"),
          ("busy polling / stock", "busy", "stock")]


def measure(case, pps, seconds):
    reader = Reader([LATENCY, "receive", DEVICE, str(seconds)],
                    CASES[case][1])
    sender = None
    try:
        reader.wait_line("^ready")
        # Longer than needed; the reader ends when it has its window.
        sender = subprocess.Popen(
            in_namespace("NS_TX", GENERATOR_CORE,
                         [LATENCY, "send", "tx0", str(pps),
                          str(seconds + 5)]),
            stdout=subprocess.DEVNULL)
        words = reader.finish(seconds + 10).split()
    finally:
        for process in (reader.process, sender):
            if process and process.poll() is None:
                process.kill()
                process.wait()
    if len(words) < 4:
        raise Failed(reader.text())
    row = dict(zip(words[::2], map(float, words[1::2])))
    row["log"] = [line for _, line in reader.lines if "pcap-fast" in line]
    return row


def ratio(rows, pps, key, above, below):
    a = {r["round"]: r[key] for r in select(rows, pps=pps, case=above)}
    b = {r["round"]: r[key] for r in select(rows, pps=pps, case=below)}
    return [a[k] / b[k] for k in a if b.get(k)]


def table(rows):
    print("| packets a second | case | median, us (min-max) | 99 %, us |"
          " reader's processor, % |")
    print("|---|---|---|---|---|")
    for pps in unique(r["pps"] for r in rows):
        for case in unique(r["case"] for r in rows):
            mine = select(rows, pps=pps, case=case)
            print("| %d | %s | %s | %s | %s |" % (
                pps, CASES[case][0],
                spread([r["median_us"] for r in mine], "%.1f"),
                spread([r["p99_us"] for r in mine], "%.1f"),
                spread([100 * r["busy"] for r in mine], "%.0f")))


def ratios(rows):
    print("\n| packets a second | " +
          " | ".join("%s, %s" % (text, what) for text, _, _ in RATIOS
                     for what in ("median", "99 %")) + " |")
    print("|---|" + "---|" * 2 * len(RATIOS))
    for pps in unique(r["pps"] for r in rows):
        cells = [ratio(rows, pps, key, a, b) for _, a, b in RATIOS
                 for key in ("median_us", "p99_us")]
        print("| %d | %s |" % (pps, " | ".join(
            spread(c, "%.2f") if c else "-" for c in cells)))


def arguments():
    p = argparse.ArgumentParser(prog="bench/run-latency")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--seconds", type=float, default=2)
    p.add_argument("--rates", default="1000,50000")
    p.add_argument("--json", required=True)
    a = p.parse_args()
    a.rates = [int(r) for r in a.rates.split(",")]
    return a


def main():
    a = arguments()
    rows = []
    for pps in a.rates:
        for turn in range(a.rounds):
            # Back and forth, so that no case always follows the same one.
            for case in list(CASES)[::-1] if turn % 2 else CASES:
                r = measure(case, pps, a.seconds)
                rows.append(dict(r, pps=pps, round=turn, case=case))
                print("%6d pps, round %d: %-7s median %6.1f us, 99 %% %6.1f" %
                      (pps, turn + 1, case, r["median_us"], r["p99_us"]),
                      file=sys.stderr)
    with open(a.json, "w") as f:
        json.dump({"machine": machine(), "seconds": a.seconds,
                   "rounds": a.rounds, "rows": rows}, f, indent=1)
    table(rows)
    ratios(rows)


if __name__ == "__main__":
    # Leaving by an exception ends what was started.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda n, _: sys.exit(128 + n))
    try:
        main()
    except Failed as e:
        sys.exit("bench: %s" % e)
