#include "proxy/smtp/helo_name.h"

#include "rules/address.h"
#include "rules/domain_name.h"
#include "rules/cidr.h"

bool helo_name_is_valid(struct str name)
{
    struct ip ip;
    struct str label;
    bool has_more = true;
    if (name.n > ADDRESS_MAX_OCTETS)
        return false;
    if (address_is_literal(name) || ip_parse(name, &ip) == 0)
        return true;
    while (has_more) {
        has_more = str_cut(name, '.', &label, &name);
        if (!domain_label_is_valid(label))
            return false;
    }
    return true;
}
