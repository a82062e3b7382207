# SPDX-License-Identifier: BSD-3-Clause
"""The measuring half of the benchmark of receiving: runs a suite's cases in
each round, keeps what came out as JSON. Knows nothing of how it is shown
(report.py) nor of how the network was made (run)."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from statistics import median

from cases import CASES, IDLE, SUITES
from common import (BUILD, DEVICE, DROPIN, READER_CORE, Failed, arguments, load,
                    numbers, run, save, turns)
from peers import measure_netsniff, measure_testpmd, missing, NETSNIFF, TESTPMD
from reader import Reader, now_in, to_queues, xdp_frames

WARM_UP = 0.5
PACE = 0.8  # of a case's median rate
HOST = "198.18.0.2/15"  # whom the generator's frames name
GONE = 2  # seconds in which the kernel has freed what a case had


def in_rx(*command):
    return now_in("NS_RX", *command)


def refused(xdp):
    """Frames that the interface had no room for, before any program: of XDP
    frames it counts them, of socket buffers the sending end does."""
    where, counter = ("NS_RX", DEVICE + "/statistics/rx_dropped") if xdp else (
        "NS_TX", "tx0/statistics/tx_dropped")
    return int(now_in(where, "cat", "/sys/class/net/" + counter))


def left_over():
    """What makes packets cost something though nobody captures, or ""."""
    link = json.loads(in_rx("ip", "-j", "-d", "link", "show", DEVICE))[0]
    sockets = in_rx("cat", "/proc/net/packet").splitlines()[1:]
    found = ["XDP program"] * ("xdp" in link) + [
        "promiscuous mode"] * bool(link["promiscuity"]) + [
        "packet sockets"] * bool(sockets)
    return ", ".join(found)


def expect_nothing(case):
    """When nobody captures nothing is attached, so nothing is paid."""
    deadline = time.monotonic() + GONE
    while left_over():
        if time.monotonic() > deadline:
            raise Failed("left after %s: %s" % (case, left_over()))
        time.sleep(0.05)


def tcpdump_captured(reader):
    """tcpdump's own count, asked for by SIGUSR1, and when it was given."""
    start = len(reader.lines)
    reader.process.send_signal(signal.SIGUSR1)
    when, m = reader.wait_line(r"(\d+) packets? captured", start)
    return when, int(m[1])


def measure_tcpdump(reader, seconds, traffic):
    reader.wait_line("listening on")
    generator = traffic()
    time.sleep(2 * WARM_UP)  # the generator's start is in it
    t0, n0 = tcpdump_captured(reader)
    time.sleep(seconds)
    memory = reader.memory()
    t1, n1 = tcpdump_captured(reader)
    sent, took = generator.stop()
    reader.process.send_signal(signal.SIGINT)
    reader.finish()
    losses = {"dropped by kernel": int(reader.wait_line(
        r"(\d+) packets? dropped by kernel$")[1][1])}
    return {"pps": (n1 - n0) / (t1 - t0), "losses": losses,
            "memory": memory, "sent_pps": sent / took, "sent": sent}


def measure_program(reader, seconds, traffic):
    reader.wait_line("^ready")
    generator = traffic()
    time.sleep(WARM_UP)
    memory = reader.memory()
    values = reader.values(seconds + 10)
    sent, took = generator.stop()
    values.pop("ps_recv", None)
    return {"pps": values.pop("packets") / values.pop("seconds"),
            "losses": {k: int(v) for k, v in values.items()},
            "memory": memory, "sent_pps": sent / took, "sent": sent}


def together(readers, seconds):
    """What programs that run at the same time came to."""
    results = [None] * len(readers)

    def collect(i):
        try:
            results[i] = readers[i].values(seconds + 10)
        except Failed as e:
            results[i] = e

    threads = [threading.Thread(target=collect, args=(i,))
               for i in range(len(readers))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for r in results:
        if isinstance(r, Failed):
            raise r
    return results


def measure_cluster(readers, seconds, traffic):
    """The members of a cluster; they share what the core can do."""
    for reader in readers:
        reader.wait_line("^ready")
    generator = traffic()
    time.sleep(WARM_UP)
    memory = [r.memory() for r in readers]
    values = together(readers, seconds)
    sent, took = generator.stop()
    return {"pps": sum(v["packets"] / v["seconds"] for v in values),
            "losses": {"ps_drop": int(sum(v["ps_drop"] for v in values))},
            "memory": {k: sum(m[k] for m in memory) for k in memory[0]},
            "sent_pps": sent / took, "sent": sent}


KINDS = {
    "tcpdump": (["tcpdump", "-i", DEVICE, "-w", "/dev/null"], measure_tcpdump),
    "netsniff": (NETSNIFF, measure_netsniff),
    "testpmd": (TESTPMD, measure_testpmd),
}


@contextmanager
def host_address(wanted):
    """The interface as the host's own: whom the frames are for, else nobody."""
    if not wanted:
        yield None
        return
    in_rx("ip", "address", "add", HOST, "dev", DEVICE)
    try:
        yield in_rx("cat", "/sys/class/net/%s/address" % DEVICE).strip()
    finally:
        in_rx("ip", "address", "del", HOST, "dev", DEVICE)


class Measurement:
    """One case in one round: its processes, and that they end."""

    def __init__(self, name, suite, a):
        self.case, self.suite, self.a = CASES[name], suite, a
        self.readers, self.mirrors, self.others = [], [], []

    def program(self, args, device=DEVICE):
        command = [w.format(queues=self.a.queues) for w in args]
        return [BUILD + "/" + command[0]] + command[1:] + [
            device, str(self.a.seconds)]

    def start(self):
        """What measures, and what it is to be called with."""
        case = self.case
        if case.kind == "cluster":
            command = self.program(["bench/bench_pcap"],
                                   "exclusive:%s%%bench" % DEVICE)
            self.readers = [Reader(command, {}) for _ in range(case.args)]
            return measure_cluster, self.readers
        command, function = KINDS.get(case.kind, (None, measure_program))
        self.readers = [Reader(command or self.program(case.args), case.dropin,
                               case.kind in ("netsniff", "testpmd"))]
        return function, self.readers[0]

    def start_mirrors(self):
        for args in self.case.beside:
            mirror = Reader(self.program(args), {"PCAP_FAST_MODE": "mirror"})
            self.mirrors.append(mirror)
            mirror.wait_line("^ready")

    def mirrored(self):
        """Packets a second that each mirror delivered, of those that read."""
        if IDLE in self.case.beside:
            return []
        return [v["packets"] / v["seconds"]
                for v in together(self.mirrors, self.a.seconds)]

    def traffic(self, size, pps, to):
        self.start_mirrors()
        if self.suite.xdp:
            # Longer than needed; it is stopped when the reader has its window.
            generator = xdp_frames(size, self.a.seconds + 10, pps, max(
                self.suite.flows, self.case.part), to)
        else:
            generator = to_queues(size, self.a.queues)
        self.others.append(generator)
        return generator

    def run(self, size, pps=0):
        before = refused(self.suite.xdp)
        with host_address(self.case.address) as to:
            try:
                function, what = self.start()
                row = function(what, self.a.seconds,
                               lambda: self.traffic(size, pps, to))
                row["mirrors"] = self.mirrored()
            finally:
                for process in self.readers + self.mirrors + self.others:
                    process.close()
        if self.case.kind == "testpmd":  # which sets it for good
            in_rx("ip", "link", "set", DEVICE, "promisc", "off")
        # What the filter let through stands for what it has seen.
        row["pps"] *= self.case.part
        row["losses"]["refused by interface"] = refused(
            self.suite.xdp) - before
        row["log"] = self.readers[0].log()
        row["size"], row["queues"] = size, self.a.queues
        return row


def measure(name, size, suite, a, pps=0):
    row = dict(Measurement(name, suite, a).run(size, pps), case=name)
    expect_nothing(name)
    print("%4d bytes, %d queue(s): %-12s %9.0f pps%s" % (
        size, a.queues, name, row["pps"], " (paced)" if pps else ""),
        file=sys.stderr)
    return row


def measure_paced(name, size, suite, a, rows):
    """Below the rate that the case can take, to see what it loses there."""
    rate = median(r["pps"] for r in rows
                  if r["case"] == name and r["size"] == size)
    return measure(name, size, suite, a, int(PACE * rate))


def measure_filters():
    """What bench_filter prints: one JSON object a line."""
    lines = subprocess.check_output(
        ["taskset", "-c", READER_CORE, BUILD + "/bench/bench_filter"],
        text=True).splitlines()
    return [json.loads(line) for line in lines]


def parse():
    p = arguments("bench/run", None, None)
    p.add_argument("--sizes", type=numbers)
    p.add_argument("--cases", help="of " + ",".join(CASES))
    p.add_argument("--paced", choices=["yes", "no"])
    p.add_argument("--suite", choices=SUITES, required=True)
    p.add_argument("--network-queues", dest="queues", type=int, default=1)
    p.add_argument("--extend", action="store_true",
                   help="a further network of the same run")
    a = p.parse_args()
    suite = SUITES[a.suite]
    a.rounds, a.seconds = a.rounds or suite.rounds, a.seconds or suite.seconds
    a.sizes = a.sizes or suite.sizes
    a.paced = suite.paced if a.paced is None else a.paced == "yes"
    a.cases = suite.cases if a.cases is None else [
        c for c in a.cases.split(",") if c]
    unknown = [c for c in a.cases if c not in CASES]
    if unknown:
        p.error("no such case: " + ", ".join(unknown))
    if not suite.xdp and (a.paced or any(CASES[c].address or CASES[c].part > 1
                                         for c in a.cases)):
        p.error("%s sends as fast as it goes, one flow a queue" % a.suite)
    return a, suite


def possible(cases):
    """Those that can run here; says what the others need."""
    good = []
    for name in cases:
        packages = missing(CASES[name].kind)
        if packages:
            print("without %s: apt-get install %s" % (name, packages),
                  file=sys.stderr)
        elif CASES[name].dropin is not None and not os.path.exists(DROPIN):
            print("without %s: no drop-in at %s" % (name, DROPIN),
                  file=sys.stderr)
        else:
            good.append(name)
    return good


def main():
    a, suite = parse()
    cases = possible(a.cases)
    last = load(a.json).get(a.suite, {}) if a.extend else {}
    rows, paced = last.get("rows", []), last.get("paced", [])
    expect_nothing("what was here before")
    for size in a.sizes:
        for turn, case in turns(a.rounds, cases):
            rows.append(dict(measure(case, size, suite, a), round=turn))
        for case in cases if a.paced else ():
            paced.append(measure_paced(case, size, suite, a, rows))
    filters = measure_filters() if a.suite == "filters" else []
    save(a.json, a.suite, a, rows=rows, paced=paced, filters=filters)


if __name__ == "__main__":
    run(main)
