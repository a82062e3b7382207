# SPDX-License-Identifier: BSD-3-Clause
"""The measuring half of the benchmark: runs each case in each round, writes
what came out as JSON. Knows nothing of how it is shown (report.py) nor of how
the network was made (run)."""

import argparse
import json
import os
import platform
import re
import signal
import subprocess
import sys
import threading
import time
from collections import namedtuple
from statistics import median

BUILD = os.environ["PCF_BUILD"]
DROPIN = os.environ["PCF_DROPIN"]
DEVICE = "rx0"
GENERATOR_CORE, READER_CORE = "0", "1"
WARM_UP = 0.5
PACE = 0.8  # of a case's median rate

Case = namedtuple("Case", "kind args dropin flows", defaults=(1,))
EXCLUSIVE = {"PCAP_FAST_MODE": "exclusive"}
SOCKETS = dict(EXCLUSIVE, PCAP_FAST_RX="xsk")
DROPPING = dict(EXCLUSIVE, PCAP_FAST_REST="drop")
MIRROR = {"PCAP_FAST_MODE": "mirror"}
# One packet in about a hundred, by its source port; a prime number, so that
# what a full ring of 256 refuses is not always the same flows.
FLOWS = 101
ONE_FLOW = ["bench/bench_pcap", "-f", "udp src port 1024"]
# Sets the filter when it may no longer load one.
ONE_FLOW_LATE = ["bench/bench_pcap", "-u", "-f", "udp src port 1024"]


# dropin: its environment, or None for the system's library. flows: how many
# the generator sends, one of which the case's filter lets through.
CASES = {
    "stock": Case("tcpdump", [], None),
    "dropin": Case("tcpdump", [], EXCLUSIVE),
    "dropin-xsk": Case("tcpdump", [], SOCKETS),
    "xsk": Case("program", ["bench/bench_xsk"], None),
    "drop": Case("program", ["bench/bench_drop"], None),
    "pcap-stock": Case("program", ["bench/bench_pcap"], None),
    "pcap-dropin": Case("program", ["bench/bench_pcap"], EXCLUSIVE),
    "next-stock": Case("program", ["bench/bench_pcap", "-n"], None),
    "next-dropin": Case("program", ["bench/bench_pcap", "-n"], EXCLUSIVE),
    "1%-stock": Case("program", ONE_FLOW, None, FLOWS),
    "1%-pass": Case("program", ONE_FLOW, EXCLUSIVE, FLOWS),
    "1%-drop": Case("program", ONE_FLOW, DROPPING, FLOWS),
    "1%-mirror": Case("program", ONE_FLOW, MIRROR, FLOWS),
    "1%-pass-late": Case("program", ONE_FLOW_LATE, EXCLUSIVE, FLOWS),
    "1%-drop-late": Case("program", ONE_FLOW_LATE, DROPPING, FLOWS),
    "1%-mirror-late": Case("program", ONE_FLOW_LATE, MIRROR, FLOWS),
    "cluster-1": Case("cluster", 1, {}),
    "cluster-2": Case("cluster", 2, {}),
}
DEFAULT_CASES = ("stock,dropin,dropin-xsk,xsk,drop,1%-stock,1%-pass,1%-drop,"
                 "cluster-1,cluster-2")


class Failed(Exception):
    """A case could not be measured; the text says why."""


def in_namespace(which, core, command):
    return ["ip", "netns", "exec", os.environ[which],
            "taskset", "-c", core] + command


class Reader:
    """A receiving process and the lines of its stderr with their times."""

    def __init__(self, command, dropin):
        env = dict(os.environ)
        self.lines, self.changed = [], threading.Condition()
        if dropin is not None:
            command = ["env", "LD_PRELOAD=" + DROPIN, "PCAP_FAST_LOG=info"] + [
                "%s=%s" % v for v in dropin.items()] + command
        self.process = subprocess.Popen(
            in_namespace("NS_RX", READER_CORE, command), env=env,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.thread = threading.Thread(target=self._collect, daemon=True)
        self.thread.start()

    def _collect(self):
        for line in self.process.stderr:
            with self.changed:
                self.lines.append((time.monotonic(), line.strip()))
                self.changed.notify()

    def wait_line(self, pattern, start=0, timeout=10):
        """Time and match of the first line from `start` on that matches."""
        found = None

        def look():
            nonlocal found
            for when, line in self.lines[start:]:
                m = re.search(pattern, line)
                if m:
                    found = (when, m)
                    return True
            return False

        with self.changed:
            if not self.changed.wait_for(look, timeout):
                raise Failed("no line '%s': %s" % (pattern, self.text()))
        return found

    def text(self):
        return " / ".join(line for _, line in self.lines[-4:])

    def memory(self):
        """What the process holds, in kB, by the kernel's account."""
        with open("/proc/%d/status" % self.process.pid) as f:
            return {k: int(v) for k, v in re.findall(
                r"^(VmRSS|VmLck|VmPin):\s+(\d+) kB", f.read(), re.M)}

    def finish(self, timeout=10):
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise Failed("does not end: " + self.text())
        self.thread.join(5)
        return self.process.stdout.read()

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Generator:
    def __init__(self, size, seconds, pps, flows):
        command = [BUILD + "/tests/gen/pcf-gen", "tx0", "--xdp",
                   "--size", str(size), "--seconds", str(seconds),
                   "--flows", str(flows)]
        if pps:
            command += ["--pps", str(pps)]
        self.process = subprocess.Popen(
            in_namespace("NS_TX", GENERATOR_CORE, command),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def stop(self):
        """Frames sent and seconds taken."""
        self.process.terminate()
        out, _ = self.process.communicate(timeout=20)
        m = re.search(r"sent (\d+) frames in ([\d.]+) s", out)
        if not m or self.process.returncode:
            raise Failed("generator: " + out.strip())
        return int(m[1]), float(m[2])

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def refused():
    """Frames that the interface had no room for, before any program."""
    path = "/sys/class/net/%s/statistics/rx_dropped" % DEVICE
    return int(subprocess.check_output(
        ["ip", "netns", "exec", os.environ["NS_RX"], "cat", path]))


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
    time.sleep(2 * WARM_UP)
    memory = reader.memory()
    words = reader.finish(seconds + 10).split()
    sent, took = generator.stop()
    if len(words) < 4:
        raise Failed(reader.text())
    values = dict(zip(words[::2], map(float, words[1::2])))
    values.pop("ps_recv", None)
    return {"pps": values.pop("packets") / values.pop("seconds"),
            "losses": {k: int(v) for k, v in values.items()},
            "memory": memory, "sent_pps": sent / took, "sent": sent}


def measure_cluster(members, size, seconds, pps):
    """The members of a cluster together; they share what the core can do."""
    command = [BUILD + "/bench/bench_pcap", "exclusive:%s%%bench" % DEVICE,
               str(seconds)]
    running, results, before = [], [], refused()
    try:
        for _ in range(members):
            running.append(Reader(command, {}))
            running[-1].wait_line("^ready")
        running.append(Generator(size, seconds + 10, pps, FLOWS))
        readers = [threading.Thread(target=lambda r=r: results.append(
            (r.memory(), r.finish(seconds + 10).split())))
            for r in running[:members]]
        for t in readers:
            t.start()
        for t in readers:
            t.join()
        sent, took = running[-1].stop()
    finally:
        for process in running:
            process.close()
    if len(results) < members:
        raise Failed(running[0].text())
    values = [dict(zip(w[::2], map(float, w[1::2]))) for _, w in results]
    return {"pps": sum(v["packets"] / v["seconds"] for v in values),
            "losses": {"ps_drop": int(sum(v["ps_drop"] for v in values)),
                       "refused by interface": refused() - before},
            "memory": {k: sum(m[k] for m, _ in results)
                       for k in results[0][0]},
            "sent_pps": sent / took, "sent": sent, "log": []}


def measure(case, size, seconds, pps=0):
    kind, args, dropin, flows = CASES[case]
    if kind == "cluster":
        return measure_cluster(args, size, seconds, pps)
    before = refused()
    if kind == "tcpdump":
        command = ["tcpdump", "-i", DEVICE, "-w", "/dev/null"] + args
        run = measure_tcpdump
    else:
        command = [BUILD + "/" + args[0]] + args[1:] + [DEVICE, str(seconds)]
        run = measure_program
    running = [Reader(command, dropin)]

    def traffic():
        # Longer than needed; it is stopped when the reader has its window.
        running.append(Generator(size, seconds + 10, pps, flows))
        return running[-1]

    try:
        result = run(running[0], seconds, traffic)
    finally:
        for process in running:
            process.close()
    # What the filter let through stands for what it has seen.
    result["pps"] *= flows
    result["losses"]["refused by interface"] = refused() - before
    result["log"] = [line for _, line in running[0].lines if "pcap-fast" in line]
    return result


def measure_paced(case, size, seconds, rows):
    """Below the rate that the case can take, to see what it loses there."""
    rate = median(r["pps"] for r in rows
                  if r["case"] == case and r["size"] == size)
    return measure(case, size, seconds, int(PACE * rate))


def measure_filters():
    """What bench_filter prints: one JSON object a line."""
    lines = subprocess.check_output(
        ["taskset", "-c", READER_CORE, BUILD + "/bench/bench_filter"],
        text=True).splitlines()
    return [json.loads(line) for line in lines]


def machine():
    with open("/proc/cpuinfo") as f:
        cpu = re.search(r"model name\s*:\s*(.*)", f.read())
    return {"cpu": cpu[1] if cpu else platform.machine(),
            "cores": os.cpu_count(), "kernel": platform.release(),
            "tcpdump": subprocess.run(
                ["tcpdump", "--version"], text=True, capture_output=True
            ).stdout.strip().splitlines()[:2],
            "date": time.strftime("%Y-%m-%d")}


def arguments():
    p = argparse.ArgumentParser(prog="bench/run")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--seconds", type=float, default=3)
    p.add_argument("--sizes", default="60,300,1500")
    p.add_argument("--cases", default=DEFAULT_CASES,
                   help="of " + ",".join(CASES))
    p.add_argument("--filters", choices=["yes", "no", "only"], default="yes",
                   help="also, or only, what a filter costs")
    p.add_argument("--json", required=True)
    a = p.parse_args()
    a.sizes = [int(s) for s in a.sizes.split(",")]
    a.cases = a.cases.split(",") if a.filters != "only" else []
    unknown = [c for c in a.cases if c not in CASES]
    if unknown:
        p.error("no such case: " + ", ".join(unknown))
    return a


def without_dropin(cases):
    if os.path.exists(DROPIN):
        return cases
    print("no drop-in at %s: measuring without it" % DROPIN, file=sys.stderr)
    return [c for c in cases if CASES[c].dropin is None]


def say(r, what):
    print("%4d bytes, %s: %-12s %9.0f pps" %
          (r["size"], what, r["case"], r["pps"]), file=sys.stderr)


def main():
    a = arguments()
    cases = without_dropin(a.cases)
    rows, paced = [], []
    for size in a.sizes:
        for turn in range(a.rounds):
            # Back and forth, so that no case always follows the same one.
            for case in cases[::-1] if turn % 2 else cases:
                r = measure(case, size, a.seconds)
                rows.append(dict(r, size=size, round=turn, case=case))
                say(rows[-1], "round %d" % (turn + 1))
        for case in cases:
            r = measure_paced(case, size, a.seconds, rows)
            paced.append(dict(r, size=size, case=case))
            say(paced[-1], "paced")
    filters = measure_filters() if a.filters != "no" else []
    with open(a.json, "w") as f:
        json.dump({"filters": filters, "machine": machine(), "seconds": a.seconds,
                   "rounds": a.rounds, "pace": PACE,
                   "rows": rows, "paced": paced}, f, indent=1)


if __name__ == "__main__":
    # Leaving by an exception ends what was started.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda n, _: sys.exit(128 + n))
    try:
        main()
    except Failed as e:
        sys.exit("bench: %s" % e)
