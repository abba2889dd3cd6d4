#ifndef EDGES_CLI_CLI_H
#define EDGES_CLI_CLI_H

/* The command line: one table of commands (commands.c), each a thin client of
 * the control API.  Results go to standard output, everything else to standard
 * error.  Returns the exit status (enum cli_exit in command.h). */
int cli_run(int argc, char *const *argv);

#endif
