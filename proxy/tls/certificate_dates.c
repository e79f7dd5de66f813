#include "proxy/tls/certificate_dates.h"

#include "proxy/tls/tls_context_internal.h"

#include <stdio.h>

#include <openssl/asn1.h>
#include <openssl/x509.h>

#define WARN_DAYS 14

/* Days from `from` to `to`; 0 for less than one. `is_before`: `to` is the
 * earlier of them, be it by a second. */
static int days_between(const ASN1_TIME *from, const ASN1_TIME *to,
                        bool *is_before)
{
    int days = 0, seconds = 0;
    *is_before = false;
    if (ASN1_TIME_diff(&days, &seconds, from, to) != 1)
        return WARN_DAYS;
    *is_before = days < 0 || seconds < 0;
    return days;
}

/* Writes nothing when there is nothing to say. Both of its dates are in the
 * time that a certificate is valid (RFC 5280 4.1.2.5). */
static void describe(const X509 *certificate, const char *path,
                     const ASN1_TIME *now, const char *others, char *words,
                     size_t room)
{
    bool is_early, has_ended;
    days_between(X509_get0_notBefore(certificate), now, &is_early);
    int days = days_between(now, X509_get0_notAfter(certificate), &has_ended);
    words[0] = '\0';
    if (has_ended)
        snprintf(words, room, "certificate %s has expired; %s will refuse it",
                 path, others);
    else if (is_early)
        snprintf(words, room,
                 "certificate %s is not valid yet; %s will refuse it", path,
                 others);
    else if (days == 0)
        snprintf(words, room,
                 "certificate %s ends within a day; %s will refuse it "
                 "then: renew it",
                 path, others);
    else if (days < WARN_DAYS)
        snprintf(words, room,
                 "certificate %s ends in %d day%s; %s will refuse it "
                 "then: renew it",
                 path, days, days == 1 ? "" : "s", others);
}

void certificate_dates_tell(
    const struct tls_context *context,
    const struct certificate_settings *certificates, int64_t now,
    void (*tell)(void *owner, struct mark mark, const char *words), void *owner)
{
    char words[512];
    ASN1_TIME *from = ASN1_TIME_set(NULL, now);
    if (from == NULL)
        return;
    context_lock_read(context->lock);
    for (size_t i = 0; i < context->set.count; i++) {
        const struct certificate_settings *named = &certificates[i];
        describe(SSL_CTX_get0_certificate(context->set.contexts[i]),
                 named->chain, from, context->is_server ? "clients" : "servers",
                 words, sizeof(words));
        if (words[0] != '\0')
            tell(owner, named->chain_mark, words);
    }
    context_lock_leave(context->lock);
    ASN1_TIME_free(from);
}

int certificate_dates_end(const struct tls_context *context, size_t number,
                          int64_t *end)
{
    int result = -1, days = 0, seconds = 0;
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    if (epoch == NULL)
        return -1;
    context_lock_read(context->lock);
    if (number < context->set.count &&
        ASN1_TIME_diff(&days, &seconds, epoch,
                       X509_get0_notAfter(SSL_CTX_get0_certificate(
                           context->set.contexts[number]))) == 1) {
        *end = (int64_t)days * 86400 + seconds;
        result = 0;
    }
    context_lock_leave(context->lock);
    ASN1_TIME_free(epoch);
    return result;
}
