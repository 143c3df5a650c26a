/* SPDX-License-Identifier: BSD-2-Clause */
#include "stirkeepd/options.h"

#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

static const char usage[] =
    "Usage: stirkeepd [-c FILE] [--check | --take-over] [--libexec DIR]\n"
    "Run the stirkeep service in the foreground: key custody and PASSporT signing.\n"
    "\n"
    "  -c, --config FILE   configuration (" STK_DEFAULT_CONFIG ")\n"
    "      --check         read the configuration, say what is wrong, and exit\n"
    "      --take-over     replace the stirkeepd that runs with this configuration, which serves\n"
    "                      until this one is ready; none: start\n"
    "      --libexec DIR   where the rooms' programs are (" STIRKEEP_LIBEXECDIR ")\n"
    "      --version       print the version and exit\n"
    "      --help          print this and exit\n"
    "\n"
    "Exit status: 0 done, 1 refused or failed, 2 wrong usage.\n";

enum { OPTION_CHECK = 256, OPTION_TAKE_OVER, OPTION_LIBEXEC, OPTION_VERSION, OPTION_HELP };

static enum stk_options_result wrong(void)
{
    (void)fprintf(stderr, "stirkeepd: try 'stirkeepd --help'\n");
    return STK_OPTIONS_WRONG;
}

enum stk_options_result stk_options_read(int argc, char **argv, struct stk_options *ret_options)
{
    static const struct option table[] = {{"config", required_argument, NULL, 'c'},
                                          {"check", no_argument, NULL, OPTION_CHECK},
                                          {"take-over", no_argument, NULL, OPTION_TAKE_OVER},
                                          {"libexec", required_argument, NULL, OPTION_LIBEXEC},
                                          {"version", no_argument, NULL, OPTION_VERSION},
                                          {"help", no_argument, NULL, OPTION_HELP},
                                          {NULL, 0, NULL, 0}};
    struct stk_options options = {.config = STK_DEFAULT_CONFIG, .libexec = STIRKEEP_LIBEXECDIR};
    int option = 0;

    while ((option = getopt_long(argc, argv, "c:", table, NULL)) != -1) {
        switch (option) {
        case 'c':
            options.config = optarg;
            break;
        case OPTION_CHECK:
            options.check = true;
            break;
        case OPTION_TAKE_OVER:
            options.take_over = true;
            break;
        case OPTION_LIBEXEC:
            options.libexec = optarg;
            break;
        case OPTION_VERSION:
            (void)puts("stirkeepd " STIRKEEP_VERSION);
            return STK_OPTIONS_DONE;
        case OPTION_HELP:
            (void)fputs(usage, stdout);
            return STK_OPTIONS_DONE;
        default:
            return wrong();
        }
    }
    if (optind < argc) {
        (void)fprintf(stderr, "stirkeepd: not an option: %s\n", argv[optind]);
        return wrong();
    }
    *ret_options = options;
    return STK_OPTIONS_RUN;
}
