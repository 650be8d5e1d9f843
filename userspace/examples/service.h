/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Protocol between the examples and their guests. A guest initializes itself, then waits
 * for input with an OUT to SERVICE_WAIT:
 *
 *	RDI, RSI	address and size of its input buffer
 *	RDX, RCX	address and size of its map of executed code, or 0, 0
 *
 * It continues with the length of the input in RAX, and answers with an OUT to
 * SERVICE_DONE:
 *
 *	AL		0, or an error
 *	RDI, RSI	address and length of the answer
 *
 * The guest does not continue after that: it is reset or destroyed.
 */
#ifndef SERVICE_H
#define SERVICE_H

#define SERVICE_WAIT 0xe0
#define SERVICE_DONE 0xe1

#endif /* SERVICE_H */
