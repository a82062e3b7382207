/* SPDX-License-Identifier: BSD-3-Clause */
/* pcap files for the tests; see pcapfile.h. */
#include "tests/gen/pcapfile.h"

#include <errno.h>

#define MAGIC_USEC     0xa1b2c3d4u
#define MAGIC_NSEC     0xa1b23c4du
#define LINKTYPE_ETHER 1

struct file_header {
	uint32_t magic;
	uint16_t major, minor;
	uint32_t zone, sigfigs, snaplen, linktype;
};

struct packet_header {
	uint32_t sec, frac, caplen, len;
};

FILE *pcf_file_create(const char *path)
{
	struct file_header h = { .magic = MAGIC_USEC,
				 .major = 2,
				 .minor = 4,
				 .snaplen = PCF_FILE_SNAPLEN,
				 .linktype = LINKTYPE_ETHER };
	FILE *f = fopen(path, "we");

	if (f && fwrite(&h, sizeof(h), 1, f) != 1) {
		fclose(f);
		return NULL;
	}
	return f;
}

int pcf_file_write(FILE *f, uint64_t usec, const void *data, uint32_t len)
{
	struct packet_header h = { .sec = usec / 1000000,
				   .frac = usec % 1000000,
				   .caplen = len,
				   .len = len };

	if (fwrite(&h, sizeof(h), 1, f) != 1 || fwrite(data, len, 1, f) != 1)
		return -EIO;
	return 0;
}

static int known_header(const struct file_header *h)
{
	return (h->magic == MAGIC_USEC || h->magic == MAGIC_NSEC) &&
	       h->linktype == LINKTYPE_ETHER;
}

FILE *pcf_file_open(const char *path)
{
	struct file_header h;
	FILE *f = fopen(path, "re");

	if (f && (fread(&h, sizeof(h), 1, f) != 1 || !known_header(&h))) {
		fclose(f);
		errno = EPROTO;
		return NULL;
	}
	return f;
}

int pcf_file_read(FILE *f, struct pcf_file_pkt *pkt)
{
	struct packet_header h;
	size_t n = fread(&h, 1, sizeof(h), f);

	if (!n && feof(f))
		return 0;
	if (n != sizeof(h) || h.caplen > sizeof(pkt->data))
		return -EPROTO;
	pkt->sec = h.sec;
	pkt->frac = h.frac;
	pkt->caplen = h.caplen;
	pkt->len = h.len;
	return fread(pkt->data, 1, h.caplen, f) == h.caplen ? 1 : -EPROTO;
}
