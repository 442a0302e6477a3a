/* What a program under test takes for the time of day, and where names and addresses lead it. Loaded before the C library, whose functions it stands before.
 *
 * SUITE_SURROUNDINGS names a file of SIZE bytes, which the test writes while the program runs:
 *   bytes 0 to 7    seconds that the time of day is ahead, a number of the machine's kind
 *   bytes 8 to 15   the same for the clock that only runs forward
 *   the rest        lines, ended by a zero byte: `name HOST ADDRESS...`: HOST has these addresses, one at each question, the last for good
 *                                                `at ADDRESS PORT`: whoever connects to port 443 of ADDRESS reaches this port of 127.0.0.1
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { SIZE = 4096, HEAD = 16, LINES = 64 };

static const volatile int64_t *ahead;
static const char *lines;
/* How often each line was asked for. Lines keep their places. */
static atomic_uint asked[LINES];

__attribute__((constructor)) static void begin(void)
{
	const char *name = getenv("SUITE_SURROUNDINGS");
	int file = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
	if (file < 0)
		return;
	void *shared = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, file, 0);
	close(file);
	if (shared == MAP_FAILED)
		abort();
	lines = (const char *)shared + HEAD;
	ahead = shared;
}

static void *next(const char *name)
{
	void *found = dlsym(RTLD_NEXT, name);
	if (!found)
		abort();
	return found;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
	static int (*real)(clockid_t, struct timespec *);
	if (!real)
		real = next("clock_gettime");
	int failed = real(clock, now);
	if (failed || !ahead)
		return failed;
	if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)
		now->tv_sec += ahead[0];
	if (clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_COARSE)
		now->tv_sec += ahead[1];
	return 0;
}

/* The address that `host` has this time; none where no line names it. */
static const char *address_of(const char *host, char *address)
{
	char text[SIZE - HEAD], *rest = NULL;
	memcpy(text, lines, sizeof text);
	text[sizeof text - 1] = 0;
	char *line = strtok_r(text, "\n", &rest);
	for (int number = 0; line && number < LINES; number++, line = strtok_r(NULL, "\n", &rest)) {
		char *words = NULL, *kind = strtok_r(line, " ", &words), *name = strtok_r(NULL, " ", &words);
		if (!kind || !name || strcmp(kind, "name") || strcasecmp(name, host))
			continue;
		unsigned turn = atomic_fetch_add(&asked[number], 1);
		char *found = strtok_r(NULL, " ", &words), *other;
		while (found && turn-- && (other = strtok_r(NULL, " ", &words)))
			found = other;
		return found ? strncpy(address, found, INET6_ADDRSTRLEN - 1) : NULL;
	}
	return NULL;
}

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
	static int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
	if (!real)
		real = next("getaddrinfo");
	char address[INET6_ADDRSTRLEN] = { 0 };
	return real(lines && host && address_of(host, address) ? address : host, service, hints, found);
}

/* The port of 127.0.0.1 that stands for port 443 of `address`; 0 where none does. */
static unsigned port_for(struct in_addr address)
{
	char wanted[INET_ADDRSTRLEN], address_text[64], text[SIZE - HEAD], *rest = NULL;
	unsigned port;
	inet_ntop(AF_INET, &address, wanted, sizeof wanted);
	memcpy(text, lines, sizeof text);
	text[sizeof text - 1] = 0;
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		if (sscanf(line, "at %63s %u", address_text, &port) == 2 && !strcmp(address_text, wanted))
			return port;
	return 0;
}

int connect(int socket, const struct sockaddr *address, socklen_t length)
{
	static int (*real)(int, const struct sockaddr *, socklen_t);
	if (!real)
		real = next("connect");
	if (lines && address && address->sa_family == AF_INET && length >= sizeof(struct sockaddr_in)) {
		struct sockaddr_in changed = *(const struct sockaddr_in *)address;
		unsigned port = ntohs(changed.sin_port) == 443 ? port_for(changed.sin_addr) : 0;
		if (port) {
			changed.sin_port = htons((uint16_t)port);
			changed.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
			return real(socket, (const struct sockaddr *)&changed, sizeof changed);
		}
	}
	return real(socket, address, length);
}
