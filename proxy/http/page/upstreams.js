/* Where mail goes: servers and their health, and Maildirs. */

import { $, make, refill } from './elements.js';
import { mailBoxes } from './mail.js';
import { duration, list, number, text } from './words.js';

function ago(when) {
  const time = Date.parse(when);
  return Number.isNaN(time) ? '' : duration(Math.max(0, Date.now() - time));
}

const ms = (n) => Number(n).toFixed(n < 10 ? 1 : 0);

function serverOf(server) {
  const isUp = server.up === true;
  const latency = server.latency_ms || {};
  const lasting = ago(server.since);
  const about = [`${number(server.in_use)} in use, ${number(server.idle)} idle`];
  if (latency.p99 > 0) about.push(`${ms(latency.p50)} / ${ms(latency.p99)} ms`);
  const lamp = make(isUp ? 'span.lamp.here' : 'span.lamp.away');
  lamp.setAttribute('aria-hidden', 'true');
  const row = make('div.server', null, lamp,
    make('span', null, make('b', text(server.upstream)), ` ${text(server.server)} `, make('span.did', `${isUp ? 'up' : 'down'}${lasting ? ` for ${lasting}` : ''}`)),
    make('span.about', about.join(' · ')));
  row.lastChild.title = 'Connections; latency of answers, median and 99th percentile';
  if (!isUp && text(server.error) !== '') row.append(make('span.fault', text(server.error)));
  return row;
}

export function showUpstreams(o) {
  const servers = list(o.upstreams);
  const boxes = mailBoxes();
  refill($('upstreams-list'), [servers, boxes, Math.floor(Date.now() / 10000)], () => {
    const rows = servers.map(serverOf);
    for (const box of boxes)
      rows.push(make('div.server', null, make('span.lamp.here'), make('span', null, make('b', box), ' Maildir'), make('span.about', '')));
    return rows.length > 0 ? rows : [make('p.empty', 'No server has been asked yet.')];
  });
}
