/* Who sends most, and how much of their budgets is left. */

import { $, make, refill } from './elements.js';
import { filterButton } from './filters.js';
import { duration, list, number, text } from './words.js';

const ratio = (budget) => (budget.max > 0 ? (Number(budget.used || 0) + Number(budget.held || 0)) / budget.max : 0);
const nearness = (r) => (r >= .995 ? 'full' : r >= .8 ? 'near' : 'fine');

function budgetOf(budget) {
  const level = nearness(ratio(budget));
  const bar = make('div.bar.' + level);
  for (const [part, amount] of [['used', budget.used], ['held', budget.held]]) {
    const piece = make('span.' + part);
    piece.style.width = `${budget.max > 0 ? Math.min(100, (100 * (amount || 0)) / budget.max) : 0}%`;
    bar.append(piece);
  }
  const words = `${number(budget.used)} used, ${number(budget.held)} held, ${number(budget.left)} left of ${number(budget.max)}`;
  const soon = budget.empty_in_ms > 0 ? `; all of it is free again in ${duration(budget.empty_in_ms)}` : '';
  bar.setAttribute('role', 'img');
  bar.setAttribute('aria-label', words);
  const row = make('div.budget', null, make('span.which', text(budget.rule)), bar,
    make('span.rest.' + level, level === 'full' ? 'used up' : `${number(budget.left)} left`),
    make('span.max', `of ${number(budget.max)}`));
  row.title = `${text(budget.rule)}, ${text(budget.limit)} ${text(budget.unit).replaceAll('_', ' ')}: ${words}${soon}`;
  return row;
}

export function showUsers(o) {
  const fullness = (u) => Math.max(0, ...list(u.budgets).map(ratio));
  const weight = (u) => (fullness(u) >= .8 ? 1 + fullness(u) : 0);
  const users = list(o.users).slice().sort((a, b) => weight(b) - weight(a) || b.recipients - a.recipients).slice(0, 15);
  refill($('users-list'), users, () => {
    if (users.length === 0)
      return [make('p.empty', 'Nobody has sent anything yet.')];
    const head = make('div.user.head', null, make('span', 'Login'), make('span.n', 'messages'), make('span.n', 'recipients'), make('span.n', 'refused'), make('span', 'budgets'));
    return [head, ...users.map((user) => {
      const budgets = list(user.budgets).slice().sort((a, b) => ratio(b) - ratio(a)).slice(0, 4);
      return make('div.user.' + nearness(fullness(user)), null,
        make('div', null, filterButton('user', text(user.user))),
        make('span.n', number(user.messages)), make('span.n', number(user.recipients)),
        make(user.refused > 0 ? 'span.n.bad' : 'span.n', number(user.refused)),
        make('div.budgets', null, ...(budgets.length > 0 ? budgets.map(budgetOf) : [make('span.did', 'no rule limits this login')])));
    })];
  });
}
