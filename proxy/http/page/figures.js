/* The server now: the numbers at the top. */

import { $, make } from './elements.js';
import { duration, number, octets, text } from './words.js';

function figure(name, value, isBad) {
  return make('div', null, make('dt', name), make(isBad ? 'dd.bad' : 'dd', value));
}

export function showFigures(o) {
  const sessions = o.sessions || {}, transactions = o.transactions || {}, log = o.log || {};
  const lag = o.loop_lag_ms || {};
  $('hostname').textContent = text(o.hostname) || 'Postern';
  document.title = `${text(o.hostname)} · Postern`;
  const figures = [
    figure('Sessions', `${number(sessions.open)} of ${number(sessions.max)}`, sessions.open > .8 * sessions.max),
    figure('Accepted', number(transactions.accept)),
    figure('Deferred', number(transactions.defer)),
    figure('Refused', number(transactions.reject)),
    figure('Loop lag', `${Number(lag.last || 0).toFixed(1)} ms`, lag.last > 100),
    figure('Memory', octets(o.memory_bytes)),
    figure('Up', duration((o.uptime_s || 0) * 1000)),
  ];
  if (log.lost > 0) figures.push(figure('Log lines lost', number(log.lost), true));
  if (o.store && o.store.kind !== 'memory') figures.push(figure('Budgets', text(o.store.kind)));
  const policy = figure('Policy', text(o.policy).replace('sha256:', '').slice(0, 8));
  policy.title = `${text(o.policy)}, postern ${text(o.version)}`;
  figures.push(policy);
  $('figures').replaceChildren(...figures);
}
