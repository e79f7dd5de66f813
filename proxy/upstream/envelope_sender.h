/* MAIL and RCPT on their way: which commands to write next, and which question
 * a reply answers. Keeps the recipients, so that a transaction can start anew
 * on another connection while nothing of it was answered. Pure. */
#ifndef PROXY_UPSTREAM_ENVELOPE_SENDER_H
#define PROXY_UPSTREAM_ENVELOPE_SENDER_H

#include "proxy/smtp/capability.h"
#include "proxy/upstream/delivery_internal.h"

/* The longest MAIL or RCPT that goes out, with CRLF. */
#define ENVELOPE_COMMAND_MAX 2048

enum mail_state { MAIL_UNSENT, MAIL_SENT, MAIL_ACCEPTED, MAIL_REFUSED };

struct sent_recipient {
    struct str mailbox;
    struct rcpt_params params;
};

struct envelope_sender {
    const struct envelope *envelope; /* borrowed */
    struct arena arena;
    struct sent_recipient *recipients;
    size_t count, capacity;
    size_t sent;     /* RCPTs written on this connection */
    size_t answered; /* of those, by the upstream */
    enum mail_state mail;
};

/* What a reply answers. */
enum envelope_answer { ANSWER_TO_MAIL, ANSWER_TO_RCPT, ANSWER_TO_NOTHING };

/* 0, or -1: the reverse path is none that may go into a command. */
int envelope_sender_init(struct envelope_sender *sender,
                         const struct envelope *envelope);
void envelope_sender_release(struct envelope_sender *sender);
/* Copies all. 0, or -1: out of memory, or nothing that may go into a command.
 */
int envelope_sender_add(struct envelope_sender *sender, struct str mailbox,
                        const struct rcpt_params *params);
/* Writes as many of the next commands as fit into `to` and may go now:
 * everything where the upstream takes PIPELINING (RFC 2920), else one command
 * once nothing is due. Returns the octets, and in *commands how many. */
size_t envelope_sender_next(struct envelope_sender *sender,
                            const struct capabilities *capabilities, char *to,
                            size_t room, size_t *commands);
/* Tells what the next reply answers, and counts it; to MAIL: whether it was
 * accepted. ANSWER_TO_NOTHING: a pipelined RCPT behind a refused MAIL. */
enum envelope_answer envelope_sender_answer(struct envelope_sender *sender,
                                            bool is_accepted);
/* Whether a reply is due. */
bool envelope_sender_is_due(const struct envelope_sender *sender);
/* Forgets what was sent, for another connection. */
void envelope_sender_restart(struct envelope_sender *sender);

#endif
