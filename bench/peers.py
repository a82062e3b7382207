# SPDX-License-Identifier: BSD-3-Clause
"""The benchmark's peers that are programs of their own: netsniff-ng and DPDK's
testpmd, how each is started and asked for its counts, and what package is
missing. Both have a reader of their own kind; what that means for the figures
is in README.md."""

import glob
import shutil
import signal
import time

from common import DEVICE, Failed

PMD = "/usr/lib/*/dpdk/pmds-*/librte_net_af_xdp.so*"
WARM_UP = 1.0

# line-buffered, or its lines would come late
NETSNIFF = ["stdbuf", "-oL", "netsniff-ng", "--in", DEVICE, "--out",
            "/dev/null", "--silent", "--bind-cpu", "1", "--notouch-irq"]
# Both threads on the reader's core; the first one sleeps but for the count a
# second. Plain memory, as the machine need not have huge pages.
TESTPMD = ["stdbuf", "-oL", "dpdk-testpmd", "--no-huge", "-m", "512",
           "--no-pci", "--no-shconf", "--no-telemetry", "--lcores", "0@1,1@1",
           "--vdev", "net_af_xdp0,iface=" + DEVICE, "--",
           "--forward-mode=rxonly", "--stats-period=1",
           "--total-num-mbufs=32768"]


def missing(kind):
    """The packages that this kind of case needs and does not find, or ""."""
    if kind == "netsniff" and not shutil.which("netsniff-ng"):
        return "netsniff-ng"
    if kind == "testpmd" and not (shutil.which("dpdk-testpmd") and
                                  glob.glob(PMD)):
        return "dpdk-dev librte-net-af-xdp23 librte-mempool-ring23"
    return ""


def measure_netsniff(reader, seconds, traffic):
    """It counts at its end only, so the whole run is the window."""
    reader.wait_line("Running")
    generator = traffic()
    time.sleep(WARM_UP + seconds)
    memory = reader.memory()
    sent, took = generator.stop()
    reader.process.send_signal(signal.SIGINT)
    reader.finish()
    got = int(reader.wait_line(r"(\d+)\s+packets passed filter")[1][1])
    lost = int(reader.wait_line(r"(\d+)\s+packets failed filter")[1][1])
    return {"pps": got / took, "losses": {"dropped by kernel": lost},
            "memory": memory, "sent_pps": sent / took, "sent": sent}


def testpmd_counts(reader, start):
    """Of one of its reports: when, packets received, missed."""
    when, m = reader.wait_line(r"RX-packets:\s*(\d+)\s+RX-missed:\s*(\d+)",
                               start, 5)
    return when, int(m[1]), int(m[2])


def measure_testpmd(reader, seconds, traffic):
    """The window is between two of its reports, a second apart or several."""
    reader.wait_line("RX-packets")
    generator = traffic()
    time.sleep(WARM_UP)
    t0, n0, _ = testpmd_counts(reader, len(reader.lines))
    time.sleep(seconds - 0.5)
    t1, n1, missed = testpmd_counts(reader, len(reader.lines))
    memory = reader.memory()
    sent, took = generator.stop()
    reader.process.send_signal(signal.SIGINT)
    reader.finish()
    if n1 == n0:
        raise Failed("testpmd: nothing received: " + reader.text())
    return {"pps": (n1 - n0) / (t1 - t0), "losses": {"rx_missed": missed},
            "memory": memory, "sent_pps": sent / took, "sent": sent}
