/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pcap-fast doctor: whether an interface can be captured on fast, and what
 * would change it. Looks only: binds nothing, attaches nothing.
 */
#include "compat/stock.h"
#include "tools/checks.h"
#include "tools/json.h"
#include "tools/tool.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#define PROFILES "/sys/kernel/security/apparmor/profiles"

static const struct option options[] = {
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static int usage(FILE *to, int status)
{
	fputs("Usage: pcap-fast doctor [--json] [INTERFACE]\n\n"
	      "Says whether fast capture is possible, and for every \"no\" what would\n"
	      "change it. Without INTERFACE: the machine, and one line for each interface.\n"
	      "Nothing is attached or changed. Status 0: yes, 1: no, 2: wrong usage.\n",
	      to);
	return status;
}

static bool set_option(int letter, void *json)
{
	*(bool *)json = letter == 'j';
	return true;
}

static const struct tool_words words = { "", options, usage, set_option, 0, 1 };

/* --- gathering ----------------------------------------------------------- */

static bool tcpdump_confined(void)
{
	FILE *in = fopen(PROFILES, "r");
	char line[256];
	bool found = false;

	while (in && !found && fgets(line, sizeof(line), in))
		found = strstr(line, "tcpdump") && strstr(line, "(enforce)");
	if (in)
		fclose(in);
	return found;
}

static void gather_machine(struct check_machine *m)
{
	struct rlimit limit = { 0 };

	getrlimit(RLIMIT_MEMLOCK, &limit);
	*m = (struct check_machine){
		.memlock = limit.rlim_cur == RLIM_INFINITY ? UINT64_MAX
							   : limit.rlim_cur,
		.tcpdump_confined = tcpdump_confined(),
		.stock_error =
			pcf_stock()->pcap_create ? "" : pcf_stock_error(),
	};
	m->stock_path = pcf_stock_path();
}

/* As a promiscuous capture without further wishes. */
static void gather(const char *name, struct pcf_facts *facts,
		   struct pcf_choice *choice)
{
	const struct pcf_request request = { .device = name, .promisc = true };

	memset(facts, 0, sizeof(*facts));
	memset(choice, 0, sizeof(*choice));
	pcf_facts_gather(name, NULL, facts);
	pcf_mode_choose(&request, facts, choice);
}

/* --- showing ------------------------------------------------------------- */

static void print_text(const struct check_finding *f, unsigned n)
{
	static const char *const verdicts[] = { "yes", "NO", "-" };

	for (unsigned i = 0; i < n; i++) {
		printf("  %-3s  %-15s %s\n", verdicts[f[i].verdict], f[i].name,
		       f[i].text);
		if (*f[i].advice)
			printf("       %-15s   -> %s\n", "", f[i].advice);
	}
}

static void print_json(const struct check_finding *f, unsigned n)
{
	static const char *const verdicts[] = { "yes", "no", "note" };

	putchar('[');
	for (unsigned i = 0; i < n; i++) {
		printf("%s{\"name\": ", i ? ",\n  " : "");
		json_string(f[i].name);
		printf(", \"verdict\": \"%s\", \"text\": ",
		       verdicts[f[i].verdict]);
		json_string(f[i].text);
		fputs(", \"advice\": ", stdout);
		json_string(f[i].advice);
		putchar('}');
	}
	putchar(']');
}

static void print_part(const char *title, const struct check_finding *f,
		       unsigned n, bool json)
{
	if (json) {
		printf("%s\"%s\": ", strcmp(title, "machine") ? ",\n " : "{",
		       title);
		print_json(f, n);
		return;
	}
	printf("%s\n", title);
	print_text(f, n);
}

static bool has_no(const struct check_finding *f, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (f[i].verdict == CHECK_NO)
			return true;
	return false;
}

/* One line for each interface. True: one of them can. */
static bool overview(bool json)
{
	struct if_nameindex *all = if_nameindex();
	bool any = false;

	for (struct if_nameindex *i = all; i && i->if_index; i++) {
		struct check_finding found[CHECK_MOST];
		struct pcf_facts facts;
		struct pcf_choice choice;
		unsigned n;

		gather(i->if_name, &facts, &choice);
		n = check_interface(&facts, &choice, found);
		print_part(i->if_name, json ? found : found + n - 1,
			   json ? n : 1, json);
		any |= choice.mode != PCAP_FAST_MODE_SYSTEM;
	}
	if (all)
		if_freenameindex(all);
	return any;
}

static bool one(const char *name, bool json)
{
	struct check_finding found[CHECK_MOST];
	struct pcf_facts facts;
	struct pcf_choice choice;

	gather(name, &facts, &choice);
	print_part(name, found, check_interface(&facts, &choice, found), json);
	return choice.mode != PCAP_FAST_MODE_SYSTEM;
}

int tool_doctor(int argc, char **argv)
{
	struct check_finding found[CHECK_MOST];
	struct check_machine machine;
	struct pcf_facts facts;
	bool json = false, can;
	int status = tool_parse(&words, argc, argv, &json);
	unsigned n;

	if (status >= 0)
		return status;
	memset(&facts, 0, sizeof(facts));
	pcf_facts_gather("lo", NULL, &facts);
	gather_machine(&machine);
	n = check_machine(&facts, &machine, found);
	print_part("machine", found, n, json);
	can = optind < argc ? one(argv[optind], json) : overview(json);
	if (json)
		puts("}");
	return can && !has_no(found, n) ? 0 : 1;
}
