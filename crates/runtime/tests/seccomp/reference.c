/* Builds filters with libseccomp as told on standard input, and hands out their programs.
 *
 *   begin <default action>           a new filter of the native architecture
 *   arch <token>                     add an architecture
 *   unarch <token>                   remove one
 *   rule <action> <name> <n> (<argument> <operator> <a> <b>)*n
 *   end                              answers "program <size>\n" and the program, then "listing <size>\n" and the
 *                                    listing; or "error <errno>\n" if any step failed
 *   resolve <token> <name>           answers "number <n>\n"
 *
 * All numbers are hexadecimal. Names libseccomp does not know are skipped, as crun does.
 */
#include <errno.h>
#include <inttypes.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void note(int *failed, int result)
{
	if (result < 0 && *failed == 0)
		*failed = -result;
}

static void rule(scmp_filter_ctx filter, int *failed)
{
	uint32_t action, count, i;
	char name[256];
	struct scmp_arg_cmp args[6];
	int number;

	if (scanf("%" SCNx32 " %255s %" SCNx32, &action, name, &count) != 3 || count > 6)
		exit(2);
	for (i = 0; i < count; i++) {
		unsigned op;
		memset(&args[i], 0, sizeof(args[i]));
		if (scanf("%x %x %" SCNx64 " %" SCNx64, &args[i].arg, &op, &args[i].datum_a, &args[i].datum_b) != 4)
			exit(2);
		args[i].op = op;
	}
	number = seccomp_syscall_resolve_name(name);
	if (number == __NR_SCMP_ERROR)
		return;
	note(failed, seccomp_rule_add_array(filter, action, number, count, args));
}

/* What an export function writes; the caller frees it. */
static char *export(scmp_filter_ctx filter, int *failed, int (*function)(const scmp_filter_ctx, int), long *size)
{
	FILE *file = tmpfile();
	char *bytes;

	if (!file)
		exit(3);
	note(failed, function(filter, fileno(file)));
	fseek(file, 0, SEEK_END);
	*size = ftell(file);
	rewind(file);
	bytes = malloc(*size + 1);
	if (!bytes || fread(bytes, 1, *size, file) != (size_t)*size)
		exit(3);
	fclose(file);
	return bytes;
}

static void finish(scmp_filter_ctx filter, int failed)
{
	long program_size, listing_size;
	char *program = export(filter, &failed, seccomp_export_bpf, &program_size);
	char *listing = export(filter, &failed, seccomp_export_pfc, &listing_size);

	if (failed) {
		printf("error %x\n", failed);
	} else {
		printf("program %lx\n", program_size);
		fwrite(program, 1, program_size, stdout);
		printf("listing %lx\n", listing_size);
		fwrite(listing, 1, listing_size, stdout);
	}
	free(program);
	free(listing);
	fflush(stdout);
}

int main(void)
{
	char word[32], name[256];
	uint32_t number;
	scmp_filter_ctx filter = NULL;
	int failed = 0;

	while (scanf("%31s", word) == 1) {
		if (!strcmp(word, "begin") && scanf("%" SCNx32, &number) == 1) {
			failed = 0;
			filter = seccomp_init(number);
			if (!filter)
				exit(4);
		} else if (!strcmp(word, "arch") && scanf("%" SCNx32, &number) == 1) {
			int result = seccomp_arch_add(filter, number);
			note(&failed, result == -EEXIST ? 0 : result);
		} else if (!strcmp(word, "unarch") && scanf("%" SCNx32, &number) == 1) {
			note(&failed, seccomp_arch_remove(filter, number));
		} else if (!strcmp(word, "rule")) {
			rule(filter, &failed);
		} else if (!strcmp(word, "end")) {
			finish(filter, failed);
			seccomp_release(filter);
		} else if (!strcmp(word, "resolve") && scanf("%" SCNx32 " %255s", &number, name) == 2) {
			printf("number %x\n", (unsigned)seccomp_syscall_resolve_name_arch(number, name));
			fflush(stdout);
		} else {
			return 2;
		}
	}
	return 0;
}
