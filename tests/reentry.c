/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Calls the system's libpcap by its path, past the drop-in, so that those of
 * its own calls that go through its PLT are all made once. Under the drop-in
 * these come back to us; what is printed must be the same with and without.
 *
 *   reentry SYSTEM_LIBPCAP SAVEFILE INTERFACE
 *
 * SAVEFILE is written; INTERFACE is up.
 */
#include <dlfcn.h>
#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static void *lib;
#define SYSTEM(f) ((__typeof__(&f))dlsym(lib, #f))

static char err[PCAP_ERRBUF_SIZE];
static int attaches_left = -1;

/* libpcap warns of a kernel filter that is refused, in the words of
 * pcap_strerror(). */
int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	if (level == SOL_SOCKET && name == SO_ATTACH_FILTER &&
	    attaches_left >= 0 && attaches_left-- == 0) {
		errno = EINVAL;
		return -1;
	}
	return (int)syscall(SYS_setsockopt, fd, level, name, value, len);
}

static void compile(pcap_t *p, const char *expression)
{
	struct bpf_program code;
	unsigned sum = 0;

	printf("%s: ", expression);
	if (SYSTEM(pcap_compile)(p, &code, expression, 1, 0xffffff00)) {
		puts(SYSTEM(pcap_geterr)(p));
		return;
	}
	for (unsigned i = 0; i < code.bf_len; i++)
		sum = sum * 31 + code.bf_insns[i].code + code.bf_insns[i].k;
	printf("%u instructions, sum %u\n", code.bf_len, sum);
	SYSTEM(pcap_freecode)(&code);
}

static void set_datalink(pcap_t *p)
{
	int code = SYSTEM(pcap_set_datalink)(p, DLT_RAW);

	printf("to RAW: %d %s\n", code, SYSTEM(pcap_geterr)(p));
}

static void names(void)
{
	static const char *const expressions[] = {
		"ether host 02:00:00:00:00:01",
		"ether host nowhere",
		"host localhost",
		"host nosuch.invalid.",
		"ether proto \\ip",
		"ether proto \\netbeui",
		"ether proto nosuch",
		"net loopback",
		"port domain",
		"port nosuch",
		"portrange ftp-http",
		"ip proto \\tcp",
		"wlan type mgt",
	};
	pcap_t *dead = SYSTEM(pcap_open_dead)(DLT_EN10MB, 1500);
	struct bpf_program code;

	for (unsigned i = 0; i < sizeof(expressions) / sizeof(*expressions);
	     i++)
		compile(dead, expressions[i]);
	set_datalink(dead);
	SYSTEM(pcap_close)(dead);
	printf("without a handle: %d\n",
	       SYSTEM(pcap_compile_nopcap)(1500, DLT_EN10MB, &code,
					   "tcp port 80", 1, 0));
	SYSTEM(bpf_dump)(&code, 1);
	SYSTEM(pcap_freecode)(&code);
}

static void write_file(const char *path)
{
	pcap_t *dead = SYSTEM(pcap_open_dead)(DLT_EN10MB, 1500);
	pcap_dumper_t *d = SYSTEM(pcap_dump_open)(dead, path);
	struct pcap_pkthdr head = { .caplen = 60, .len = 60 };

	SYSTEM(pcap_dump)((u_char *)d, &head, (const u_char[60]){ 2 });
	SYSTEM(pcap_dump_close)(d);
	SYSTEM(pcap_close)(dead);
}

static void files(const char *path)
{
	struct pcap_pkthdr head = { 0 };
	pcap_t *p;

	write_file(path);
	p = SYSTEM(pcap_open_offline)(path, err);
	printf("packet: %d\n", SYSTEM(pcap_next)(p, &head) != NULL);
	printf("of %u bytes\n", head.caplen);
	compile(p, "inbound");
	SYSTEM(pcap_close)(p);
	p = SYSTEM(pcap_open_offline)("/nonexistent", err);
	printf("no file: %s\n", p ? "open" : err);
}

static void warn(pcap_t *p)
{
	struct bpf_program code;

	SYSTEM(pcap_compile)(p, &code, "udp", 1, 0);
	attaches_left = 1; /* the first one shuts the socket meanwhile */
	printf("filter: %d\n", SYSTEM(pcap_setfilter)(p, &code));
	SYSTEM(pcap_freecode)(&code);
}

static void live(const char *name)
{
	pcap_t *p = SYSTEM(pcap_open_live)(name, 96, 1, 10, err);

	printf("%s: %s\n", name, p ? "open" : err);
	if (!p)
		return;
	printf("snaplen %d, link type %d\n", SYSTEM(pcap_snapshot)(p),
	       SYSTEM(pcap_datalink)(p));
	set_datalink(p);
	warn(p);
	SYSTEM(pcap_close)(p);
}

int main(int argc, char **argv)
{
	/* lazily, so that LD_DEBUG=bindings shows each call as it is made */
	lib = argc == 4 ? dlopen(argv[1], RTLD_LAZY | RTLD_LOCAL) : NULL;
	if (!lib) {
		fprintf(stderr, "usage: reentry LIBPCAP SAVEFILE INTERFACE\n");
		return 2;
	}
	setbuf(stdout, NULL);
	names();
	files(argv[2]);
	live(argv[3]);
	live("nosuch");
	printf("a device: %d\n", SYSTEM(pcap_lookupdev)(err) != NULL);
	return 0;
}
