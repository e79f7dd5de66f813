/* Transactions of the last hour, as a plot and as a table. */

import { $, make, refill } from './elements.js';
import { MINUTES, Plot, minutesOf } from './plot.js';
import { number, sum, two } from './words.js';

const KINDS = [['accept', 'accepted'], ['defer', 'deferred'], ['reject', 'refused']];
let shown = null;

function hourWords() {
  return KINDS.map(([kind, name]) => `${number(sum(minutesOf(shown.minutes?.[kind])))} ${name}`).join(' · ');
}

const hourPlot = new Plot($('hour-plot'), {
  reading: $('hour-reading'),
  rest: () => (shown ? hourWords() : ''),
});

export function showHour(o, end) {
  shown = o;
  const series = KINDS.map(([kind, name]) => ({ kind, name, minutes: minutesOf(o.minutes?.[kind]) }));
  hourPlot.set(series, end, `Transactions by minute: ${hourWords()}. Arrow keys read single minutes.`);
  refill($('hour-table'), [series.map((s) => s.minutes), end.getMinutes()], () => {
    const head = make('tr', null, make('th', 'Minute'), ...KINDS.map(([, name]) => make('th', name)));
    const rows = [];
    for (let i = MINUTES - 1; i >= 0; i--) {
      const time = hourPlot.timeOf(i);
      rows.push(make('tr', null, make('th', `${two(time.getHours())}:${two(time.getMinutes())}`),
        ...series.map((s) => make('td', number(s.minutes[i])))));
    }
    return [make('table', null, make('thead', null, head), make('tbody', null, ...rows))];
  });
}

export function beginHour() {
  $('legend').replaceChildren(...KINDS.map(([kind, name]) => make('li', null, make('span.swatch.' + kind), name)));
}
