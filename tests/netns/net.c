/* SPDX-License-Identifier: BSD-3-Clause */
/* The test network; see net.h. */
#include "tests/netns/net.h"

#include "backend/prog.h"
#include "backend/root.h"
#include "compat/ebpf.h"
#include "compat/kernel.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_FRAME 9100

bool net_enter(void)
{
	if (geteuid() || unshare(CLONE_NEWNET))
		return false;
	return !net_do("ip link set lo up") &&
	       !net_do("sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1");
}

int net_do(const char *format, ...)
{
	char command[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(command, sizeof(command), format, ap);
	va_end(ap);
	return system(command);
}

void net_link(unsigned queues, unsigned mtu)
{
	net_do("ip link del vA 2>/dev/null");
	if (net_do("ip link add vA mtu %u numrxqueues %u numtxqueues %u type veth peer name vB mtu %u numrxqueues %u numtxqueues %u",
		   mtu, queues, queues, mtu, queues, queues) ||
	    net_do("ip link set vA up && ip link set vB up"))
		abort();
}

void net_frame(uint8_t *f, unsigned len, uint32_t number)
{
	static const uint8_t head[] = { 2, 0, 0, 0, 0x77, 1, 2, 0, 0,
					0, 0x77, 2, 8, 0, 0x45 };

	for (unsigned i = 0; i < len; i++)
		f[i] = number * 7 + i * 13;
	memcpy(f, head, len < sizeof(head) ? len : sizeof(head));
	if (len < 46)
		return;
	memset(f + 15, 0, 27);
	*(uint16_t *)(f + 16) = htons(len - 14);
	f[22] = 64;
	f[23] = 17;
	*(uint16_t *)(f + 34) = htons(1024 + number % 512);
	*(uint16_t *)(f + 36) = htons(7000 + number % 2);
	*(uint16_t *)(f + 38) = htons(len - 34);
	memcpy(f + 42, &number, 4);
}

bool net_same(const uint8_t *data, unsigned len, uint32_t number)
{
	uint8_t f[MAX_FRAME];

	net_frame(f, len, number);
	return !memcmp(data, f, len);
}

int net_sender(const char *device)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
				  .sll_protocol = 0,
				  .sll_ifindex = if_nametoindex(device) };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&to, sizeof(to)))
		abort();
	return fd;
}

void net_send(uint32_t first, unsigned n, unsigned (*size)(uint32_t))
{
	net_send_from("vB", first, n, size);
}

void net_send_from(const char *device, uint32_t first, unsigned n,
		   unsigned (*size)(uint32_t))
{
	uint8_t f[MAX_FRAME];
	int fd = net_sender(device);

	for (uint32_t i = first; i < first + n; i++) {
		unsigned len = size(i);

		net_frame(f, len, i);
		while (send(fd, f, len, 0) < 0)
			if (errno != ENOBUFS && errno != EAGAIN)
				abort();
	}
	close(fd);
}

int net_listen(const char *device)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(ETH_P_ALL),
				  .sll_ifindex = if_nametoindex(device) };
	int size = 64 << 20;
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)))
		abort();
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	return fd;
}

int net_host(void)
{
	return net_listen("vA");
}

unsigned net_host_frames(int host)
{
	uint8_t f[MAX_FRAME];
	unsigned n = 0;

	while (recv(host, f, sizeof(f), 0) >= 0)
		n += f[0] == 2 && f[4] == 0x77;
	return n;
}

/* On a busy machine the kernel's own thread brings them when it gets to run. */
bool net_host_got(int host, unsigned wanted)
{
	unsigned n = net_host_frames(host);

	for (int i = 0; i < 500 && n < wanted; i++) {
		poll(&(struct pollfd){ .fd = host, .events = POLLIN }, 1, 10);
		n += net_host_frames(host);
	}
	if (n != wanted)
		printf("    %u frames got there, not %u\n", n, wanted);
	return n == wanted;
}

/* Not pcf_slots: the kernel clears a prog_array when its last descriptor goes,
 * and one that is opened by id just then, as the counting below does, is kept
 * (6.18: the reference for the clearing is taken twice and given once). It is
 * empty then, and the programs that were in it are counted. */
static bool of_the_library(const char *name)
{
	static const char *const names[] = {
		"pcf_root", "pcf_exclusive", "pcf_mirror", "pcf_take", "pcf_owners",
		"pcf_life", "pcf_xsks",	     "pcf_ctl",	     "pcf_ring",
		"pcf_ring_ctl", "pcf_wake", "pcf_cluster",   "pcf_member",
		"pcf_table", "pcf_living", "pcf_alone",
	};

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

static bool is(const char *name, const char *wanted)
{
	return wanted ? !strcmp(name, wanted) : of_the_library(name);
}

/* Those of a name, or all of the library. */
unsigned net_programs(const char *wanted)
{
	uint32_t id = 0;
	unsigned n = 0;

	while (!bpf_prog_get_next_id(id, &id)) {
		struct bpf_prog_info info = { 0 };
		uint32_t len = sizeof(info);
		int fd = bpf_prog_get_fd_by_id(id);

		if (fd < 0)
			continue;
		bpf_obj_get_info_by_fd(fd, &info, &len);
		n += is(info.name, wanted);
		close(fd);
	}
	return n;
}

static unsigned count_maps(void)
{
	uint32_t id = 0;
	unsigned n = 0;

	while (!bpf_map_get_next_id(id, &id)) {
		struct bpf_map_info info = { 0 };
		uint32_t len = sizeof(info);
		int fd = bpf_map_get_fd_by_id(id);

		if (fd < 0)
			continue;
		bpf_obj_get_info_by_fd(fd, &info, &len);
		n += of_the_library(info.name);
		close(fd);
	}
	return n;
}

unsigned net_objects(void)
{
	return net_programs(NULL) + count_maps();
}

/* The kernel frees them a little later than their last user goes. */
unsigned net_left_over(void)
{
	unsigned n = 0;

	for (int i = 0; i < 200; i++) {
		n = net_objects();
		if (!n)
			break;
		usleep(50000);
	}
	return n;
}

uint32_t net_xdp(void)
{
	uint32_t id = 0;

	bpf_xdp_query_id(if_nametoindex("vA"), 0, &id);
	return id;
}

unsigned net_open_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n;
}

static unsigned attribute(struct nlmsghdr *h, unsigned type)
{
	struct rtattr *a = IFLA_RTA(NLMSG_DATA(h));
	int left = IFLA_PAYLOAD(h);

	for (; RTA_OK(a, left); a = RTA_NEXT(a, left))
		if (a->rta_type == type)
			return *(uint32_t *)RTA_DATA(a);
	abort();
}

unsigned net_promiscuity(void)
{
	struct {
		struct nlmsghdr h;
		struct ifinfomsg i;
	} ask = { .h = { .nlmsg_len = sizeof(ask),
			 .nlmsg_type = RTM_GETLINK,
			 .nlmsg_flags = NLM_F_REQUEST },
		  .i.ifi_index = if_nametoindex("vA") };
	union {
		struct nlmsghdr h;
		char room[16384];
	} answer;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0 || send(fd, &ask, sizeof(ask), 0) < 0 ||
	    recv(fd, &answer, sizeof(answer), 0) < 0 ||
	    answer.h.nlmsg_type != RTM_NEWLINK)
		abort();
	close(fd);
	return attribute(&answer.h, IFLA_PROMISCUITY);
}

unsigned net_mappings(void)
{
	static const char *const what[] = { "socket:", "anon_inode:",
					    "/dev/zero", "/anon_hugepage" };
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[512];
	unsigned n = 0;

	if (!maps)
		abort();
	while (fgets(line, sizeof(line), maps))
		for (unsigned i = 0; i < sizeof(what) / sizeof(what[0]); i++)
			n += strstr(line, what[i]) != NULL;
	fclose(maps);
	return n;
}

static int load_foreign(void)
{
	struct pcf_ebpf e;
	int fd;

	pcf_ebpf_init(&e);
	pcf_mov64_imm(&e, BPF_REG_0, XDP_PASS);
	pcf_exit(&e);
	pcf_ebpf_finish(&e);
	fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "stranger", "GPL", e.insns, e.len,
			   NULL);
	pcf_ebpf_free(&e);
	return fd;
}

int net_attach_foreign(void)
{
	int err, fd = load_foreign();

	if (fd < 0)
		return fd;
	err = bpf_xdp_attach(if_nametoindex("vA"), fd, XDP_FLAGS_DRV_MODE,
			     NULL);
	close(fd);
	return err;
}

int net_link_foreign(void)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = XDP_FLAGS_DRV_MODE);
	int link, fd = load_foreign();

	if (fd < 0)
		return fd;
	link = bpf_link_create(fd, if_nametoindex("vA"), BPF_XDP, &opts);
	close(fd);
	return link;
}

void net_detach_foreign(void)
{
	bpf_xdp_detach(if_nametoindex("vA"), 0, NULL);
}

/* The largest that any kernel allows, 255 bytes, in steps of 4. */
static int load_eater(const struct pcf_root *root)
{
	char why[256];
	struct pcf_ebpf e;
	int fd;

	pcf_ebpf_init(&e);
	pcf_mov64_reg(&e, BPF_REG_6, BPF_REG_1);
	for (unsigned i = 0; i < 64; i++) {
		pcf_mov64_reg(&e, BPF_REG_1, BPF_REG_6);
		pcf_mov64_imm(&e, BPF_REG_2, -4);
		pcf_call(&e, BPF_FUNC_xdp_adjust_meta);
	}
	pcf_root_emit(&e, root->slots, root->queues, 1);
	fd = pcf_prog_load(&e, "eater", why, sizeof(why));
	pcf_ebpf_free(&e);
	return fd;
}

struct pcf_root *net_eat_metadata(void)
{
	static struct pcf_root root;
	struct pcf_owner me = { .mode = PCF_OWNER_MIRROR };
	char why[256];
	int fd = -1;

	root = (struct pcf_root)PCF_ROOT_INIT;
	if (!pcf_root_open(&root, if_nametoindex("vA"), false, why,
			   sizeof(why)) &&
	    !pcf_root_claim(&root, 0, &me, why, sizeof(why)))
		fd = load_eater(&root);
	if (fd >= 0 && !pcf_root_set(&root, fd)) {
		close(fd);
		return &root;
	}
	net_stop_eating(&root);
	return NULL;
}

void net_stop_eating(struct pcf_root *root)
{
	pcf_root_close(root);
}

static int set_up_xsk(int fd, void *area, size_t size)
{
	struct xdp_umem_reg reg = { .addr = (uintptr_t)area,
				    .len = size,
				    .chunk_size = 2048 };
	struct sockaddr_xdp to = { .sxdp_family = AF_XDP,
				   .sxdp_flags = XDP_COPY,
				   .sxdp_ifindex = if_nametoindex("vA") };
	int n = 64;

	return setsockopt(fd, SOL_XDP, XDP_UMEM_REG, &reg, sizeof(reg)) ||
	       setsockopt(fd, SOL_XDP, XDP_UMEM_FILL_RING, &n, sizeof(n)) ||
	       setsockopt(fd, SOL_XDP, XDP_UMEM_COMPLETION_RING, &n,
			  sizeof(n)) ||
	       setsockopt(fd, SOL_XDP, XDP_RX_RING, &n, sizeof(n)) ||
	       bind(fd, (struct sockaddr *)&to, sizeof(to));
}

int net_take_queue(void)
{
	size_t size = 64 * 2048;
	void *area = mmap(NULL, size, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (fd < 0 || area == MAP_FAILED || set_up_xsk(fd, area, size))
		abort();
	return fd;
}

bool net_has_tx_budget(int packets)
{
	int fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
	int size = 2048;
	bool has = fd >= 0 &&
		   !setsockopt(fd, SOL_XDP, XDP_TX_RING, &size, sizeof(size)) &&
		   !setsockopt(fd, SOL_XDP, XDP_MAX_TX_SKB_BUDGET, &packets,
			       sizeof(packets));

	if (fd >= 0)
		close(fd);
	return has;
}

struct net_counters net_counters(const char *device)
{
	struct net_counters c = { 0 };
	FILE *f = fopen("/proc/thread-self/net/dev", "r");
	char line[512], name[32];

	if (!f)
		abort();
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, " %31[^:]", name) == 1 && !strcmp(name, device))
			sscanf(strchr(line, ':') + 1,
			       "%*u %" SCNu64 " %*u %" SCNu64
			       " %*u %*u %*u %*u %*u %" SCNu64 " %*u %" SCNu64,
			       &c.rx_packets, &c.rx_dropped, &c.tx_packets,
			       &c.tx_dropped);
	fclose(f);
	return c;
}
