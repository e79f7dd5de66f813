/* Where a candidate policy would have decided otherwise. */

import { $, make, refill } from './elements.js';
import { explain } from './explain.js';
import { clock, list, number, text } from './words.js';

export function showShadow(o) {
  const shadow = o.shadow || {};
  const recent = list(shadow.recent).slice(0, 8);
  $('shadow-count').textContent = shadow.differences > 0 ? `${number(shadow.differences)} differences` : '';
  refill($('shadow-list'), [recent, shadow.differences], () => {
    if (recent.length === 0)
      return [make('p.empty', 'No difference: no candidate policy runs beside the live one, or both agree.')];
    return recent.map((one) => {
      const button = make('button.differs', null,
        make('time', clock(new Date(one.time))),
        make('span', `${text(one.live)} → ${text(one.shadow)}${one.rule ? `, ${text(one.rule)}` : ''}`));
      button.type = 'button';
      button.title = `Explain ${text(one.id)}`;
      button.addEventListener('click', () => explain(text(one.id), null));
      return button;
    });
  });
}
