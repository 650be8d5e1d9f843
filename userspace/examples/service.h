/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How the examples and their guests talk. A guest prepares itself for as long as
 * it likes, then asks for input with an OUT to SERVICE_WAIT:
 *
 *	RDI, RSI	where it wants the input, and how much there is room for
 *	RDX, RCX	a map of the code that it has run, and its size; or 0, 0
 *
 * It goes on with the input's length in RAX. It is done with an OUT to
 * SERVICE_DONE:
 *
 *	AL		0, or what is wrong
 *	RDI, RSI	its answer, and how long that is
 *
 * Nothing comes back from there: whoever called resets the guest or throws it away.
 */
#ifndef SERVICE_H
#define SERVICE_H

#define SERVICE_WAIT 0xe0
#define SERVICE_DONE 0xe1

#endif /* SERVICE_H */
