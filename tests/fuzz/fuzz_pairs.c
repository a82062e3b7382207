/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Random programs against random frames: fuzz_pairs [PAIRS [SEED]].
 *
 * Each pair is run by the interpreter, by the small eBPF machine over both
 * versions of the compiled code, and, where this is possible, by the kernel:
 * compiled code by BPF_PROG_TEST_RUN, the classic program on a packet socket.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/filter_compare.h"
#include "tests/filter_random.h"

#define FRAMES_EACH  10
#define KERNEL_EVERY 8 /* programs; loading takes much longer than running */

static struct {
	unsigned long pairs, matched, wire, kernel, refused, inexpressible;
} count;

static int run_frames(struct filter_case *c, struct filter_rng *r)
{
	static uint8_t frame[400];

	for (int i = 0; i < FRAMES_EACH; i++) {
		const uint32_t len =
			filter_random_frame(r, frame, sizeof(frame));

		if (filter_case_run(c, frame, len))
			return 1;
		count.pairs++;
		count.matched += filter_case_expect(c, frame, len) != 0;
		count.wire += c->wire != NULL;
		count.kernel += c->loaded[0] >= 0;
	}
	return 0;
}

static int one_program(struct filter_rng *r, struct filter_wire *wire, int load)
{
	static struct sock_filter insns[64];
	const unsigned n = filter_random_program(r, insns, 64);
	struct filter_case c;
	int bad;

	filter_case_init(&c, insns, n, wire);
	count.inexpressible += c.compiled != 0;
	if (load && !c.compiled && filter_case_load(&c, NULL, 0))
		count.refused++;
	bad = run_frames(&c, r);
	filter_case_free(&c);
	return bad;
}

/* Is BPF_PROG_LOAD allowed at all? */
static int may_load(void)
{
	static const struct sock_filter all[] = { BPF_STMT(BPF_RET, 1) };
	struct filter_case c;
	int err;

	filter_case_init(&c, all, 1, NULL);
	err = filter_case_load(&c, NULL, 0);
	filter_case_free(&c);
	return !err;
}

int main(int argc, char **argv)
{
	const unsigned long want = argc > 1 ? strtoul(argv[1], NULL, 0) : 20000;
	const unsigned long seed = argc > 2 ? strtoul(argv[2], NULL, 0) : 1;
	const int load = may_load();
	struct filter_rng r = { seed };
	struct filter_wire wire;
	const int err = filter_wire_open(&wire);
	int bad = 0;

	if (!load)
		printf("no kernel runs: may not load programs\n");
	if (err)
		printf("no packet socket: %s\n", strerror(-err));
	for (unsigned long i = 0; !bad && count.pairs < want; i++)
		bad = one_program(&r, err ? NULL : &wire,
				  load && !(i % KERNEL_EVERY));
	if (count.refused) {
		printf("the verifier refused %lu programs\n", count.refused);
		bad = 1;
	}
	printf("seed %lu: %lu pairs (%lu match), %lu on a packet socket, %lu "
	       "compiled in the kernel, %lu programs not compiled\n",
	       seed, count.pairs, count.matched, count.wire, count.kernel,
	       count.inexpressible);
	filter_wire_close(&wire);
	printf("%d passed, %d failed, 0 skipped\n", !bad, bad);
	return bad;
}
