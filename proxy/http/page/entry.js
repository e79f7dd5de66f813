/* One entry of the decision log as a row. */

import { make } from './elements.js';
import { clock, duration, list, number, octets, text } from './words.js';

let next = 0;

const seconds = (entry) => {
  const date = new Date(entry.time);
  return Number.isNaN(date.getTime()) ? '' : clock(date);
};

function pathOf(entry) {
  const rcpt = list(entry.rcpt);
  const from = entry.mail ? (entry.mail.from === '' ? '<>' : text(entry.mail.from)) : '';
  const to = rcpt.length > 0 ? text(rcpt[0]?.to) : '';
  const more = (entry.cut && entry.rcpt_count ? entry.rcpt_count : rcpt.length) - 1;
  return `${from} → ${to || '-'}${more > 0 ? ` (+${more})` : ''}`;
}

/* What another event than a transaction says: [word, kind, who, what]. */
const EVENTS = {
  auth: (e) => [text(e.auth?.result) || 'auth', e.auth?.result === 'ok' ? 'accept' : 'bad', text(e.auth?.user) || text(e.auth?.name),
    `login by ${text(e.auth?.mechanism)} from ${text(e.client?.ip)}`],
  session: (e) => ['session', e.refused || e.reply ? 'bad' : 'abort', text(e.auth?.user) || text(e.client?.ip),
    `${number(e.transactions)} transactions, end: ${text(e.end)}${list(e.caps).length ? `, ${list(e.caps).join(', ')}` : ''}`],
  limit: (e) => ['limit', e.exceeded ? 'bad' : 'defer', text(e.key),
    e.did ? `${text(e.did)} by ${text(e.by)}` : `${e.exceeded ? 'exceeded' : 'nearly used up'}: ${number(e.used)} of ${number(e.max)}`],
  list: (e) => ['list', 'abort', text(e.list), `${text(e.did)} ${text(e.value)}${e.for_ms ? ` for ${duration(e.for_ms)}` : ''}`],
  upstream: (e) => [text(e.upstream?.state) || 'upstream', e.upstream?.state === 'down' ? 'bad' : 'accept', text(e.upstream?.name),
    `${text(e.upstream?.server)} ${text(e.upstream?.fault)}`],
  config: (e) => ['config', e.verdict === 'reject' ? 'bad' : 'accept', text(e.by), `configuration ${text(e.verdict)}ed`],
  log: (e) => ['log', 'bad', '', e.lost ? `${number(e.lost)} lines were lost` : text(e.not_reopened)],
};

function rulesOf(entry) {
  const names = list(entry.rules).map((r) => text(r?.rule) + (r?.mode === 'shadow' ? ' (shadow)' : ''));
  if (text(entry.rule) !== '') names.push(entry.rule);
  return [...new Set(names)].join(', ');
}

export function rowOf(entry) {
  let word = text(entry.verdict), kind = word, who = text(entry.auth?.user), what = pathOf(entry);
  if (entry.event !== 'transaction')
    [word, kind, who, what] = (Object.hasOwn(EVENTS, entry.event) ? EVENTS[entry.event](entry) : [text(entry.event), 'abort', '', '']);
  const reply = text(entry.reply) || text(entry.upstream?.reply);
  const size = entry.message?.bytes ?? entry.mail?.size;
  const id = text(entry.id) || text(entry.session);
  const time = make('time', seconds(entry));
  time.dateTime = text(entry.time);
  const row = make('div.entry', null, time, make(`span.verdict.${/^[a-z]+$/.test(kind) ? kind : 'abort'}`, word),
    make('span.who', who), make('span.path', what), make('span.size', size === undefined ? '' : octets(size)),
    make('span.reply', reply), make('span.rules', rulesOf(entry)), make('span.id', id));
  row.setAttribute('role', 'option');
  row.setAttribute('aria-selected', 'false');
  row.id = `entry-${next++}`;
  row.title = [text(entry.time), who, what, reply, rulesOf(entry)].filter(Boolean).join('\n');
  row.entry = entry;
  return row;
}
