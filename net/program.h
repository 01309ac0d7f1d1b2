/* program.h: agents that are programs of their own: "cmd:NAME" wherever an agent is named.
 *
 * A name is offered with its command (--agent NAME=COMMAND); a name with a '/' in it is the path of
 * a program itself. In tasks the name is followed by the SHA-256 of the program's file,
 * "cmd:NAME@HEX", so that nobody else's program of the name plays in its place.
 *
 * The program is started once for each task, by /bin/sh, and talks over its standard input and
 * output, a line each:
 *
 *   {"agon":1,"game":"GAME","seats":2,"actions":7,"planes":3,"rows":6,"cols":7,
 *    "dtype":"u8","scale":1}                                       it answers: ready
 *   {"episode":0,"ply":4,"seat":1,"legal":[0,1,2,6],"observation":"BASE64"}      it answers: 2
 *
 * The observation is what a net sees, row by row, (planes, rows, cols), and nothing that the seat
 * may not know. Up to AGON__PROGRAM_AHEAD questions, of different games, are asked before the first
 * is answered; answers come in the order of the questions. A program that ends, is silent for
 * AGON__PROGRAM_SECONDS, or answers with what is not legal fails its task, with a message. Its
 * standard error is that of agon. */
#ifndef AGON_PROGRAM_H
#define AGON_PROGRAM_H

#include "agents/policy.h"
#include "engine/blob.h"

#define AGON__PROGRAM_AHEAD   64
#define AGON__PROGRAM_SECONDS 30
#define AGON_MOST_PROGRAMS    16

/* From now on "cmd:..." can be opened in this process. */
void agon_programs_allow(void);
/* From now on only those that were offered, by their names: what a task names is a stranger's. */
void agon_programs_only_offered(void);
/* A program under a name of letters, digits, '.', '_' and '-'. Before threads are started. */
int agon_program_offer(const char* name, const char* command, agon_error* error);
/* Those offered, in order; false beyond the last. hash: of its file, when it was offered. */
bool agon_program_at(int index, const char** name, const char** hash);

#endif
