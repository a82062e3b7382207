# SPDX-License-Identifier: BSD-3-Clause
"""The processes of a measurement: what receives, with the lines it prints and
their times, and the generator. Knows nothing of cases."""

import os
import re
import subprocess
import threading
import time

from common import (BUILD, DROPIN, GENERATOR_CORE, READER_CORE, Failed,
                    in_namespace)


def end(process):
    if process.poll() is None:
        process.kill()
        process.wait()


class Reader:
    """A receiving process. Its lines are those of stderr, or with `merged` of
    both streams. dropin: environment, or None for the system's library."""

    def __init__(self, command, dropin=None, merged=False):
        self.lines, self.ended = [], False
        self.changed = threading.Condition()
        if dropin is not None:
            command = ["env", "LD_PRELOAD=" + DROPIN, "PCAP_FAST_LOG=info"] + [
                "%s=%s" % v for v in dropin.items()] + command
        self.process = subprocess.Popen(
            in_namespace("NS_RX", READER_CORE, command),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if merged else subprocess.PIPE, text=True)
        self.stream = self.process.stdout if merged else self.process.stderr
        self.thread = threading.Thread(target=self._collect, daemon=True)
        self.thread.start()

    def _collect(self):
        for line in self.stream:
            with self.changed:
                self.lines.append((time.monotonic(), line.strip()))
                self.changed.notify()
        with self.changed:
            self.ended = True
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
            return self.ended

        with self.changed:
            self.changed.wait_for(look, timeout)
        if not found:
            raise Failed("no line '%s': %s" % (pattern, self.text()))
        return found

    def text(self):
        return " / ".join(line for _, line in self.lines[-4:])

    def memory(self):
        """What the process holds, in kB, by the kernel's account."""
        with open("/proc/%d/status" % self.process.pid) as f:
            return {k: int(v) for k, v in re.findall(
                r"^(VmRSS|VmLck|VmPin):\s+(\d+) kB", f.read(), re.M)}

    def log(self):
        return [line for _, line in self.lines if "pcap-fast" in line]

    def finish(self, timeout=10):
        """What it printed on stdout, when it has ended by itself."""
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise Failed("does not end: " + self.text())
        self.thread.join(5)
        return "" if self.stream is self.process.stdout else (
            self.process.stdout.read())

    def values(self, timeout):
        """... as "name value" pairs."""
        words = self.finish(timeout).split()
        if len(words) < 4:
            raise Failed(self.text())
        return dict(zip(words[::2], map(float, words[1::2])))

    def close(self):
        end(self.process)


class Generator:
    """Something that sends from tx0 on until it is stopped."""

    def __init__(self, command):
        self.process = subprocess.Popen(
            in_namespace("NS_TX", GENERATOR_CORE, command),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.started = time.monotonic()

    def stop(self):
        """Frames sent and seconds taken."""
        took = time.monotonic() - self.started
        self.process.terminate()
        out, _ = self.process.communicate(timeout=20)
        m = re.search(r"sent (\d+) frames in ([\d.]+) s", out)
        if m and not self.process.returncode:
            return int(m[1]), float(m[2])
        m = re.search(r"accepted (\d+)", out)
        if not m:
            raise Failed("generator: " + out.strip())
        return int(m[1]), took

    def close(self):
        end(self.process)


def xdp_frames(size, seconds, pps, flows, to):
    """To one queue, as fast as it goes or at a pace; for the address `to`, or
    with None for nobody's."""
    command = [BUILD + "/tests/gen/pcf-gen", "tx0", "--xdp",
               "--size", str(size), "--seconds", str(seconds),
               "--flows", str(flows)]
    command += ["--pps", str(pps)] if pps else []
    return Generator(command + (["--dst", to] if to else []))


def to_queues(size, queues):
    """By AF_XDP sockets, as fast as it goes, to all queues in turn."""
    return Generator([BUILD + "/bench/bench_xsk_tx", "-q", str(queues), "tx0",
                      str(size)])


def now_in(which, *command):
    """What a command prints that looks at, or changes, NS_TX or NS_RX."""
    done = subprocess.run(["ip", "netns", "exec", os.environ[which], *command],
                          text=True, capture_output=True)
    if done.returncode:
        raise Failed("%s: %s" % (" ".join(command), done.stderr.strip()))
    return done.stdout
