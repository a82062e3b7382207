/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Device names and queue lists: what is taken apart, what is left alone, what
 * is refused and with which words.
 */
#include "libpcap-fast/device.h"

#include "backend/queues.h"

#include <errno.h>
#include <string.h>

#include "pcap-fast.h"
#include "tests/unit.h"

static char why[256];

static int parse(const char *text, struct pcf_device *device)
{
	why[0] = '\0';
	return pcf_device_parse(text, device, why, sizeof(why));
}

static void check(const char *text, int mode, const char *name,
		  const char *queues, const char *cluster)
{
	struct pcf_device device;

	CU_ASSERT_EQUAL(parse(text, &device), 0);
	CU_ASSERT_EQUAL(device.mode, mode);
	CU_ASSERT_EQUAL(device.prefixed, mode != PCAP_FAST_MODE_AUTO);
	CU_ASSERT_STRING_EQUAL(device.name, name);
	CU_ASSERT_STRING_EQUAL(device.queues, queues);
	CU_ASSERT_STRING_EQUAL(device.cluster, cluster);
}

static void without_prefix_all_is_name(void)
{
	check("eth0", PCAP_FAST_MODE_AUTO, "eth0", "", "");
	check("eth0@1", PCAP_FAST_MODE_AUTO, "eth0@1", "", "");
	check("a%b@0", PCAP_FAST_MODE_AUTO, "a%b@0", "", "");
	check("nflog:5", PCAP_FAST_MODE_AUTO, "nflog:5", "", "");
	check("Exclusive:eth0", PCAP_FAST_MODE_AUTO, "Exclusive:eth0", "", "");
	check("exclusive", PCAP_FAST_MODE_AUTO, "exclusive", "", "");
	check("fast:eth0", PCAP_FAST_MODE_AUTO, "fast:eth0", "", "");
}

static void prefixes(void)
{
	check("exclusive:eth0", PCAP_FAST_MODE_EXCLUSIVE, "eth0", "", "");
	check("mirror:eth0", PCAP_FAST_MODE_MIRROR, "eth0", "", "");
	check("system:eth0", PCAP_FAST_MODE_SYSTEM, "eth0", "", "");
	check("system:mirror:x", PCAP_FAST_MODE_SYSTEM, "mirror:x", "", "");
}

static void lists_and_clusters(void)
{
	check("exclusive:e@0,2-3", PCAP_FAST_MODE_EXCLUSIVE, "e", "0,2-3", "");
	check("exclusive:e%ids", PCAP_FAST_MODE_EXCLUSIVE, "e", "", "ids");
	check("mirror:e@1%c@2", PCAP_FAST_MODE_MIRROR, "e", "1", "c@2");
	check("mirror:e%c@2", PCAP_FAST_MODE_MIRROR, "e", "", "c@2");
}

static void refuse(const char *text, int error, const char *word)
{
	struct pcf_device device;

	CU_ASSERT_EQUAL(parse(text, &device), error);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, word));
	CU_ASSERT_STRING_EQUAL(device.name, "");
	CU_ASSERT_STRING_EQUAL(device.queues, "");
}

static void empty_parts(void)
{
	refuse("", -EINVAL, "device name is empty");
	refuse("exclusive:", -EINVAL, "device name is empty");
	refuse("exclusive:@0", -EINVAL, "device name is empty");
	refuse("exclusive:e@", -EINVAL, "queue list");
	refuse("exclusive:e@%c", -EINVAL, "queue list");
	refuse("exclusive:e@0%", -EINVAL, "cluster");
}

static void long_parts(void)
{
	struct pcf_device device;
	char text[1024] = "exclusive:";

	memset(text + 10, 'x', PCF_DEVICE_NAME_SIZE - 1);
	CU_ASSERT_EQUAL(parse(text, &device), 0);
	CU_ASSERT_EQUAL(strlen(device.name), PCF_DEVICE_NAME_SIZE - 1);
	text[10 + PCF_DEVICE_NAME_SIZE - 1] = 'x';
	refuse(text, -ENAMETOOLONG, "127 characters");
	strcpy(text, "exclusive:e@");
	memset(text + 12, '1', PCF_DEVICE_LIST_SIZE);
	refuse(text, -ENAMETOOLONG, "queue list");
	strcpy(text, "exclusive:e%");
	memset(text + 12, 'c', PCF_DEVICE_CLUSTER_SIZE);
	text[12 + PCF_DEVICE_CLUSTER_SIZE] = '\0';
	refuse(text, -ENAMETOOLONG, "cluster");
}

static void queues(const char *list, unsigned max, int count, uint64_t low,
		   uint64_t high)
{
	uint64_t mask[2] = { ~UINT64_C(0), ~UINT64_C(0) };

	CU_ASSERT_EQUAL(pcf_queue_list(list, mask, max, why, sizeof(why)),
			count);
	CU_ASSERT_EQUAL(mask[0], low);
	CU_ASSERT_EQUAL(mask[1], max > 64 ? high : ~UINT64_C(0));
}

static void queue_lists(void)
{
	queues("0", 1, 1, 1, 0);
	queues("0,2-3", 4, 3, 0xd, 0);
	queues("3,0", 4, 2, 0x9, 0);
	queues("2-2", 4, 1, 0x4, 0);
	queues("63-65", 128, 3, UINT64_C(1) << 63, 3);
	queues("000000001", 4, 1, 0x2, 0);
	queues(NULL, 4, 4, 0xf, 0);
	queues("", 64, 64, ~UINT64_C(0), 0);
	queues("", 65, 65, ~UINT64_C(0), 1);
}

static void refuse_list(const char *list, unsigned max, int error,
			const char *word)
{
	uint64_t mask[2];

	why[0] = '\0';
	CU_ASSERT_EQUAL(pcf_queue_list(list, mask, max, why, sizeof(why)),
			error);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, word));
	CU_ASSERT_PTR_NOT_NULL(strstr(why, list));
}

static void bad_queue_lists(void)
{
	static const char *const bad[] = {
		",",	       "0,",	",0",  "0,,1", "-1",
		"1-",	       "a",	"0x1", " 0",   "0 ",
		"3-1",	       "1-2-3", "+1",  "1.5",  "99999999999999999999",
		"0-4294967296"
	};

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refuse_list(bad[i], 4, -EINVAL, "0,2-3");
	refuse_list("0,0", 4, -EINVAL, "twice");
	refuse_list("0-2,1", 4, -EINVAL, "twice");
	refuse_list("4", 4, -ERANGE, "no queue 4, the interface has 4");
	refuse_list("0-999999999", 4, -ERANGE, "no queue 999999999");
}

/* Lists made of sets, which say the same as the sets. */
static void sets_as_lists(void)
{
	static const char *const lists[] = { "0",      "0-3",  "0,2-3", "5,7,9",
					     "63-64",  "1023", "0-1023",
					     "1,3-1021,1023" };
	uint64_t set[PCF_QUEUE_WORDS], other[PCF_QUEUE_WORDS];
	uint64_t both[PCF_QUEUE_WORDS];
	char text[64];

	for (unsigned i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		int n = pcf_queue_list(lists[i], set, PCF_QUEUES, why,
				       sizeof(why));

		CU_ASSERT_EQUAL(pcf_queues_count(set), (unsigned)n);
		pcf_queues_text(set, text, sizeof(text));
		CU_ASSERT_STRING_EQUAL(text, lists[i]);
	}
	pcf_queues_text(set, text, 4);
	CU_ASSERT_STRING_EQUAL(text, "1,3");
	pcf_queue_list("2-70", other, PCF_QUEUES, why, sizeof(why));
	CU_ASSERT_TRUE(pcf_queues_common(set, other, both));
	pcf_queues_text(both, text, sizeof(text));
	CU_ASSERT_STRING_EQUAL(text, "3-70");
	pcf_queue_list("2,1022", other, PCF_QUEUES, why, sizeof(why));
	CU_ASSERT_FALSE(pcf_queues_common(set, other, both));
	pcf_queues_below(set, 65, other);
	pcf_queues_text(other, text, sizeof(text));
	CU_ASSERT_STRING_EQUAL(text, "1,3-64");
	memset(set, 0, sizeof(set));
	pcf_queues_text(set, text, sizeof(text));
	CU_ASSERT_STRING_EQUAL(text, "");
}

static CU_TestInfo tests[] = { PCF_TEST(without_prefix_all_is_name),
			       PCF_TEST(prefixes),
			       PCF_TEST(lists_and_clusters),
			       PCF_TEST(empty_parts),
			       PCF_TEST(long_parts),
			       PCF_TEST(queue_lists),
			       PCF_TEST(bad_queue_lists),
			       PCF_TEST(sets_as_lists),
			       CU_TEST_INFO_NULL };

int main(void)
{
	return pcf_run_tests("device names", tests);
}
