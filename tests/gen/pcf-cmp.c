/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pcf-cmp: are the packets of a capture those that were sent?
 *
 *   pcf-cmp GOT SENT...     GOT holds exactly the packets of the SENT files,
 *                           one after the other: same bytes, lengths, order
 *   pcf-cmp --check GOT     every packet of GOT is one of pcf-gen's numbered
 *                           ones with all bytes right; says what is missing
 *
 * Times are not compared, but in GOT they must not go back. Exit status 0:
 * yes, 1: no, 2: cannot say. Reads pcap files by itself (pcapfile.c).
 */
#include "tests/gen/frame.h"
#include "tests/gen/pcapfile.h"

#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

struct input {
	const char *name;
	FILE *file;
	struct pcf_file_pkt pkt;
	uint64_t packets; /* read so far */
};

static struct input got, sent;

static void open_input(struct input *in, const char *name)
{
	in->name = name;
	in->file = pcf_file_open(name);
	if (!in->file)
		err(2, "%s", name);
}

static bool next(struct input *in)
{
	int r = pcf_file_read(in->file, &in->pkt);

	if (r < 0)
		errx(2, "%s: damaged after packet %" PRIu64, in->name,
		     in->packets);
	in->packets += r;
	return r;
}

static bool next_got(void)
{
	uint32_t sec = got.pkt.sec, frac = got.pkt.frac;

	if (!next(&got))
		return false;
	if (got.pkt.sec < sec || (got.pkt.sec == sec && got.pkt.frac < frac))
		errx(1, "%s: the time goes back at packet %" PRIu64, got.name,
		     got.packets);
	return true;
}

static void compare_packet(void)
{
	const struct pcf_file_pkt *g = &got.pkt, *s = &sent.pkt;

	if (g->caplen != s->caplen || g->len != s->len)
		errx(1, "packet %" PRIu64 ": %u of %u bytes, sent were %u",
		     got.packets, g->caplen, g->len, s->len);
	for (uint32_t i = 0; i < g->caplen; i++)
		if (g->data[i] != s->data[i])
			errx(1,
			     "packet %" PRIu64 ", byte %u: "
			     "%02x, sent was %02x",
			     got.packets, i, g->data[i], s->data[i]);
}

static void compare_file(const char *name)
{
	open_input(&sent, name);
	while (next(&sent)) {
		if (!next_got())
			errx(1,
			     "%s ends after %" PRIu64
			     " packets, at packet %" PRIu64 " of %s",
			     got.name, got.packets, sent.packets, name);
		compare_packet();
	}
	fclose(sent.file);
	sent.packets = 0;
}

static int compare(int n, char **names)
{
	uint64_t expected;

	for (int i = 0; i < n; i++)
		compare_file(names[i]);
	expected = got.packets;
	while (next_got())
		;
	if (got.packets != expected)
		errx(1, "%s has %" PRIu64 " packets, sent were %" PRIu64,
		     got.name, got.packets, expected);
	printf("%" PRIu64 " packets equal\n", got.packets);
	return 0;
}

/* Numbers must rise by one; `*missing` and `*late` take what does not. */
static void account(uint64_t n, uint64_t *expected, uint64_t *missing,
		    uint64_t *late)
{
	if (n < *expected) {
		++*late;
		return;
	}
	*missing += n - *expected;
	*expected = n + 1;
}

static int check(void)
{
	uint64_t n, expected = 0, missing = 0, late = 0;

	while (next_got()) {
		int r = pcf_frame_check(got.pkt.data, got.pkt.caplen, &n);

		if (r)
			errx(1, "%s: packet %" PRIu64 ": %s", got.name,
			     got.packets,
			     r == -EBADMSG ? "a wrong byte"
					   : "not a numbered frame");
		account(n, &expected, &missing, &late);
	}
	printf("%" PRIu64 " packets right, %" PRIu64 " missing, %" PRIu64
	       " repeated or out of order\n",
	       got.packets, missing, late);
	return late || !got.packets;
}

int main(int argc, char **argv)
{
	bool only_check = argc == 3 && !strcmp(argv[1], "--check");

	if (argc < 3 || (argv[1][0] == '-' && !only_check)) {
		fprintf(stderr, "usage: pcf-cmp GOT SENT...\n"
				"       pcf-cmp --check GOT\n");
		return 2;
	}
	open_input(&got, argv[only_check ? 2 : 1]);
	return only_check ? check() : compare(argc - 2, argv + 2);
}
