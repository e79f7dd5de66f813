/* What rules refused or deferred, the busiest first. */

import { $, make, refill } from './elements.js';
import { filterButton } from './filters.js';
import { Plot, minutesOf } from './plot.js';
import { list, number, text } from './words.js';

const REFUSALS = new Set(['reject', 'defer', 'close']);
const DID = { reject: 'refused', defer: 'deferred', close: 'closed' };

export function showRules(o, end) {
  const rules = list(o.rules).filter((r) => REFUSALS.has(r.did)).sort((a, b) => b.hour - a.hour || b.total - a.total).slice(0, 12);
  refill($('rules-list'), [rules, end.getMinutes()], () => {
    if (rules.length === 0)
      return [make('p.empty', 'No rule has refused or deferred anything yet.')];
    const most = Math.max(1, ...rules.flatMap((r) => minutesOf(r.minutes)));
    const head = make('div.rule.head', null, make('span', 'Rule'), make('span.count', 'hour'), make('span.mini', 'by minute'), make('span.total', 'in all'));
    return [head, ...rules.map((rule) => {
      const mini = make('div.mini');
      const row = make('div.rule', null,
        make('div', null, filterButton('rule', text(rule.rule)), make('div.did.' + rule.did, `${DID[rule.did]} at ${text(rule.stage)}`)),
        make('span.count', number(rule.hour)), mini, make('span.total', number(rule.total)));
      const plot = new Plot(mini, { isMini: true, reading: $('rules-reading'), rest: () => '', most: () => most });
      plot.set([{ kind: rule.did === 'defer' ? 'defer' : 'reject', name: DID[rule.did], minutes: minutesOf(rule.minutes) }], end,
        `${text(rule.rule)}: ${number(rule.hour)} in the last hour. Arrow keys read single minutes.`);
      return row;
    })];
  });
}
